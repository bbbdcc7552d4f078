import type { z } from 'zod'
import { presetFor } from '../../shared/presets.ts'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import type { CheckpointChoice } from '../../shared/domain.ts'
import { fieldsOf, formatField, getPath, parseField, parseSeeds, setPath, type FormField } from '../../shared/form.ts'
import { inWordsOf } from './field-words.ts'
import { matters, READ_WITHOUT_TRAINING } from '../../shared/form-use.ts'
import {
  writesSamples,
  type ModelPreset,
  type ModelSpec,
  type RunRequest,
  type RunRequestInput,
} from '../../shared/run-spec.ts'

type Json = z.infer<ReturnType<typeof z.json>>
type Config = Record<string, Json>

export type Aggregation = 'mean' | 'majority'
export type Engine = RunRequest['engine']

/** The form as it stands, typed texts included: nothing a person wrote is lost by being wrong. */
export interface Draft {
  readonly datasetId: string
  readonly method: string
  readonly preset: string
  /** Path → text, only what was changed: `config.beta`, `training.steps`, `judge.target`. A union's own path holds its variant. */
  readonly typed: Readonly<Record<string, string>>
  readonly model: ModelDraft
  readonly split: { readonly seed: string; readonly validation: string; readonly test: string }
  /** Empty: everybody. */
  readonly annotators: readonly string[]
  readonly aggregation: Aggregation
  readonly engine: Engine
  /** Empty: the engine chooses. */
  readonly threads: string
  readonly seeds: string
  readonly name: string
}

export interface ModelDraft {
  readonly kind: ModelSpec['kind']
  readonly preset: ModelPreset
  readonly tokenizer: 'bpe' | 'byte'
  readonly vocabSize: string
  readonly tied: boolean
  readonly runId: string
  readonly checkpoint: CheckpointChoice
  /** Each seed from the run of its own seed. */
  readonly bySeed: boolean
  /** Of the registry. */
  readonly modelId: string
  /** What is chosen was trained elsewhere first. */
  readonly pretrained: boolean
}

export const SEEDS_AT_MOST = 10

export function emptyDraft(datasetId: string, algorithm: AlgorithmInfo): Draft {
  return {
    datasetId,
    method: algorithm.id,
    preset: presetFor(algorithm.presets, { kind: 'new', pretrained: false }).id,
    typed: {},
    model: {
      kind: 'new',
      preset: 'micro',
      tokenizer: 'bpe',
      vocabSize: '1024',
      tied: true,
      runId: '',
      checkpoint: 'last',
      bySeed: false,
      modelId: '',
      pretrained: false,
    },
    split: { seed: '0', validation: '0.1', test: '0.2' },
    annotators: [],
    aggregation: 'mean',
    engine: 'auto',
    threads: '',
    seeds: '1 2 3',
    name: '',
  }
}

/** A field with the part of the request it belongs to in front: `config.beta`. */
export interface DraftField extends FormField {
  /** Text the preset (or the schema) puts there. */
  readonly base: string
}

/** What a preset says about a field, as the form shows it. A union shows its variant. */
function baseText(field: FormField, preset: Config): string {
  const own = getPath(preset, field.path.split('.').slice(1).join('.'))
  const value = own === undefined ? field.default : own
  if (field.kind !== 'union') return formatField(value)
  return typeof value === 'object' && value !== null
    ? String((value as Config)[field.discriminator ?? 'kind'] ?? '')
    : ''
}

/** The method's own fields, then those of every training run. */
export function draftFields(algorithm: AlgorithmInfo, presetId: string): readonly DraftField[] {
  const preset = algorithm.presets.find((one) => one.id === presetId) ?? algorithm.presets[0]
  const parts = [
    ['config', algorithm.configSchema, preset?.config ?? {}],
    ['training', algorithm.trainingSchema, preset?.training ?? {}],
  ] as const
  return parts.flatMap(([part, schema, values]) =>
    fieldsOf(schema, part).map((field) => ({ ...inWordsOf(algorithm.data, field), base: baseText(field, values) })),
  )
}

/** The text of a field as it stands now. */
export function textOf(draft: Draft, field: DraftField): string {
  return draft.typed[field.path] ?? field.base
}

/** Fields that matter for the method's data, the model and the choices made in other fields. */
export function relevantFields(draft: Draft, algorithm: AlgorithmInfo): readonly DraftField[] {
  const fields = draftFields(algorithm, draft.preset)
  const { data, needsReference: reference } = algorithm
  const use = { data, model: modelFor(algorithm, draft.model).kind, reference }
  const texts = new Map(fields.map((field) => [field.path, textOf(draft, field)]))
  const read = algorithm.learns ? fields : fields.filter(({ path }) => !idleWithoutTraining(path))
  return read.filter((field) => matters(field, use, (path) => texts.get(path)))
}

function idleWithoutTraining(path: string): boolean {
  const [part, name = ''] = path.split('.')
  return part === 'training' && !READ_WITHOUT_TRAINING.includes(name)
}

export function isChanged(draft: Draft, field: DraftField): boolean {
  const typed = draft.typed[field.path]
  if (typed !== undefined && typed.trim() !== field.base) return true
  return Object.keys(draft.typed).some((path) => path.startsWith(`${field.path}.`))
}

export function setTyped(draft: Draft, path: string, text: string): Draft {
  return { ...draft, typed: { ...draft.typed, [path]: text } }
}

/** Back to the preset's value, the parts of a union included. */
export function resetField(draft: Draft, path: string): Draft {
  return {
    ...draft,
    typed: Object.fromEntries(
      Object.entries(draft.typed).filter(([key]) => key !== path && !key.startsWith(`${path}.`)),
    ),
  }
}

export interface DraftResult {
  readonly request: RunRequestInput
  /** Path → what is wrong, to be shown beside the field. */
  readonly problems: Readonly<Record<string, string>>
}

/** The value of a union: its variant and the variant's own fields. */
function unionValue(draft: Draft, field: FormField, variant: string, problems: Record<string, string>): Json {
  const chosen = field.variants.find((one) => one.value === variant)
  const value: Config = { [field.discriminator ?? 'kind']: variant }
  for (const inner of chosen?.fields ?? []) {
    const typed = draft.typed[inner.path] ?? formatField(inner.default)
    const key = inner.path.split('.').at(-1) ?? inner.path
    if (typed.trim() === '' && inner.default === undefined) problems[inner.path] = `${inner.title} is missing.`
    const parsed = parseField(inner, typed)
    if (parsed.ok) value[key] = parsed.value
    else problems[inner.path] ??= parsed.problem
  }
  return value
}

/** Reads the whole form. The request is complete enough to send as soon as there are no problems. */
export function readDraft(draft: Draft, algorithm: AlgorithmInfo, judge: FormField): DraftResult {
  const problems: Record<string, string> = {}
  const preset = algorithm.presets.find((one) => one.id === draft.preset) ?? algorithm.presets[0]
  let values: Config = { config: preset?.config ?? {}, training: preset?.training ?? {} }
  for (const field of relevantFields(draft, algorithm)) {
    if (!isChanged(draft, field)) continue
    const typed = textOf(draft, field)
    if (field.kind === 'union') {
      values = setPath(values, field.path, unionValue(draft, field, typed, problems))
      continue
    }
    const parsed = parseField(field, typed)
    if (parsed.ok) values = setPath(values, field.path, parsed.value)
    else problems[field.path] = parsed.problem
  }
  const seeds = parseSeeds(draft.seeds)
  if (seeds === null) problems['seeds'] = 'Write whole numbers: “1 2 3” or “1-3”.'
  else if (seeds.length > SEEDS_AT_MOST)
    problems['seeds'] = `At most ${SEEDS_AT_MOST} seeds at once, not ${seeds.length}.`
  const judged = draft.typed[judge.path] ?? ''
  return {
    problems,
    request: {
      method: draft.method,
      preset: preset?.id ?? null,
      config: values['config'] as Config, // built above
      training: values['training'] as RunRequest['training'], // built above; the host checks it
      model: readModel(modelFor(algorithm, draft.model), problems),
      data: {
        datasetId: draft.datasetId as RunRequest['data']['datasetId'],
        split: readSplit(draft, problems),
        annotators: [...draft.annotators],
        aggregation: draft.aggregation,
      },
      judge:
        judged === '' || !writesSamples(algorithm)
          ? null
          : (unionValue(draft, judge, judged, problems) as RunRequest['judge']), // its own schema's variants
      engine: draft.engine,
      threads:
        draft.threads.trim() === ''
          ? null
          : readNumber(draft.threads, 'threads', problems, {
              title: 'The number of threads',
              min: 1,
              max: 256,
              whole: true,
            }),
      seeds: [...(seeds ?? [1])].slice(0, SEEDS_AT_MOST),
      name: draft.name.trim().slice(0, 80),
    },
  }
}

function readNumber(
  text: string,
  path: string,
  problems: Record<string, string>,
  range: { readonly title: string; readonly min: number; readonly max: number; readonly whole: boolean },
): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || value < range.min || value > range.max || (range.whole && !Number.isInteger(value))) {
    problems[path] =
      `${range.title} must be ${range.whole ? 'a whole number' : 'a number'} from ${range.min} to ${range.max}.`
    return range.min
  }
  return value
}

/** What the method can begin with, of what was chosen: methods of their own networks take nothing else, the others no such. */
export function modelFor(algorithm: AlgorithmInfo, model: ModelDraft): ModelDraft {
  if (algorithm.models.every((use) => use === 'networks')) return { ...model, kind: 'networks' }
  if (model.kind === 'networks' && !algorithm.models.includes('networks')) return { ...model, kind: 'new' }
  return model
}

function readModel(model: ModelDraft, problems: Record<string, string>): ModelSpec {
  if (model.kind === 'run') {
    if (model.runId === '') problems['model.runId'] = 'Choose a finished run to start from.'
    return {
      kind: 'run',
      runId: model.runId as Extract<ModelSpec, { kind: 'run' }>['runId'],
      checkpoint: model.checkpoint,
      bySeed: model.bySeed,
    } // chosen from the list of runs
  }
  if (model.kind === 'registered') {
    if (model.modelId === '') problems['model.modelId'] = 'Choose a model to start from.'
    return { kind: 'registered', modelId: model.modelId as Extract<ModelSpec, { kind: 'registered' }>['modelId'] } // chosen from the list of models
  }
  if (model.kind === 'networks') return { kind: 'networks' }
  const tokenizer =
    model.tokenizer === 'byte'
      ? ({ kind: 'byte' } as const)
      : {
          kind: 'bpe' as const,
          vocabSize: readNumber(model.vocabSize, 'model.tokenizer.vocabSize', problems, {
            title: 'The vocabulary',
            min: 300,
            max: 32_768,
            whole: true,
          }),
        }
  return { kind: 'new', preset: model.preset, tokenizer, tiedEmbeddings: model.tied }
}

function readSplit(draft: Draft, problems: Record<string, string>): RunRequest['data']['split'] {
  const share = { min: 0, max: 0.9, whole: false }
  const split = {
    seed: readNumber(draft.split.seed, 'data.split.seed', problems, {
      title: 'The split seed',
      min: 0,
      max: 2 ** 31,
      whole: true,
    }),
    validation: readNumber(draft.split.validation, 'data.split.validation', problems, {
      ...share,
      title: 'The validation share',
    }),
    test: readNumber(draft.split.test, 'data.split.test', problems, { ...share, title: 'The test share' }),
  }
  if (split.validation + split.test > 0.95) problems['data.split.test'] ??= 'Nothing would be left to train on.'
  return split
}
