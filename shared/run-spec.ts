import { z } from 'zod'
import type { DataKind } from './data-kinds.ts'
import { checkpointChoice, datasetId, engineName, modelId, runId } from './domain.ts'
import { trainingChanges, trainingConfig } from './training-config.ts'
import { TEXT_LAYOUTS } from './text-layouts.ts'

/** Decoder sizes, by name. Parameter counts are for a 2,048-token vocabulary with tied embeddings. */
export const MODEL_PRESETS = {
  nano: { layers: 2, hidden: 64, heads: 4, kvHeads: 4, feedForward: 176 },
  micro: { layers: 2, hidden: 128, heads: 4, kvHeads: 4, feedForward: 344 },
  mini: { layers: 4, hidden: 192, heads: 6, kvHeads: 6, feedForward: 512 },
  small: { layers: 6, hidden: 384, heads: 6, kvHeads: 6, feedForward: 1024 },
  medium: { layers: 8, hidden: 512, heads: 8, kvHeads: 8, feedForward: 1376 },
  large: { layers: 12, hidden: 576, heads: 9, kvHeads: 9, feedForward: 1536 },
} as const satisfies Record<
  string,
  { layers: number; hidden: number; heads: number; kvHeads: number; feedForward: number }
>
export type ModelPreset = keyof typeof MODEL_PRESETS
const presetNames = Object.keys(MODEL_PRESETS) as [ModelPreset, ...ModelPreset[]] // keys of a const object

export const tokenizerSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bpe'), vocabSize: z.int().min(300).max(32_768).default(1024) }),
  z.strictObject({ kind: z.literal('byte') }),
])
export type TokenizerSpec = z.infer<typeof tokenizerSpec>

export const modelSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('new'),
    preset: z.enum(presetNames).default('micro'),
    tokenizer: tokenizerSpec.default({ kind: 'bpe', vocabSize: 1024 }),
    tiedEmbeddings: z.boolean().default(true),
  }),
  /** Start from a run's weights; they are also the reference policy. */
  z.strictObject({
    kind: z.literal('run'),
    runId,
    checkpoint: checkpointChoice.default('last'),
    /** Each seed from the finished run of its own seed among those that differ from `runId` in nothing else. */
    bySeed: z.boolean().default(false),
  }),
  /** Start from a model that was added to the registry; its weights are also the reference policy. */
  z.strictObject({ kind: z.literal('registered'), modelId }),
  /** Small networks that the method makes for its data, sized by its own settings. */
  z.strictObject({ kind: z.literal('networks') }),
])
export type ModelSpec = z.infer<typeof modelSpec>

/** Where a completion's number comes from. */
export const rewardSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('label') }).meta({
    title: 'The labels',
    help: '+½·strength for the preferred completion, −½·strength for the other, scaled by how far the annotators agree.',
  }),
  z
    .strictObject({ kind: z.literal('column') })
    .meta({ title: 'A number in the file', help: 'The reward columns chosen at import.' }),
  z
    .strictObject({ kind: z.literal('reward-model'), runId })
    .meta({ title: 'A reward model trained here', help: 'A finished run of the method “reward model”.' }),
  z
    .strictObject({ kind: z.literal('length'), target: z.number().positive().default(200) })
    .meta({ title: 'Length', help: 'Minus the distance from a target length in characters, divided by the target.' }),
  z
    .strictObject({ kind: z.literal('keyword'), words: z.array(z.string().min(1)).min(1) })
    .meta({ title: 'Keywords', help: 'The share of the words that occur in the completion.' }),
  z
    .strictObject({ kind: z.literal('regex'), pattern: z.string().min(1) })
    .meta({ title: 'Regular expression', help: '1 where it matches, else 0.' }),
])
export type RewardSource = z.infer<typeof rewardSource>

/** Policies that write completions are shown with samples, which a judge may score. */
export function writesSamples(method: { readonly data: DataKind; readonly role: string }): boolean {
  return method.data === 'response-pairs' && method.role === 'policy'
}

export const splitSpec = z.strictObject({
  seed: z.int().nonnegative().default(0).meta({ title: 'Split seed' }),
  validation: z.number().min(0).max(0.9).default(0.1).meta({ title: 'Validation share' }),
  test: z.number().min(0).max(0.9).default(0.2).meta({ title: 'Test share' }),
})
export type SplitSpec = z.infer<typeof splitSpec>

export const dataSpec = z.strictObject({
  datasetId,
  split: splitSpec.default({ seed: 0, validation: 0.1, test: 0.2 }),
  /** Whose labels count; empty means everybody's. */
  annotators: z.array(z.string()).default([]),
  /** How several labels of one pair become one preference. */
  aggregation: z.enum(['mean', 'majority']).default('mean'),
})
export type DataSpec = z.infer<typeof dataSpec>

/** What a person asks for: one configuration, to be run once per seed. */
export const runRequest = z.strictObject({
  method: z.string().min(1),
  /** What fills in the settings of training that are left out; null: the method's first. */
  preset: z.string().nullable().default(null),
  config: z.record(z.string(), z.json()).default({}),
  training: trainingChanges.default({}),
  model: modelSpec,
  data: dataSpec,
  /** Scores generated samples; none: samples are shown without a number. */
  judge: rewardSource.nullable().default(null),
  engine: z.enum(['auto', ...engineName.options]).default('auto'),
  /** Threads of the processor's engines; null lets the engine choose. */
  threads: z.int().min(1).max(256).nullable().default(null),
  seeds: z.array(z.int().nonnegative()).min(1).max(10).default([1]),
  name: z.string().max(80).default(''),
})
export type RunRequest = z.infer<typeof runRequest>
export type RunRequestInput = z.input<typeof runRequest>

/** What a trainer gets: everything filled in, nothing to look up. Written once to `spec.json`, never changed. */
export const runSpec = z.strictObject({
  formatVersion: z.literal(1),
  runId,
  name: z.string(),
  appVersion: z.string(),
  createdAtMs: z.number(),
  method: z.string(),
  config: z.record(z.string(), z.json()),
  training: trainingConfig,
  /** How prompts and completions become tokens, chosen by what the model has unless the training asks for one. Runs from before have Pairlab's own. */
  layout: z.enum(TEXT_LAYOUTS).default('tags'),
  /** Its first weights, or those of the run that it goes on from, were trained elsewhere. */
  pretrained: z.boolean().default(false),
  /** sha256 of method, config, training, model, data and judge without the seed: runs that share it are one group. */
  groupHash: z.string(),
  seed: z.int().nonnegative(),
  /** The first to be tried. */
  engine: engineName,
  /** How it came to be chosen. A run whose engine was named has no other and fails where it cannot be opened. */
  engineChoice: z
    .strictObject({
      automatic: z.boolean(),
      /** In words, for the person. */
      why: z.string(),
      /** Tried in this order where the first cannot be opened; the run says so. */
      others: z.array(engineName),
    })
    .default({ automatic: false, why: 'it was named in the request', others: [] }),
  threads: z.int().min(1).max(256).nullable().default(null),
  data: z.strictObject({
    datasetId,
    datasetName: z.string(),
    /** Of the records. */
    fingerprint: z.string(),
    split: splitSpec,
    annotators: z.array(z.string()),
    aggregation: z.enum(['mean', 'majority']),
    /** sha256 of the view file's bytes: records, labels and split together. */
    viewHash: z.string(),
    /** Absolute path of the JSONL of PreferenceRow. */
    viewPath: z.string(),
    labelCount: z.int().nonnegative(),
    /** Of the validation items, those that were cut from the training side, since the data set has none to validate on. */
    cutCount: z.int().default(0),
    counts: z.strictObject({ train: z.int(), validation: z.int(), test: z.int() }),
  }),
  model: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('new'),
      preset: z.enum(presetNames),
      tokenizer: tokenizerSpec,
      tiedEmbeddings: z.boolean(),
    }),
    z.strictObject({
      kind: z.literal('run'),
      runId,
      checkpoint: checkpointChoice,
      bySeed: z.boolean().optional(),
      /** What that was when this run was made; specifications from before do not say it. */
      step: z.int().optional(),
      seed: z.int().optional(),
      /** Absolute folder of the checkpoint. */ path: z.string(),
      hash: z.string(),
    }),
    z.strictObject({
      kind: z.literal('registered'),
      modelId,
      name: z.string(),
      /** Absolute folder in Hugging Face layout. */ path: z.string(),
      hash: z.string(),
    }),
    z.strictObject({ kind: z.literal('networks') }),
  ]),
  judge: z
    .strictObject({ source: rewardSource, /** Checkpoint folder, for a reward model. */ path: z.string().nullable() })
    .nullable(),
  /** Checkpoint folder of the reward model that the method's own config names, if it does. */
  rewardModelPath: z.string().nullable(),
  /** Folder shared by runs for things computed once by content: reference log-probs, tokenizers. */
  cacheFolder: z.string(),
  /** Where engines that were added are kept; null for runs made before there were any. */
  enginesFolder: z.string().nullable().default(null),
})
export type RunSpec = z.infer<typeof runSpec>
