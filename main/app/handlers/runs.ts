import type { Handlers } from '../../../shared/rpc.ts'
import { exportForms } from '../requests/export-forms.ts'
import { chosenStep } from '../runs/chosen.ts'
import { calibrateRuns } from '../runs/run-calibration.ts'
import { describeRun } from '../runs/summary.ts'
import { readRunSpec } from '../store/runs.ts'
import { inSlices } from '../store/slices.ts'
import { writeSettings } from '../store/settings.ts'
import { findAlgorithm } from '../../core/learn/registry.ts'
import type { HandlerDeps } from './deps.ts'
import { commandFor } from '../requests/run-command.ts'
import { requestOf } from '../../../shared/request-of.ts'
import { prepareEstimate, prepareRuns } from '../requests/prepare-runs.ts'
import { checkRequest, refuseProblems } from '../requests/run-request.ts'
import { previewTokens } from '../requests/token-preview.ts'
import { createTrainingData } from '../requests/training-data.ts'

type RunHandlers = Pick<Handlers, Exclude<Extract<keyof Handlers, `runs.${string}` | `queue.${string}`>, 'runs.export'>>

export function runHandlers(deps: HandlerDeps): RunHandlers {
  const { db, runs } = deps
  const trainingData = createTrainingData(deps)
  const asking = { ...deps, trainingData }
  return {
    'runs.check': async ({ request }) => {
      const checked = await checkRequest(asking, request)
      const {
        problems,
        advice,
        content,
        command,
        memory,
        engine: { engine, engineChoice },
      } = checked
      const counts =
        content === null
          ? { train: 0, validation: 0, test: 0, labels: 0 }
          : { ...content.counts, labels: content.labelCount }
      return {
        problems: [...problems],
        advice: [...advice],
        counts,
        command,
        memory,
        engine: { name: engine, why: engineChoice.why },
      }
    },
    'runs.tokens': async ({ request, rows }) => previewTokens(deps, await checkRequest(asking, request), rows),
    'runs.estimate': ({ request, asker }) =>
      runs.dryRun(asker, async (measure) => {
        const checked = await checkRequest(asking, request)
        refuseProblems(checked)
        return trainingData.withView(
          checked.request.data,
          (view) => measure(prepareEstimate(asking, checked, view), request.seeds.length),
          { use: checked.use, forRuns: false },
        )
      }),
    'runs.cancelEstimate': ({ asker }) => nothing(runs.cancelDryRun(asker)),
    'runs.start': async ({ request, clientKey }) => {
      const checked = await checkRequest(asking, request)
      refuseProblems(checked)
      return trainingData.withView(
        checked.request.data,
        (view) => ({ runIds: runs.start(prepareRuns(asking, checked, view), clientKey) }),
        { use: checked.use, forRuns: true },
      )
    },
    'runs.list': (filter) => inSlices(runs.list(filter)),
    'runs.get': ({ runId }) => {
      const spec = readRunSpec(db, runId)
      const request = { ...requestOf(spec), engine: spec.engine } // what would repeat it names the engine
      const command = commandFor({
        algorithm: findAlgorithm(spec.method),
        config: spec.config,
        training: spec.training,
        pretrained: spec.pretrained,
        request: { ...request, name: '' },
      })
      const run = describeRun(db, runs.get(runId), runs.folderOf(runId))
      const last = run.checkpoints.at(-1)
      return { ...run, command, exportForms: last === undefined ? [] : exportForms(spec, last.path) }
    },
    'runs.metrics': ({ runId, names, maxPoints, discarded }) => runs.metrics(runId, names, maxPoints, discarded),
    'runs.log': ({ runId, lines }) => [...runs.logTail(runId, lines)],
    'runs.samples': ({ runId }) => runs.samples(runId),
    'runs.calibration': ({ runIds }) =>
      calibrateRuns(
        [...new Set(runIds)].map((runId) => {
          const entry = runs.get(runId)
          return { runId, runFolder: runs.folderOf(runId), chosen: chosenStep(entry), lastStep: entry.step }
        }),
      ),
    'runs.stop': ({ runId, mode }) => nothing(runs.stop(runId, mode)),
    'runs.checkpoint': ({ runId }) => nothing(runs.checkpoint(runId)),
    'runs.resume': ({ runId }) => nothing(runs.resume(runId)),
    'runs.request': ({ runId }) => requestOf(readRunSpec(db, runId)),
    'runs.setNote': ({ runId, note }) => nothing(runs.setNote(runId, note)),
    'runs.delete': ({ runId }) => nothing(runs.remove(runId)),
    'queue.move': ({ runId, position }) => nothing(runs.move(runId, position)),
    'queue.pause': ({ paused }) => {
      writeSettings(db, { queuePaused: paused })
      runs.wake()
      deps.events.emit('settings.changed', {})
      return null
    },
  }
}

/** The contract's answer where there is nothing to say. */
function nothing(_done: void): null {
  return null
}
