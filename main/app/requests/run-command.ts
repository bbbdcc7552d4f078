import { z } from 'zod'
import { fieldsOf, flagName, formatField, getPath, type FormField } from '../../../shared/form.ts'
import { presetFor } from '../../../shared/presets.ts'
import { formatModelReference, type ModelReference } from '../../../shared/model-reference.ts'
import { type ModelSpec, rewardSource, type RewardSource, type RunRequest } from '../../../shared/run-spec.ts'
import { trainingConfig, type TrainingConfig } from '../../../shared/training-config.ts'
import type { AlgorithmPage } from '../../core/learn/define.ts'

/** A request with every default filled in, as the command line says it. */
export interface CommandParts {
  readonly algorithm: AlgorithmPage
  readonly config: Readonly<Record<string, unknown>>
  readonly training: TrainingConfig
  readonly request: RunRequest
  /** Its weights were trained elsewhere first. */
  readonly pretrained: boolean
}

function referenceOf(model: ModelSpec): ModelReference {
  if (model.kind === 'run') return { kind: 'run', run: model.runId, checkpoint: model.checkpoint }
  return model.kind === 'registered' ? { kind: 'model', model: model.modelId } : model
}

/** The command that would start the same runs. Only what differs from the method's first preset is spelled out. */
export function commandFor({ algorithm, config, training, request, pretrained }: CommandParts): string {
  const { model, data, engine, threads, seeds, judge, name } = request
  // As the command line takes it: by the model, and by what of it is to be trained where that is said.
  const begins = { kind: model.kind, pretrained }
  const unasked = presetFor(algorithm.presets, begins)
  const preset = presetFor(algorithm.presets, begins, training.adapt)
  const usualConfig = algorithm.config.parse(preset.config) as Readonly<Record<string, unknown>> // every config is an object
  const usualTraining = trainingConfig.parse(preset.training)
  return [
    'pairlab train',
    algorithm.id,
    '--data',
    data.datasetId,
    '--model',
    formatModelReference(referenceOf(model)),
    ...(model.kind === 'new' ? newModelFlags(model) : []),
    ...(model.kind === 'run' && model.bySeed ? ['--by-seed'] : []),
    '--seeds',
    seeds.join(','),
    ...(engine === 'auto' ? [] : ['--engine', engine]),
    ...(threads === null ? [] : ['--threads', String(threads)]),
    ...(data.annotators.length === 0 ? [] : ['--annotators', data.annotators.join(',')]),
    ...(data.aggregation === 'mean' ? [] : ['--aggregation', data.aggregation]),
    ...(data.split.seed === 0 ? [] : ['--split-seed', String(data.split.seed)]),
    ...(name === '' ? [] : ['--name', name]),
    ...schemaFlags(z.toJSONSchema(algorithm.config, { io: 'input' }), config, usualConfig),
    ...(preset === unasked || training.adapt !== usualTraining.adapt ? [] : ['--adapt', training.adapt]),
    ...schemaFlags(z.toJSONSchema(trainingConfig, { io: 'input' }), training, usualTraining),
    ...judgeFlags(judge),
  ]
    .map((word, index) => (index === 0 ? word : quote(word)))
    .join(' ')
}

function newModelFlags(model: Extract<RunRequest['model'], { kind: 'new' }>): string[] {
  const tokenizer =
    model.tokenizer.kind === 'byte' ? ['--tokenizer', 'byte'] : ['--vocab-size', String(model.tokenizer.vocabSize)]
  return [...tokenizer, ...(model.tiedEmbeddings ? [] : ['--untied'])]
}

function judgeFlags(judge: RewardSource | null): string[] {
  return judge === null
    ? []
    : schemaFlags(z.toJSONSchema(z.object({ judge: rewardSource }), { io: 'input' }), { judge }, {})
}

function schemaFlags(
  schema: unknown,
  values: Readonly<Record<string, unknown>>,
  usual: Readonly<Record<string, unknown>>,
): string[] {
  return fieldsOf(schema).flatMap((field) => fieldFlags(field, values, usual))
}

function fieldFlags(
  field: FormField,
  values: Readonly<Record<string, unknown>>,
  usual: Readonly<Record<string, unknown>>,
): string[] {
  const value = getPath(values, field.path)
  if (value === undefined || JSON.stringify(value) === JSON.stringify(getPath(usual, field.path))) return []
  const flag = `--${flagName(field.path)}`
  if (value === null) return [flag, 'none']
  if (field.kind !== 'union')
    return [flag, field.kind === 'list' && Array.isArray(value) ? value.join(',') : formatField(value)]
  const chosen = String(getPath(values, `${field.path}.${field.discriminator ?? 'kind'}`))
  const variant = field.variants.find((one) => one.value === chosen)
  return [flag, chosen, ...(variant?.fields ?? []).flatMap((inner) => fieldFlags(inner, values, {}))]
}

/** For a POSIX shell; words that need no quotes get none. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
