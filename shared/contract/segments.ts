import { z } from 'zod'
import { collectRequest, collectSettings } from '../collecting.ts'
import { outcome, splitName, strength } from '../data-kinds.ts'
import { datasetId, jobId } from '../domain.ts'
import { wireError } from '../errors.ts'
import { segmentPair } from '../segment-pair.ts'
import { datasetSummary } from './datasets.ts'
import { call, clientKey } from './define.ts'

export const worldInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  summary: z.string(),
  observation: z.array(z.string()),
  action: z.array(z.string()),
  episodeSteps: z.int(),
  /** Seconds of simulated time. */
  stepSeconds: z.number(),
  /** In words; null where return alone counts. */
  success: z.string().nullable(),
  qposSize: z.int(),
  /** The advantage of every action is known in closed form, and so is regret. */
  advantageKnown: z.boolean(),
})
export type WorldSummary = z.infer<typeof worldInfo>

/** A collection that runs, or ran since the app was opened. */
export const collectJob = z.strictObject({
  jobId,
  state: z.enum(['waiting', 'running', 'finished', 'failed', 'cancelled']),
  name: z.string(),
  world: z.string(),
  phase: z.enum(['starting', 'acting', 'judging', 'writing']),
  /** Steps of all phases together. */
  done: z.int(),
  total: z.int(),
  startedAtMs: z.int(),
  /** Null until there is a rate worth the name. */
  remainingMs: z.int().nullable(),
  /** Set when it has finished. */
  datasetId: datasetId.nullable(),
  error: wireError.nullable(),
})
export type CollectJob = z.infer<typeof collectJob>

/** A pair with all that is known of it, for those who do not label. */
export const segmentRow = z.strictObject({
  index: z.int(),
  pairId: z.string(),
  split: splitName,
  pair: segmentPair,
  labels: z.array(
    z.strictObject({ annotator: z.string(), outcome, strength: strength.nullable(), comment: z.string() }),
  ),
})
export type SegmentRow = z.infer<typeof segmentRow>

export const segmentCalls = {
  'segments.row': call(z.strictObject({ datasetId, index: z.int().nonnegative() }), segmentRow),
  'worlds.list': call(z.strictObject({}), z.array(worldInfo)),
  /** How long a collection would take, as measured here and now by acting a little: a second at first, then kept. */
  'segments.estimateCollection': call(collectSettings, z.strictObject({ ms: z.number() })),
  /** Waits its turn, then acts in a process of its own. The same key again is the same collection. */
  'segments.startCollecting': call(collectRequest.extend({ clientKey }), z.strictObject({ jobId })),
  /** Newest first. */
  'segments.collectJobs': call(z.strictObject({}), z.array(collectJob)),
  'segments.collectJob': call(z.strictObject({ jobId }), collectJob),
  /** Nothing of it stays behind. One that has ended is left as it is. */
  'segments.cancelCollecting': call(z.strictObject({ jobId }), z.null()),
  /** The same in one call, for programs: it answers when the data set is there, seconds to minutes later. */
  'segments.collect': call(
    collectRequest.omit({ segments: true, steps: true }).extend({
      /** Every segment is in one. */
      pairs: z.int().min(1).max(100_000),
      segmentSteps: collectRequest.shape.steps,
      clientKey,
    }),
    datasetSummary,
  ),
  /** Our own JSON Lines, or an npz file of CPL's code. */
  'segments.import': call(
    z.strictObject({
      path: z.string(),
      name: z.string().min(1),
      world: z.string().nullable().default(null),
      scoreName: z.string().nullable().default(null),
      segmentSteps: z.int().min(2).default(64),
      clientKey,
    }),
    datasetSummary,
  ),
  'segments.export': call(
    z.strictObject({ datasetId, format: z.enum(['segments-jsonl', 'cpl-npz']) }),
    z.strictObject({ path: z.string(), rows: z.int() }),
  ),
} as const
