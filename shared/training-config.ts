import { z } from 'zod'
import type { EngineName } from './domain.ts'
import { TEXT_LAYOUTS } from './text-layouts.ts'

// Which kinds of data a setting is read for, where that is not all of them; others neither show it nor tell runs apart by it.
const DECODERS = { data: ['response-pairs', 'contrast-groups'] }

/** Beginnings of a run that read tokens. */
const READS_TOKENS = { models: ['new', 'run', 'registered'] }

const TEXTS_AND_LISTS = { data: ['response-pairs', 'rankings', 'contrast-groups'] }

/** Rankers on texts; networks on features have nothing to adapt. */
const TEXT_NETWORKS = { ...TEXTS_AND_LISTS, ...READS_TOKENS }

const COMPLETIONS = { data: ['response-pairs'] }

const NETWORKS_AND_DECODERS = { data: ['response-pairs', 'segment-pairs', 'contrast-groups'] }

/** Only methods whose loss compares with a reference policy. */
const COMPARES = { reference: true }

/** Knobs every method shares. A method's presets override the defaults. */
export const trainingConfig = z.strictObject({
  steps: z.int().min(0).max(1_000_000).default(200).meta({
    title: 'Steps',
    help: 'Optimizer updates; 0 measures what training would begin with, a row to compare with.',
    group: 'main',
  }),
  batchSize: z
    .int()
    .min(1)
    .max(4096)
    .default(16)
    .meta({ title: 'Batch', unit: 'items', help: 'Items per update.', group: 'main' }),
  microBatchSize: z
    .int()
    .min(1)
    .max(4096)
    .default(16)
    .meta({
      title: 'Micro-batch',
      unit: 'items',
      help: 'Items per forward pass; gradients of a batch are summed over its micro-batches.',
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
      help: 'All weights; all but the embeddings and the head; or small low-rank matrices beside the frozen weights (LoRA), whose gradients and moments take far less memory.',
      group: 'main',
      ...TEXT_NETWORKS,
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
      ...TEXT_NETWORKS,
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
      ...TEXT_NETWORKS,
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
      ...TEXT_NETWORKS,
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
    .enum(['float32', 'bfloat16', 'int8', 'int4', 'stored'])
    .default('float32')
    .meta({
      title: 'Frozen weights kept as',
      help: 'In fewer bits, weights that are not trained take less memory, on the engines wasm and cpu, and are rounded: bfloat16 takes a half, int8 a third, int4 a fifth. Stored keeps those of a GGUF or a bfloat16 file as they are there, and changes no bit of them.',
      group: 'expert',
      when: { adapt: ['frozen-embeddings', 'lora'] },
      ...TEXT_NETWORKS,
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
  layout: z
    .enum(['auto', ...TEXT_LAYOUTS])
    .default('auto')
    .meta({
      title: 'Text layout',
      help: 'How prompts and completions become tokens. Automatic: by the chat template of a model that has one, in Pairlab’s own tags for models made here, and as they stand for base models.',
      group: 'expert',
      ...DECODERS,
      ...READS_TOKENS,
    }),
  referenceSyncEvery: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .meta({
      title: 'Re-sync reference every',
      unit: 'steps',
      help: 'After so many steps the reference moves to the policy (TR-DPO); 0 leaves it where training began. Then rewards, KL and accuracies are against the reference as it stands, samples against where training began; log-probs of the reference are computed at every step, one more forward pass, instead of once.',
      group: 'expert',
      asBefore: 0,
      ...COMPARES,
    }),
  referenceMixup: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .meta({
      title: 'Reference mixup',
      symbol: 'α',
      help: 'The reference becomes (1 − α) of itself and α of the policy; 1 is a copy. TRL takes 0.6, every 512 steps.',
      group: 'expert',
      asBefore: 1,
      unless: { referenceSyncEvery: [0] },
      ...COMPARES,
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
      title: 'Items per evaluation',
      unit: 'items',
      help: 'Validation items scored while training, always the same, by which the best checkpoint is chosen; the last evaluation adds all of them.',
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
  bestBy: z
    .string()
    .max(80)
    .regex(/^(auto|eval\/\S+)$/, 'give auto, or the name of a held-out metric, which begins with eval/')
    .default('auto')
    .meta({
      title: 'Best checkpoint by',
      help: 'The metric of the validation side whose best value chooses the checkpoint that is reported. Automatic: the one that fits the method.',
      group: 'expert',
      asBefore: 'auto',
    }),
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

/** Engines that can multiply frozen weights kept in fewer bits, the one to use first. */
export const PACKED_ENGINES = ['wasm', 'cpu'] as const satisfies readonly EngineName[]

/** What a request says of the training. A field left out stays out (zod's `partial` would fill in the default), so that the method's preset can fill it. */
export type TrainingChanges = { readonly [K in keyof TrainingConfig]?: TrainingConfig[K] | undefined }

export const trainingChanges = z.strictObject(
  Object.fromEntries(Object.entries(trainingConfig.shape).map(([name, field]) => [name, field.unwrap().optional()])),
) as unknown as z.ZodType<TrainingChanges, TrainingChanges> // the same keys, each without its default
