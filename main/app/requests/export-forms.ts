import type { ExportForm } from '../../../shared/contract/runs.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import { AppError } from '../../../shared/errors.ts'
import type { ContrastMethod } from '../../core/learn/embed/contrast.ts'
import { findAlgorithm, findContrastMethod } from '../../core/learn/registry.ts'
import { modelTypeOf } from '../../core/learn/models/hf-config.ts'
import { isErrno } from '../../base/files/system-error.ts'
import { readJson } from '../../core/models/model-files.ts'

/** In what forms other programs can open what a run trained, the first by default. @param checkpoint folder of one of its checkpoints */
export function exportForms(spec: RunSpec, checkpoint: string): ExportForm[] {
  if (isOwnNetwork(checkpoint)) return []
  const { data } = findAlgorithm(spec.method)
  const adapters = spec.training.adapt === 'lora' ? (['adapters'] as const) : []
  if (data === 'rankings') return isCrossEncoder(spec) ? [] : ['embedder', ...adapters]
  return [
    'model',
    ...(data === 'contrast-groups' && !writesFirst(spec) ? (['embedder'] as const) : []),
    ...adapters,
    ...(isInGguf(spec, checkpoint) ? (['gguf-q8_0', 'gguf-f16'] as const) : []),
  ]
}

/**
 * @param form null: the usual one
 * @throws AppError `input-invalid`: why the run cannot be written so, and what can be done
 */
export function chooseForm(spec: RunSpec, checkpoint: string, form: ExportForm | null): ExportForm {
  const forms = exportForms(spec, checkpoint)
  const chosen = form ?? forms[0] ?? 'model'
  if (forms.includes(chosen)) return chosen
  const [message, hint] = refusal(spec, chosen, forms[0])
  throw new AppError({ code: 'input-invalid', message, hint })
}

function refusal(spec: RunSpec, form: ExportForm, other: ExportForm | undefined): readonly [string, string] {
  const instead =
    other === undefined
      ? 'Its checkpoint can be read as it is: config.json and model.safetensors.'
      : `Export it as ${WORDS[other]}.`
  if (other === undefined && isCrossEncoder(spec))
    return [
      'A cross-encoder reads query and document together: no vector of a text alone comes out, and its head has no place in the folders that other programs open.',
      instead,
    ]
  if (other === undefined)
    return ['This run trained small networks of Pairlab’s own, which other programs do not open.', instead]
  if (form.startsWith('gguf')) return ['This run’s model has no place in a GGUF file.', instead]
  if (form === 'adapters') return ['This run trained the weights themselves: it has no adapters.', instead]
  if (form === 'embedder' && findAlgorithm(spec.method).data === 'contrast-groups')
    return [
      'This method writes about a text before it embeds it, which no folder of sentence-transformers can say.',
      instead,
    ]
  return [`This run did not train ${WORDS[form]}.`, instead]
}

const WORDS: Readonly<Record<ExportForm, string>> = {
  model: 'a model that writes',
  embedder: 'an embedder',
  adapters: 'adapters',
  'gguf-q8_0': 'a GGUF file',
  'gguf-f16': 'a GGUF file',
}

function isOwnNetwork(checkpoint: string): boolean {
  return typeIn(checkpoint).startsWith('pairlab-')
}

/** A score head has no place in these files, and GPT-2's layers lie otherwise. */
function isInGguf(spec: RunSpec, checkpoint: string): boolean {
  return findAlgorithm(spec.method).role !== 'reward-model' && /^(llama|mistral|qwen2|qwen3)$/.test(typeIn(checkpoint))
}

/** A file that cannot be read says nothing of it: what is done with the checkpoint will name it. A trainer removes its older ones while somebody looks. */
function typeIn(checkpoint: string): string {
  try {
    return modelTypeOf(readJson(checkpoint, 'config.json', false))
  } catch (error) {
    if (error instanceof AppError || isErrno(error, 'ENOENT', 'ENOTDIR')) return ''
    throw error
  }
}

function isCrossEncoder(spec: RunSpec): boolean {
  return (spec.config as { readonly scorer?: unknown } | null)?.scorer === 'cross-encoder'
}

function writesFirst(spec: RunSpec): boolean {
  const method: ContrastMethod = findContrastMethod(spec.method)
  return method.write !== undefined
}
