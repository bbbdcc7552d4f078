import { AppError } from '../../../shared/errors.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import { summarizeModel } from '../registry/describe-model.ts'
import { requireModel } from '../store/models.ts'

/** A model of the registry that a request names. */
export interface RegisteredModel {
  readonly name: string
  /** Absolute folder. */
  readonly path: string
  readonly hash: string
  /** It is a run of this data folder, exported. */
  readonly madeHere: boolean
}

/**
 * @param encoders encoders will do, too
 * @throws AppError `not-found`, `spec-invalid`
 */
export function findModel(
  { db, dataFolder }: Pick<HandlerDeps, 'db' | 'dataFolder'>,
  id: string,
  encoders: boolean,
): RegisteredModel {
  const entry = requireModel(db, id)
  if (entry.facts.kind !== 'decoder' && !encoders)
    throw new AppError({
      code: 'spec-invalid',
      message: `"${entry.name}" is an encoder: it cannot write completions.`,
      hint: 'Choose a decoder, e.g. a Llama, Qwen or GPT-2 model.',
    })
  if (!entry.facts.hasTokenizer)
    throw new AppError({
      code: 'spec-invalid',
      message: `"${entry.name}" has no tokenizer.json.`,
      hint: 'Put it beside the weights and add the model again.',
    })
  const { path: folder, trouble } = summarizeModel(dataFolder, entry)
  if (trouble !== null)
    throw new AppError({
      code: 'spec-invalid',
      message: `"${entry.name}" cannot be used: ${trouble.message.charAt(0).toLowerCase()}${trouble.message.slice(1)}`,
      hint: trouble.hint,
    })
  return { name: entry.name, path: folder, hash: entry.hash, madeHere: entry.originRunId !== null }
}
