import { z } from 'zod'
import { checkpointChoice, datasetId, engineName, modelId, runId, runState } from '../domain.ts'
import { wireError } from '../errors.ts'
import { call } from './define.ts'

/** What writes: a run's checkpoint, a model that was added, or a folder of either kind that was not. */
export const generationSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('run'), runId, checkpoint: checkpointChoice.default('last') }),
  z.strictObject({ kind: z.literal('model'), modelId }),
  z.strictObject({ kind: z.literal('folder'), path: z.string().min(1) }),
])
export type GenerationSource = z.infer<typeof generationSource>

const text = z.string().max(1_000_000)
export const chatMessage = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: text })
export type ChatMessage = z.infer<typeof chatMessage>

/** Turns that an assistant's turn follows, or text as it stands. */
export const generationPrompt = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('chat'), messages: z.array(chatMessage).min(1).max(1000) }),
  z.strictObject({ kind: z.literal('text'), text }),
])
export type GenerationPrompt = z.infer<typeof generationPrompt>

/** Applied in the order of the transformers library: repetition penalty, temperature, top-k, top-p, min-p. */
export const samplingSettings = z.strictObject({
  temperature: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .meta({ title: 'Temperature', help: 'Divides the logits; 0 is greedy.' }),
  topK: z.int().min(0).max(1_000_000).default(0).meta({ title: 'Top-k', help: 'Only the k likeliest; 0: all.' }),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .meta({ title: 'Top-p', help: 'The likeliest that hold this probability; 1: all.' }),
  minP: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .meta({ title: 'Min-p', help: 'At least this share of the likeliest; 0: all.' }),
  repetitionPenalty: z
    .number()
    .gt(0)
    .max(100)
    .default(1)
    .meta({ title: 'Repetition penalty', help: 'Against tokens already there; 1: none.' }),
  maxTokens: z
    .int()
    .min(1)
    .max(32_768)
    .default(256)
    .meta({ title: 'Max tokens', help: 'The longest a completion gets.' }),
  stopStrings: z
    .array(z.string().min(1).max(1000))
    .max(16)
    .default([])
    .meta({ title: 'Stop strings', help: 'Texts that end a completion and are cut from it.' }),
})
export type SamplingSettings = z.infer<typeof samplingSettings>

export const generationRequest = z.strictObject({
  source: generationSource,
  prompt: generationPrompt,
  /** Write turns with the model's own chat template, where it has one. */
  template: z.boolean().default(true),
  settings: samplingSettings.prefault({}),
  /** Of the first completion; the next takes the next number. Null: one is drawn, and told. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .nullable()
    .default(null),
  count: z.int().min(1).max(64).default(1),
  /** Also tell this many of the model's likeliest tokens at each place. */
  alternatives: z.int().min(0).max(10).default(0),
  /** `auto`: the fastest at sampling that passed its test here. */
  engine: z.enum(['auto', ...engineName.options]).default('auto'),
})
export type GenerationRequest = z.infer<typeof generationRequest>

export const generatedToken = z.strictObject({
  id: z.int(),
  /** The token alone, special ones by their name; '�' for a part of a character. */
  piece: z.string(),
  /** What it adds to the text: '' while a character or a stop string is incomplete, and for special tokens. */
  text: z.string(),
  /** Under the model itself, before penalty, temperature and cuts. */
  logProb: z.number(),
  /** Under the distribution it was drawn from; 0 when greedy, which has no choice. */
  drawnLogProb: z.number(),
  alternatives: z.array(z.strictObject({ id: z.int(), piece: z.string(), logProb: z.number() })),
})
export type GeneratedToken = z.infer<typeof generatedToken>

/** `end`: the model ended its turn; `stop`: a stop string; `length`: max tokens; `context`: no place left in the model. */
export const finishReason = z.enum(['end', 'stop', 'length', 'context', 'cancelled'])
export type FinishReason = z.infer<typeof finishReason>

/** How the prompt was written: the model's template, tags as in training here, or as it stands. */
export const promptLayout = z.enum(['template', 'tags', 'plain'])
export type PromptLayout = z.infer<typeof promptLayout>

export const generatedCompletion = z.strictObject({
  seed: z.int(),
  text: z.string(),
  /** Every token drawn, also the end token and those whose text a stop string cut off. */
  tokens: z.array(generatedToken),
  /** Null while it grows. */
  reason: finishReason.nullable(),
  stopString: z.string().nullable(),
})
export type GeneratedCompletion = z.infer<typeof generatedCompletion>

export const generationId = z.string().min(1).brand<'GenerationId'>()
export type GenerationId = z.infer<typeof generationId>

const progress = {
  /** `waiting`: for another generation to end; `loading`: the model is read. */
  state: z.enum(['waiting', 'loading', 'writing', 'done', 'failed']),
  engine: engineName,
  /** Why this engine, in words. */
  engineWhy: z.string(),
  /** '' before the engine is open. */
  device: z.string(),
  layout: promptLayout.nullable(),
  promptTokens: z.int().nullable(),
  /** Over all completions, from the first token on; null before there is a rate. */
  tokensPerSec: z.number().nullable(),
}

export const generation = z.strictObject({
  generationId,
  /** Of the source, for people: "dpo-3 · step 200". */
  title: z.string(),
  request: generationRequest,
  ...progress,
  completions: z.array(generatedCompletion),
  error: wireError.nullable(),
})
export type Generation = z.infer<typeof generation>

export const playgroundModel = z.strictObject({
  modelId,
  name: z.string(),
  family: z.string(),
  parameterCount: z.number(),
  hasChatTemplate: z.boolean(),
  /** Why it cannot write now; null when it can. */ problem: z.string().nullable(),
})
export const playgroundRun = z.strictObject({
  runId,
  name: z.string(),
  methodName: z.string(),
  datasetName: z.string(),
  seed: z.int(),
  state: runState,
  groupHash: z.string(),
  lastStep: z.int(),
  /** Null where no checkpoint was judged best. */ bestStep: z.int().nullable(),
})
export const playgroundSources = z.strictObject({
  models: z.array(playgroundModel),
  /** Policies with a checkpoint, newest first. */
  runs: z.array(playgroundRun),
  /** What `auto` takes here. */
  engine: z.strictObject({ name: engineName, why: z.string() }),
})
export type PlaygroundSources = z.infer<typeof playgroundSources>

const one = z.strictObject({ generationId })

export const playgroundCalls = {
  'playground.sources': call(z.strictObject({}), playgroundSources),
  /** Returns at once; what is written comes as events, and playground.get tells all of it at any time. */
  'playground.generate': call(generationRequest, one),
  /** Takes effect within one token. Of a generation that has ended: nothing happens. */
  'playground.cancel': call(one, z.null()),
  /** The last few generations are kept while the app is open. */
  'playground.get': call(one, generation),
  /**
   * Puts what was written where people judge it: the first completions of two generations as a pair, of one as a single
   * answer. `into`: a data set that an earlier call made, or the name of a new one. Sent again, nothing is added.
   */
  'playground.keep': call(
    z.strictObject({
      left: generationId,
      right: generationId.nullable(),
      into: z.union([z.strictObject({ datasetId }), z.strictObject({ name: z.string().trim().min(1).max(110) })]),
    }),
    z.strictObject({ datasetId, index: z.int(), added: z.boolean() }),
  ),
} as const

export const playgroundEvents = {
  'playground.state': z.strictObject({ generationId, ...progress }),
  /** New tokens of one completion; at most twenty messages a second for each generation. `from`: how many were told before. */
  'playground.text': z.strictObject({
    generationId,
    row: z.int(),
    from: z.int(),
    tokens: z.array(generatedToken),
    tokensPerSec: z.number().nullable(),
  }),
  'playground.done': z.strictObject({
    generationId,
    state: z.enum(['done', 'failed']),
    tokensPerSec: z.number().nullable(),
    completions: z.array(generatedCompletion.omit({ tokens: true }).extend({ tokenCount: z.int() })),
    error: wireError.nullable(),
  }),
} as const
