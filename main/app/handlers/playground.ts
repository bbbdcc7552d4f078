import { existsSync } from 'node:fs'
import path from 'node:path'
import type { EngineChoice } from '../../../shared/contract/engines.ts'
import type { GenerationRequest, PlaygroundSources } from '../../../shared/contract/playground.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { chooseEngine, readFigures } from '../engine-setup/figures.ts'
import { enginesFolderOf } from '../engine-setup/folder.ts'
import type { ResolvedSource } from '../playground/playground-service.ts'
import { summarizeModel } from '../registry/describe-model.ts'
import { bestStepOf } from '../runs/chosen.ts'
import { listCheckpoints } from '../store/metrics.ts'
import { listModels } from '../store/models.ts'
import { listRuns } from '../store/runs.ts'
import { inSlices, type Sliced } from '../store/slices.ts'
import type { HandlerDeps } from './deps.ts'
import { recordOf } from '../requests/kept-answers.ts'
import { createKeeper } from '../data/growing-dataset.ts'
import { findWriter, problemOf, writesText } from '../requests/find-writer.ts'

type PlaygroundHandlers = Pick<Handlers, Extract<keyof Handlers, `playground.${string}`>>

export function playgroundHandlers(deps: HandlerDeps): PlaygroundHandlers {
  const { playground, events } = deps
  const keeper = createKeeper(deps)
  return {
    'playground.sources': () => inSlices(listSources(deps)),
    'playground.generate': (request) => ({ generationId: playground.generate(request, resolve(deps, request)) }),
    'playground.cancel': ({ generationId }) => {
      playground.cancel(generationId)
      return null
    },
    'playground.get': ({ generationId }) => playground.get(generationId),
    'playground.keep': async ({ left, right, into }) => {
      const record = recordOf(playground.get(left), right === null ? null : playground.get(right))
      const kept = await keeper.keep(record, into)
      if (kept.added) events.emit('datasets.changed', { datasetId: kept.datasetId })
      return kept
    },
  }
}

function* listSources(deps: HandlerDeps): Sliced<PlaygroundSources> {
  const { db, dataFolder, runs } = deps
  const models = listModels(db)
    .filter((entry) => entry.facts.kind === 'decoder')
    .map((entry) => {
      const { modelId, name, family, parameterCount, hasChatTemplate } = summarizeModel(dataFolder, entry)
      return {
        modelId,
        name,
        family,
        parameterCount,
        hasChatTemplate,
        problem: problemOf(deps, entry)?.message ?? null,
      }
    })
  const policies: PlaygroundSources['runs'] = []
  for (const run of listRuns(db)) {
    yield
    if (!writesText(run.method)) continue
    const present = listCheckpoints(db, run.runNo).filter((one) =>
      existsSync(path.join(runs.folderOf(run.runId), one.path)),
    )
    const last = present.at(-1)
    if (last === undefined) continue
    const best = bestStepOf(db, run)
    const { runId, name, methodName, datasetName, seed, state, groupHash } = run
    policies.push({
      runId,
      name,
      methodName,
      datasetName,
      seed,
      state,
      groupHash,
      lastStep: last.step,
      bestStep: present.find((one) => one.step === best)?.step ?? null,
    })
  }
  return { models, runs: policies, engine: fastest(deps) }
}

function fastest({ dataFolder, appVersion }: HandlerDeps): EngineChoice {
  return chooseEngine(readFigures(enginesFolderOf(dataFolder), appVersion), 'sampling')
}

/** @throws AppError `not-found`, `spec-invalid`, `file-not-found` */
function resolve(deps: HandlerDeps, { source, engine }: GenerationRequest): ResolvedSource {
  const choice = engine === 'auto' ? fastest(deps) : { name: engine, why: 'chosen by hand' }
  const { title, model, hash } = findWriter(deps, source)
  return { title, model, hash, engine: choice }
}
