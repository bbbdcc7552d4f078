// What writes, as a request names it: a run's checkpoint, a model that was added, or a folder.
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { GenerationSource } from '../../../shared/contract/playground.ts'
import { AppError } from '../../../shared/errors.ts'
import type { GenerateStart } from '../../base/processes/generator-protocol.ts'
import { resolveGiven } from '../../base/files/given-path.ts'
import { findAlgorithm, isTextAlgorithm } from '../../core/learn/registry.ts'
import { CHECKPOINT_FILES } from '../../core/models/checkpoint-files.ts'
import { findGguf } from '../../core/models/gguf/place.ts'
import { filesBeside } from '../../core/models/model-files.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import { summarizeModel } from '../registry/describe-model.ts'
import { requireModel } from '../store/models.ts'
import type { ModelEntry } from '../store/models-file.ts'
import type { RunEntry } from '../store/runs.ts'
import { findCheckpoint } from './find-checkpoint.ts'

export interface FoundWriter {
  /** For people: "dpo-3 · step 200". */
  readonly title: string
  readonly model: GenerateStart['model']
  /** Tells these weights from others in the same place. */
  readonly hash: string
  /** Where it is a run's checkpoint. */
  readonly run: RunEntry | null
}

export function writesText(method: string): boolean {
  const algorithm = findAlgorithm(method)
  return algorithm.role === 'policy' && isTextAlgorithm(algorithm)
}

/** Why a model of the registry cannot write now; null when it can. */
export function problemOf(
  { dataFolder }: Pick<HandlerDeps, 'dataFolder'>,
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
export function findWriter(
  deps: Pick<HandlerDeps, 'db' | 'dataFolder' | 'runs'>,
  source: GenerationSource,
): FoundWriter {
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
      run,
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
      run: null,
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
    run: null,
  }
}

/** Hashing would read every byte: the time of the last change does for a model that nobody registered. */
function newestChange(place: string): number {
  const files = filesBeside(place).map((name) => path.join(place, name))
  return Math.max(...[place, ...files].map((file) => statSync(file).mtimeMs))
}
