import type { Output } from '../../../shared/contract.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { behaviourName, readBehaviour } from '../../core/worlds/behaviours.ts'
import { findWorld } from '../../core/worlds/registry.ts'
import { readSegmentRow } from '../data/segments/browse-segments.ts'
import { findDataset } from '../store/datasets.ts'
import { listCheckpoints } from '../store/metrics.ts'
import { findRun, listRuns, missingRun, readRunSpec } from '../store/runs.ts'
import { findCheckpoint } from '../requests/find-checkpoint.ts'
import type { HandlerDeps } from './deps.ts'

type Players = Output<'watch.players'>

export function watchHandlers(deps: HandlerDeps): Pick<Handlers, Extract<keyof Handlers, `watch.${string}`>> {
  const { db, runs, acting } = deps
  return {
    'watch.players': ({ runId }) => {
      const run = findRun(db, runId)
      if (run === null) throw missingRun(db, runId, ' to watch')
      const others = listRuns(db).filter(
        (one) =>
          one.runId !== runId && one.facts['world'] === run.facts['world'] && listCheckpoints(db, one.runNo).length > 0,
      )
      return [
        ...others.map((one): Players[number] => ({
          title: `${one.name}, seed ${one.seed}`,
          group: 'runs',
          player: { kind: 'run', runId: one.runId, checkpoint: 'best' },
        })),
        ...(['expert', 'weak', 'random'] as const).map((script): Players[number] => ({
          title: script === 'random' ? 'random actions' : `the ${script} script`,
          group: 'scripts',
          player: { kind: 'script', script, noise: 0 },
        })),
        ...dataBehaviours(deps, run.datasetId),
      ]
    },
    'watch.act': async ({ world, player, ...episode }) => {
      findWorld(world)
      if (player.kind === 'script') {
        const { steps, engine } = await acting.act(null, { world, policy: player, ...episode })
        return { ...steps, engine, checkpointStep: null }
      }
      const { run, path, step } = findCheckpoint({ db, runs }, player.runId, player.checkpoint, 'watch', 'policy')
      const policy = { kind: 'checkpoint' as const, path }
      const { threads } = readRunSpec(db, run.runId)
      const { steps, engine } = await acting.act({ engine: run.engine, threads }, { world, policy, ...episode })
      return { ...steps, engine, checkpointStep: step }
    },
    'watch.end': async () => {
      await acting.end()
      return null
    },
  }
}

/** Scripts that acted in the data, as a few of its pairs name them. */
function dataBehaviours({ db, dataFolder }: HandlerDeps, datasetId: string): Players {
  const dataset = findDataset(db, datasetId)
  if (dataset === null || dataset.kind !== 'segment-pairs' || dataset.itemCount === 0) return []
  const last = dataset.itemCount - 1
  const names = [0, Math.floor(last / 2), last].flatMap((index) => {
    const { a, b } = readSegmentRow(db, dataFolder, dataset, index).pair
    return [a.behaviour, b.behaviour]
  })
  return [...new Set(names)].flatMap((name): Players => {
    const found = name === null ? null : readBehaviour(name)
    return found === null
      ? []
      : [
          {
            title: `as in the data: ${behaviourName(found.script, found.noise)}`,
            group: 'data',
            player: { kind: 'script', ...found },
          },
        ]
  })
}
