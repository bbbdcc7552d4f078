import { z } from 'zod'
import { jobId, modelId, runId, runState } from '../domain.ts'
import { call, clientKey } from './define.ts'

/** A decoder writes text; an encoder turns text into a vector. */
export const modelKind = z.enum(['decoder', 'encoder'])
export type ModelKind = z.infer<typeof modelKind>
/** Link: the files stay where they are. Copy: they lie in the data folder's `models/`. */
export const modelPlace = z.enum(['link', 'copy'])
export type ModelPlace = z.infer<typeof modelPlace>
export const modelState = z.enum(['ready', 'missing', 'changed'])
export type ModelState = z.infer<typeof modelState>

/** What is read from a model's folder when it is added, and kept. */
export const modelFacts = z.strictObject({
  kind: modelKind,
  /** `model_type` of config.json, as far as this version knows it. */
  family: z.string(),
  parameterCount: z.number(),
  /** The type most of the weights are stored in, as safetensors calls it: F32, BF16 … */
  dtype: z.string(),
  /** Of the weights as stored. */
  sizeBytes: z.number(),
  vocabSize: z.int(),
  /** Tokens; null where the model names no limit. */
  contextLength: z.int().nullable(),
  hasTokenizer: z.boolean(),
  hasChatTemplate: z.boolean(),
  /** Tensors in the files that no part of the model reads. */
  unused: z.array(z.string()),
  licence: z.strictObject({ name: z.string(), text: z.string() }).nullable(),
})
export type ModelFacts = z.infer<typeof modelFacts>

const advice = z.strictObject({ message: z.string(), hint: z.string() })

export const modelSummary = modelFacts.omit({ licence: true, unused: true }).extend({
  modelId,
  name: z.string(),
  place: modelPlace,
  /** Absolute folder of the files. */
  path: z.string(),
  /** Where it was added from. */
  source: z.string(),
  /** The run whose checkpoint it is. */
  originRunId: runId.nullable(),
  /** sha256 over the names and bytes of configuration, tokenizer and weights. */
  hash: z.string(),
  licenceName: z.string().nullable(),
  unusedCount: z.int(),
  addedAtMs: z.number(),
  state: modelState,
  /** What is wrong and what to do; null while it is ready. */
  trouble: advice.nullable(),
})
export type ModelSummary = z.infer<typeof modelSummary>

export const storedTensor = z.strictObject({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(z.int()),
  file: z.string(),
  sizeBytes: z.number(),
  unused: z.boolean(),
})

export const modelDetail = modelSummary.extend({
  licence: modelFacts.shape.licence,
  unused: z.array(z.string()),
  /** Empty while the files cannot be read. */
  tensors: z.array(storedTensor),
  config: z.record(z.string(), z.json()),
  tokenizer: z.strictObject({ type: z.string(), tokens: z.int(), special: z.array(z.string()) }).nullable(),
  chatTemplate: z.string().nullable(),
  verifiedAtMs: z.number().nullable(),
  /** Runs that started from it, newest first. */
  runs: z.array(
    z.strictObject({
      runId,
      name: z.string(),
      methodName: z.string(),
      seed: z.int(),
      state: runState,
      groupHash: z.string(),
    }),
  ),
})
export type ModelDetail = z.infer<typeof modelDetail>

/** A folder, or a file, before it is added. */
export const modelInspection = z.strictObject({
  path: z.string(),
  /** A free name made from the folder's. */
  name: z.string(),
  /** Null when the folder cannot be added, and a problem says why; or of an archive, which is looked into when it is unpacked. */
  facts: modelFacts.nullable(),
  /** Of an archive: the model's file in it. */
  inside: z.string().nullable(),
  problems: z.array(advice),
  /** Worth knowing, and no hindrance. */
  notes: z.array(z.string()),
  /** What a copy would take, and what is free where it would lie. */
  copyBytes: z.number(),
  freeBytes: z.number(),
})
export type ModelInspection = z.infer<typeof modelInspection>

export const modelJob = z.strictObject({
  jobId,
  state: z.enum(['running', 'finished', 'failed', 'cancelled']),
  name: z.string(),
  phase: z.enum(['copying', 'hashing']),
  bytesDone: z.number(),
  totalBytes: z.number(),
  startedAtMs: z.number(),
  /** Estimated; null before there is a rate. */
  remainingMs: z.number().nullable(),
  modelId: modelId.nullable(),
  error: advice.nullable(),
})
export type ModelJob = z.infer<typeof modelJob>

/**
 * On this machine a folder, a GGUF file, or an archive with one, which is unpacked into a copy; or a checkpoint of a run,
 * which is always copied.
 */
export const modelSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder'), path: z.string().min(1), place: modelPlace.default('link') }),
  z.strictObject({ kind: z.literal('run'), runId, checkpoint: z.enum(['best', 'last']).default('last') }),
])
export type ModelSource = z.infer<typeof modelSource>

const one = z.strictObject({ modelId })
const modelName = z.string().trim().min(1).max(80)

export const modelCalls = {
  /** Newest first, each with a quick look at its files: are they there, with the size and time they had. */
  'models.list': call(z.strictObject({}), z.array(modelSummary)),
  'models.get': call(one, modelDetail),
  'models.inspect': call(z.strictObject({ path: z.string().min(1) }), modelInspection),
  'models.add': call(
    z.strictObject({ source: modelSource, name: z.string().trim().max(80).default(''), clientKey }),
    z.strictObject({ jobId }),
  ),
  'models.addJob': call(z.strictObject({ jobId }), modelJob),
  'models.addJobs': call(z.strictObject({}), z.array(modelJob)),
  'models.cancelAdd': call(z.strictObject({ jobId }), z.null()),
  /** Reads every byte and compares with the hash from when it was added. */
  'models.verify': call(one, z.strictObject({ ok: z.boolean(), expected: z.string(), found: z.string() })),
  'models.rename': call(z.strictObject({ modelId, name: modelName }), z.null()),
  /** Forgets a link; moves a copy to the data folder's `trash/`. */
  'models.delete': call(one, z.null()),
} as const
