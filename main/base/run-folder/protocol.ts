import { z } from 'zod'
import { sampleItem } from '../../../shared/contract/runs.ts'
import { engineName } from '../../../shared/domain.ts'
import { wireError } from '../../../shared/errors.ts'
import { metricColumns } from '../../../shared/metric-columns.ts'

/**
 * The app and a training process talk through three files in the run's folder: `spec.json` (RunSpec, written once by
 * the app), `events.jsonl` (appended by the trainer alone) and `control.json` (replaced by the app alone). The event
 * log is the truth of a run; the database is an index of it.
 */
export const PROTOCOL_VERSION = 1

const stamped = { seq: z.int().nonnegative(), atMs: z.number() }

export const trainerEvent = z.discriminatedUnion('type', [
  z.strictObject({
    ...stamped,
    type: z.literal('ready'),
    protocolVersion: z.literal(PROTOCOL_VERSION),
    engine: engineName,
    device: z.string(),
    pid: z.int(),
    startedAtMs: z.number(),
    resumedFromStep: z.int().nullable(),
  }),
  z.strictObject({
    ...stamped,
    type: z.literal('phase'),
    phase: z.enum(['loading', 'tokenizer', 'reference', 'rewards', 'training', 'evaluating', 'saving']),
    done: z.int().nullable(),
    total: z.int().nullable(),
  }),
  /** Facts about the run known once: parameter count, tokens cut, vocabulary, zero-signal share … */
  z.strictObject({
    ...stamped,
    type: z.literal('fact'),
    facts: z.record(z.string(), z.union([z.number().nullable(), z.string(), z.boolean()])),
  }),
  z.strictObject({ ...stamped, type: z.literal('metrics'), columns: metricColumns }),
  z.strictObject({
    ...stamped,
    type: z.literal('heartbeat'),
    step: z.int(),
    totalSteps: z.int(),
    stepsPerSec: z.number(),
    rssBytes: z.number(),
    tensorCount: z.int(),
  }),
  z.strictObject({ ...stamped, type: z.literal('sample'), step: z.int(), items: z.array(sampleItem) }),
  z.strictObject({
    ...stamped,
    type: z.literal('checkpoint'),
    step: z.int(),
    path: z.string(),
    sizeBytes: z.number(),
    sha256: z.string(),
    best: z.boolean(),
  }),
  z.strictObject({ ...stamped, type: z.literal('warning'), message: z.string(), hint: z.string() }),
  z.strictObject({
    ...stamped,
    type: z.literal('done'),
    outcome: z.enum(['finished', 'cancelled', 'interrupted']),
    summary: z.record(z.string(), z.number().nullable()),
  }),
  z.strictObject({
    ...stamped,
    type: z.literal('failed'),
    error: wireError,
    /** Its process never came to `ready`: what the log says before is of another. */ beforeReady: z
      .literal(true)
      .optional(),
  }),
])
export type TrainerEvent = z.infer<typeof trainerEvent>
export type TrainerEventType = TrainerEvent['type']

/** `stop`: end now, keep what is there. `stop-and-save`: checkpoint, evaluate, end. `checkpoint`: save and go on. */
export const control = z.strictObject({
  seq: z.int().nonnegative(),
  command: z.enum(['checkpoint', 'stop', 'stop-and-save']),
})
export type Control = z.infer<typeof control>

/** Exit status of the trainer, so that a death without a last event can still be named. */
export const TRAINER_EXIT = {
  done: 0,
  failed: 1,
  badSpec: 2,
  engineUnavailable: 3,
  outOfMemory: 4,
  diskFull: 5,
} as const
