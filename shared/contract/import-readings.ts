import { z } from 'zod'

/** What a person may say of a file of texts that could be read in two ways. */
export const textReading = z.strictObject({
  as: z.enum(['lines', 'jsonl', 'json', 'csv', 'tsv']).nullable().default(null),
  /** Lowest and highest score, as in 0..5. */
  scale: z.string().max(40).nullable().default(null),
})

/** What a person may say of a file of segments. */
export const segmentReading = z.strictObject({
  /** npz: id of the world that they come from; null where it is none of ours. */
  world: z.string().nullable().default(null),
  /** npz: the array that orders the segments; null lets the file tell. */
  scoreName: z.string().nullable().default(null),
  /** npz of steps in a row: steps of a segment. */
  segmentSteps: z.int().min(2).max(100_000).default(64),
})
export type SegmentReading = z.infer<typeof segmentReading>
export type TextReading = z.infer<typeof textReading>
