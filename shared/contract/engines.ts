import { z } from 'zod'
import { engineName, jobId } from '../domain.ts'
import { wireError } from '../errors.ts'
import { call, ownDoorCall } from './define.ts'

export const engineSpeed = z.strictObject({
  /** Tokens of a training step of a small decoder, forward, backward and update, a second. */
  trainingTokensPerSec: z.number(),
  /** Tokens drawn for eight rows at once, a second. */
  samplingTokensPerSec: z.number(),
  /** Floating-point operations of a product of two square float32 matrices, a second. */
  productFlopsPerSec: z.number(),
  /** Bytes that a sum of two long float32 vectors reads and writes, a second. */
  memoryBytesPerSec: z.number(),
})
export type EngineSpeed = z.infer<typeof engineSpeed>

/** A graphics card, as the engine that runs on it sees it. */
export const engineCard = z.strictObject({
  name: z.string(),
  /** '' where it is not told. */
  driver: z.string(),
  /** Whether its shaders know 16-bit floats, and whether lanes can speak to each other. */
  halfPrecision: z.boolean(),
  subgroups: z.boolean(),
  /** Of one buffer, as one kernel sees it. */
  largestBufferBytes: z.number(),
})
export type EngineCard = z.infer<typeof engineCard>

/** What the system tells of a graphics card now; null for what it does not tell. */
export const cardReading = z.strictObject({
  name: z.string(),
  driver: z.string(),
  /** Share of the time in which it had work. */
  use: z.number().nullable(),
  memoryUsedBytes: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  /** °C */
  temperature: z.number().nullable(),
  watts: z.number().nullable(),
})
export type CardReading = z.infer<typeof cardReading>

/** `emulated`: a graphics card played by the processor, right and slow. `not-tested`: nobody has tried it on this machine yet. */
export const engineState = z.enum(['ready', 'emulated', 'not-here', 'not-tested'])
export type EngineState = z.infer<typeof engineState>

export const engineInfo = z.strictObject({
  name: engineName,
  title: z.string(),
  /** What it is, in a sentence. */
  note: z.string(),
  state: engineState,
  /** '' where it is not known. */
  device: z.string(),
  threads: z.int().nullable(),
  peakBytes: z.number().nullable(),
  /** Why it is not here, and what to do. */
  error: wireError.nullable(),
  /** Of an engine that runs on a card, once it was tested. */
  card: engineCard.nullable(),
  speed: engineSpeed.nullable(),
  testedAtMs: z.number().nullable(),
  measuredAtMs: z.number().nullable(),
  /** What `engine add` brought, in words; null for what is part of the app or was not added. */
  added: z.strictObject({ version: z.string(), source: z.string(), builtAtMs: z.number() }).nullable(),
  /** The command that adds it; null where there is nothing to add. */
  addCommand: z.string().nullable(),
})
export type EngineInfo = z.infer<typeof engineInfo>

/** What `auto` takes for a kind of work, and why. */
export const engineChoice = z.strictObject({ name: engineName, why: z.string() })
export type EngineChoice = z.infer<typeof engineChoice>

export const engineJob = z.strictObject({
  jobId,
  kind: z.enum(['test', 'add']),
  state: z.enum(['running', 'finished', 'failed', 'cancelled']),
  /** The engine in hand; null between two, and at the end. */
  engine: engineName.nullable(),
  /** Engines that are done, of how many. */
  done: z.int(),
  total: z.int(),
  /** How long the one in hand is measured; 0 where it is only tested or added. */
  seconds: z.number(),
  startedAtMs: z.number(),
  /** When the one in hand was begun. */
  stepStartedAtMs: z.number(),
  /** What was said so far, oldest first. */
  lines: z.array(z.string()),
  error: wireError.nullable(),
})
export type EngineJob = z.infer<typeof engineJob>

export const engineOverview = z.strictObject({
  engines: z.array(engineInfo),
  chosen: z.strictObject({ training: engineChoice, sampling: engineChoice }),
  /** The graphics adapter that webgpu takes, by a part of its name; null: the fastest that is found. */
  adapter: z.string().nullable(),
  /** The last test or addition; null when there was none since the app was opened. */
  job: engineJob.nullable(),
})
export type EngineOverview = z.infer<typeof engineOverview>

/** In the engines' folder: read by the engine itself, wherever it is opened. */
export const ADAPTER_FILE = 'webgpu.json'
export const adapterFile = z.strictObject({ adapter: z.string().min(1) })

export const engineCalls = {
  'engines.list': call(z.strictObject({}), engineOverview),
  /** Every graphics card that the system tells of, as it is now: NVIDIA's nvidia-smi, and Linux's own files of the others. */
  'engines.cards': call(z.strictObject({}), z.array(cardReading)),
  /** Tests one engine or all, each in a process of its own, and measures it. Engines named `cpu` are tested alone: it is the reference, and slow. */
  'engines.test': call(
    z.strictObject({ engine: engineName.nullable().default(null), seconds: z.number().min(0).max(120).default(10) }),
    z.strictObject({ jobId }),
  ),
  /**
   * Brings TensorFlow onto this machine: what npm downloaded, or an installed Python's.
   * @field fetch the person said yes to pip asking its package index where neither is here  @field cuda then the build for NVIDIA cards
   */
  'engines.add': call(
    z.strictObject({
      engine: z.literal('tensorflow'),
      fetch: z.boolean().default(false),
      cuda: z.boolean().default(false),
    }),
    z.strictObject({ jobId }),
  ),
  /** The same from files or folders of wheels, whose libraries are run. */
  'engines.addWheels': ownDoorCall(
    z.strictObject({ engine: z.literal('tensorflow'), wheels: z.array(z.string().min(1)).min(1).max(50) }),
    z.strictObject({ jobId }),
    'In a terminal run: pairlab engine add tensorflow --wheel <file or folder>',
  ),
  'engines.remove': call(z.strictObject({ engine: z.literal('tensorflow') }), z.strictObject({ removed: z.boolean() })),
  /** What was measured of the one before is forgotten. */
  'engines.setAdapter': call(z.strictObject({ adapter: z.string().trim().min(1).max(200).nullable() }), z.null()),
  'engines.cancel': call(z.strictObject({ jobId }), z.null()),
} as const
