import { z } from 'zod'

/**
 * A table of metrics, as the trainer writes it and as it travels to the page: a row a report, a column a metric, every
 * column as long as `step`. What was reported together stands together, so no cell is ever filled in: a null is a
 * number that was not finite. `wallMs` counts from the start of the run; with `step` it places the points and is no
 * metric itself.
 */
export const metricColumns = z
  .object({ step: z.array(z.int().nonnegative()) })
  .catchall(z.array(z.number().nullable()))
  .refine(
    (columns) => Object.values(columns).every((values) => values.length === columns.step.length),
    'a table of metrics has a column of whole steps, and every other is as long',
  )
export type MetricColumns = z.infer<typeof metricColumns>

/** What a run's log does to its curves, in the order in which it was written; `seq` is the number of the log's event. */
export const curveChange = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('points'), seq: z.int(), columns: metricColumns }),
  /** The trainer went back to a checkpoint: what is later is left behind. −1 where it began anew. */
  z.strictObject({ type: z.literal('back'), seq: z.int(), toStep: z.int() }),
])
export type CurveChange = z.infer<typeof curveChange>

export interface MetricPoint {
  readonly name: string
  readonly step: number
  readonly wallMs: number
  /** Null where it was not finite. */
  readonly value: number | null
}

const PLACE_COLUMNS: ReadonlySet<string> = new Set(['step', 'wallMs'])

/** Every point of a table, one metric after another, each in the order of its rows. */
export function* pointsOf(columns: MetricColumns): Generator<MetricPoint> {
  const wallMs = columns['wallMs']
  for (const [name, values] of Object.entries(columns)) {
    if (PLACE_COLUMNS.has(name)) continue
    for (const [row, step] of columns.step.entries())
      yield { name, step, wallMs: wallMs?.[row] ?? 0, value: values[row] ?? null }
  }
}
