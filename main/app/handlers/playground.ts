import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { EngineChoice } from '../../../shared/contract/engines.ts'
import type { GenerationRequest, GenerationSource, PlaygroundSources } from '../../../shared/contract/playground.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { chooseEngine, readFigures } from '../engine-setup/figures.ts'
import { enginesFolderOf } from '../engine-setup/folder.ts'
import { findAlgorithm, isTextAlgorithm } from '../../core/learn/registry.ts'
import { CHECKPOINT_FILES } from '../../core/models/checkpoint-files.ts'
import { findGguf } from '../../core/models/gguf/place.ts'
import { filesBeside } from '../../core/models/model-files.ts'
import type { ResolvedSource } from '../playground/playground-service.ts'
import { summarizeModel } from '../registry/describe-model.ts'
import { bestStepOf } from '../runs/chosen.ts'
import { listCheckpoints } from '../store/metrics.ts'
import { listModels, requireModel } from '../store/models.ts'
import type { ModelEntry } from '../store/models-file.ts'
import { listRuns } from '../store/runs.ts'
import { inSlices, type Sliced } from '../store/slices.ts'
import type { HandlerDeps } from './deps.ts'
import { findCheckpoint } from '../requests/find-checkpoint.ts'
import { resolveGiven } from '../../base/files/given-path.ts'

type PlaygroundHandlers = Pick<Handlers, Extract<keyof Handlers, `playground.${string}`>>

export function playgroundHandlers(deps: HandlerDeps): PlaygroundHandlers {
  const { playground } = deps
  return {
    'playground.sources': () => inSlices(listSources(deps)),
    'playground.generate': (request) => ({ generationId: playground.generate(request, resolve(deps, request)) }),
    'playground.cancel': ({ generationId }) => {
      playground.cancel(generationId)
      return null
    },
    'playground.get': ({ generationId }) => playground.get(generationId),
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

function writesText(method: string): boolean {
  const algorithm = findAlgorithm(method)
  return algorithm.role === 'policy' && isTextAlgorithm(algorithm)
}

function fastest({ dataFolder, appVersion }: HandlerDeps): EngineChoice {
  return chooseEngine(readFigures(enginesFolderOf(dataFolder), appVersion), 'sampling')
}

/** Why a model of the registry cannot write now; null when it can. */
function problemOf(
  { dataFolder }: HandlerDeps,
  entry: ModelEntry,
): { readonly message: string; readonly hint: string } | null {
  if (entry.facts.kind !== 'decoder')
    return {
      message: `"${entry.name}" is an encoder: it cannot write.`,
      hint: 'Choose a decoder, e.g. a Llama, Qwen or GPT-2 model.',
    }
  if (!entry.facts.hasTokenizer)
    return {
      message: `"${entry.name}" has no tokenizer.json.`,
      hint: 'Put it beside the weights and add the model again.',
    }
  return summarizeModel(dataFolder, entry).trouble
}

/** @throws AppError `not-found`, `spec-invalid`, `file-not-found` */
function resolve(deps: HandlerDeps, { source, engine }: GenerationRequest): ResolvedSource {
  const choice = engine === 'auto' ? fastest(deps) : { name: engine, why: 'chosen by hand' }
  return { ...resolveModel(deps, source), engine: choice }
}

function resolveModel(deps: HandlerDeps, source: GenerationSource): Omit<ResolvedSource, 'engine'> {
  if (source.kind === 'run') {
    const {
      run,
      path: folder,
      hash,
      step,
    } = findCheckpoint(deps, source.runId, source.checkpoint, 'write with', 'policy')
    if (!writesText(run.method))
      throw new AppError({
        code: 'spec-invalid',
        message: `The run "${run.name}" learned from ${findAlgorithm(run.method).data}: it writes no text.`,
        hint: 'Choose a run that was trained on completions.',
      })
    return {
      title: `${run.name} s${run.seed} · step ${step}`,
      model: { kind: 'checkpoint', path: folder, trainedHere: true },
      hash,
    }
  }
  if (source.kind === 'model') {
    const entry = requireModel(deps.db, source.modelId)
    const problem = problemOf(deps, entry)
    if (problem !== null) throw new AppError({ code: 'spec-invalid', ...problem })
    return {
      title: entry.name,
      model: {
        kind: 'folder',
        path: summarizeModel(deps.dataFolder, entry).path,
        trainedHere: entry.originRunId !== null,
      },
      hash: entry.hash,
    }
  }
  const folder = resolveGiven(source.path)
  if (findGguf(folder) === null && !existsSync(path.join(folder, 'config.json')))
    throw new AppError({
      code: 'file-not-found',
      message: `There is no config.json in ${folder}.`,
      hint: 'Give the folder of a model or of a checkpoint, or a .gguf file.',
    })
  const ours = existsSync(path.join(folder, CHECKPOINT_FILES.state))
  return {
    title: path.basename(folder),
    model: { kind: ours ? 'checkpoint' : 'folder', path: folder, trainedHere: ours },
    hash: String(newestChange(folder)),
  }
}

/** Hashing would read every byte: the time of the last change does for a model that nobody registered. */
function newestChange(place: string): number {
  const files = filesBeside(place).map((name) => path.join(place, name))
  return Math.max(...[place, ...files].map((file) => statSync(file).mtimeMs))
}
