import { z } from 'zod'
import type { DataKind } from './data-kinds.ts'
import { datasetId, engineName, modelId, runId, type EngineName } from './domain.ts'

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
  z.strictObject({ kind: z.literal('run'), runId, checkpoint: z.enum(['best', 'last']).default('last') }),
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

// Which kinds of data a setting is read for, where that is not all of them; others neither show it nor tell runs apart by it.
const DECODERS = { data: ['response-pairs', 'contrast-groups'] }
const TEXTS_AND_LISTS = { data: ['response-pairs', 'rankings', 'contrast-groups'] }
const COMPLETIONS = { data: ['response-pairs'] }
const NETWORKS_AND_DECODERS = { data: ['response-pairs', 'segment-pairs', 'contrast-groups'] }
/** Beginnings of a run that read tokens. */
const READS_TOKENS = { models: ['new', 'run', 'registered'] }

/** Knobs every method shares. A method's presets override the defaults. */
export const trainingConfig = z.strictObject({
  steps: z.int().min(1).max(1_000_000).default(200).meta({ title: 'Steps', help: 'Optimizer updates.', group: 'main' }),
  batchSize: z
    .int()
    .min(1)
    .max(4096)
    .default(16)
    .meta({ title: 'Batch', unit: 'pairs', help: 'Pairs per update.', group: 'main' }),
  microBatchSize: z
    .int()
    .min(1)
    .max(4096)
    .default(16)
    .meta({
      title: 'Micro-batch',
      unit: 'pairs',
      help: 'Pairs per forward pass; gradients of a batch are summed over its micro-batches.',
      group: 'expert',
      ...TEXTS_AND_LISTS,
    }),
  learningRate: z
    .number()
    .positive()
    .max(10)
    .default(1e-3)
    .meta({ title: 'Learning rate', symbol: 'η', help: 'Size of one AdamW step at its peak.', group: 'main' }),
  warmupFraction: z.number().min(0).max(1).default(0.1).meta({
    title: 'Warm-up',
    unit: 'of steps',
    help: 'The learning rate rises in a line over this share of the steps.',
    group: 'main',
  }),
  schedule: z
    .enum(['cosine', 'linear', 'constant'])
    .default('cosine')
    .meta({ title: 'Schedule', help: 'How the learning rate falls after the warm-up.', group: 'expert' }),
  minLearningRateRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .meta({ title: 'Final learning rate', unit: 'of the peak', help: 'Where the schedule ends.', group: 'expert' }),
  beta1: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9)
    .meta({ title: 'Adam β₁', help: 'Memory of the gradient mean.', group: 'expert' }),
  beta2: z
    .number()
    .min(0)
    .lt(1)
    .default(0.999)
    .meta({ title: 'Adam β₂', help: 'Memory of the gradient square.', group: 'expert' }),
  epsilon: z
    .number()
    .positive()
    .default(1e-8)
    .meta({ title: 'Adam ε', help: 'Added to the root of the second moment.', group: 'expert' }),
  weightDecay: z.number().min(0).default(0).meta({
    title: 'Weight decay',
    help: 'Decoupled decay of matrices; norms and biases are left out.',
    group: 'expert',
  }),
  clipNorm: z
    .number()
    .min(0)
    .default(1)
    .meta({ title: 'Gradient clipping', help: 'Largest global gradient norm; 0 turns clipping off.', group: 'expert' }),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .meta({
      title: 'Dropout',
      help: 'Share of activations dropped in training. Off for reference log-probs and evaluation.',
      group: 'expert',
      ...NETWORKS_AND_DECODERS,
    }),
  adapt: z
    .enum(['full', 'frozen-embeddings', 'lora'])
    .default('full')
    .meta({
      title: 'What is trained',
      help: 'All weights; all but the embeddings and the head; or small low-rank matrices beside the frozen weights (LoRA), which take far less memory.',
      group: 'main',
      ...DECODERS,
    }),
  loraRank: z
    .int()
    .min(1)
    .max(1024)
    .default(16)
    .meta({
      title: 'LoRA rank',
      symbol: 'r',
      help: 'Width of the low-rank matrices.',
      group: 'main',
      when: { adapt: ['lora'] },
      ...DECODERS,
    }),
  loraAlpha: z
    .number()
    .positive()
    .default(32)
    .meta({
      title: 'LoRA alpha',
      symbol: 'α',
      help: 'The update is scaled by α / rank.',
      group: 'main',
      when: { adapt: ['lora'] },
      ...DECODERS,
    }),
  loraDropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .meta({
      title: 'LoRA dropout',
      help: "Share of the low-rank path's input dropped in training.",
      group: 'expert',
      when: { adapt: ['lora'] },
      ...DECODERS,
    }),
  loraTargets: z
    .enum(['attention', 'mlp', 'all-linear'])
    .default('all-linear')
    .meta({
      title: 'LoRA targets',
      help: 'Which linear layers get low-rank matrices.',
      group: 'main',
      when: { adapt: ['lora'] },
      ...DECODERS,
    }),
  gradientCheckpointing: z
    .boolean()
    .default(false)
    .meta({
      title: 'Gradient checkpointing',
      help: 'Keeps only what goes into each layer and computes the rest again in the backward pass: less memory, about a third more time.',
      group: 'expert',
      ...TEXTS_AND_LISTS,
      ...READS_TOKENS,
    }),
  frozenStorage: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .meta({
      title: 'Frozen weights kept as',
      help: 'bfloat16 halves the memory of weights that are not trained, on the engines wasm and cpu, and rounds them to eight significant bits. Nothing is lost where the model is stored as bfloat16.',
      group: 'expert',
      when: { adapt: ['frozen-embeddings', 'lora'] },
      ...DECODERS,
    }),
  maxLength: z
    .int()
    .min(8)
    .max(8192)
    .default(192)
    .meta({
      title: 'Longest sequence',
      unit: 'tokens',
      help: 'Prompts are cut at their start, completions at their end, and the share cut is reported.',
      group: 'main',
      ...TEXTS_AND_LISTS,
      ...READS_TOKENS,
    }),
  evalEvery: z.int().min(0).default(50).meta({
    title: 'Evaluate every',
    unit: 'steps',
    help: 'Held-out metrics; 0 evaluates only at the end.',
    group: 'main',
  }),
  evalPairs: z
    .int()
    .min(1)
    .default(128)
    .meta({
      title: 'Pairs per evaluation',
      help: 'Held-out pairs scored while training; the last evaluation uses all of them.',
      group: 'expert',
      ...TEXTS_AND_LISTS,
    }),
  checkpointEvery: z.int().min(0).default(50).meta({
    title: 'Checkpoint every',
    unit: 'steps',
    help: 'Weights, optimizer, random state and position, so that a run resumes exactly; 0 saves only at the end.',
    group: 'main',
  }),
  keepCheckpoints: z
    .int()
    .min(1)
    .default(2)
    .meta({ title: 'Checkpoints kept', help: 'The last ones; the best is kept besides.', group: 'expert' }),
  samplePrompts: z
    .int()
    .min(0)
    .max(512)
    .default(4)
    .meta({
      title: 'Sample prompts',
      help: 'Held-out prompts completed at each evaluation, always the same ones.',
      group: 'main',
      ...TEXTS_AND_LISTS,
    }),
  sampleTokens: z
    .int()
    .min(1)
    .max(2048)
    .default(48)
    .meta({
      title: 'Sample length',
      unit: 'tokens',
      help: 'Longest completion that is generated.',
      group: 'expert',
      ...COMPLETIONS,
    }),
  sampleTemperature: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .meta({ title: 'Sampling temperature', help: '0 is greedy.', group: 'expert', ...COMPLETIONS }),
})
export type TrainingConfig = z.infer<typeof trainingConfig>

/** Policies that write completions are shown with samples, which a judge may score. */
export function writesSamples(method: { readonly data: DataKind; readonly role: string }): boolean {
  return method.data === 'response-pairs' && method.role === 'policy'
}

/** Engines that can multiply frozen weights kept as bfloat16, the one to use first. */
export const BFLOAT16_ENGINES = ['wasm', 'cpu'] as const satisfies readonly EngineName[]

/** What a request says of the training. A field left out stays out (zod's `partial` would fill in the default), so that the method's preset can fill it. */
export type TrainingChanges = { readonly [K in keyof TrainingConfig]?: TrainingConfig[K] | undefined }
export const trainingChanges = z.strictObject(
  Object.fromEntries(Object.entries(trainingConfig.shape).map(([name, field]) => [name, field.unwrap().optional()])),
) as unknown as z.ZodType<TrainingChanges, TrainingChanges> // the same keys, each without its default

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
      checkpoint: z.enum(['best', 'last']),
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
