import { z } from 'zod'
import { outcome, splitName, strength } from '../data-kinds.ts'
import { datasetId } from '../domain.ts'
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
})
export type WorldSummary = z.infer<typeof worldInfo>

export const collectRequest = z.strictObject({
  world: z.string(),
  /** Pairs; every segment is in one. */
  pairs: z.int().min(1).max(100_000),
  segmentSteps: z.int().min(2).max(1000).default(64),
  behaviour: z.enum(['weak', 'expert', 'random', 'mixed', 'learned']).default('weak'),
  /** For `learned`: the run whose last checkpoint acts. */
  runId: z.string().nullable().default(null),
  /** Deviation of the noise on actions. */
  noise: z.number().min(0).max(10).default(0.3),
  label: z.enum(['regret', 'reward', 'none']).default('regret'),
  seed: z.int().nonnegative().default(1),
  /** Segments of an episode, from its start; null takes as many as it holds. */
  perEpisode: z.int().min(1).nullable().default(null),
  name: z.string().min(1),
})
export type CollectRequest = z.infer<typeof collectRequest>

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
  /** Takes seconds to minutes; the app goes on answering meanwhile. */
  'segments.collect': call(collectRequest.extend({ clientKey }), datasetSummary),
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
