import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import { formatField, getPath, type FormField } from '../../shared/form.ts'
import type { ModelSpec, RunRequest } from '../../shared/run-spec.ts'
import { draftFields, emptyDraft, type Draft, type ModelDraft } from './draft.ts'

/** The union inside a request as texts: its variant and the values of the variant's fields. */
function typeUnion(field: FormField, value: unknown, typed: Record<string, string>): void {
  if (typeof value !== 'object' || value === null) return
  const given = value as Readonly<Record<string, unknown>>
  const variant = String(given[field.discriminator ?? 'kind'] ?? '')
  typed[field.path] = variant
  for (const inner of field.variants.find((one) => one.value === variant)?.fields ?? []) {
    const own = given[inner.path.split('.').at(-1) ?? '']
    if (own !== undefined && formatField(own) !== formatField(inner.default)) typed[inner.path] = formatField(own)
  }
}

/** The form that would make this request: what a run was started with, or a settings file. */
export function draftOf(request: RunRequest, algorithm: AlgorithmInfo, judge: FormField): Draft {
  const base = emptyDraft(request.data.datasetId, algorithm)
  const typed: Record<string, string> = {}
  for (const field of draftFields(algorithm, base.preset)) {
    const value = getPath(request, field.path)
    if (value === undefined) {
      // The request leaves it to the schema's default, which the preset may not.
      const fallback = field.kind === 'union' ? field.base : formatField(field.default)
      if (fallback !== field.base) typed[field.path] = fallback
      continue
    }
    if (field.kind === 'union') {
      typeUnion(field, value, typed)
      if (typed[field.path] === field.base) delete typed[field.path]
    } else if (formatField(value) !== field.base) typed[field.path] = formatField(value)
  }
  if (request.judge !== null) typeUnion(judge, request.judge, typed)
  const { split } = request.data
  return {
    ...base,
    typed,
    model: draftModel(request.model, base.model),
    split: { seed: String(split.seed), validation: String(split.validation), test: String(split.test) },
    annotators: request.data.annotators,
    aggregation: request.data.aggregation,
    engine: request.engine,
    threads: request.threads === null ? '' : String(request.threads),
    seeds: request.seeds.join(' '),
    name: request.name,
  }
}

function draftModel(model: ModelSpec, base: ModelDraft): ModelDraft {
  if (model.kind === 'run')
    return { ...base, kind: 'run', runId: model.runId, checkpoint: model.checkpoint, bySeed: model.bySeed }
  if (model.kind === 'registered') return { ...base, kind: 'registered', modelId: model.modelId }
  if (model.kind === 'networks') return { ...base, kind: 'networks' }
  const { tokenizer } = model
  return {
    ...base,
    kind: 'new',
    preset: model.preset,
    tokenizer: tokenizer.kind,
    vocabSize: tokenizer.kind === 'bpe' ? String(tokenizer.vocabSize) : base.vocabSize,
    tied: model.tiedEmbeddings,
  }
}
