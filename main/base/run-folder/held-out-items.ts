// What was measured on each held-out item, beside the means that the event log has: whoever compares two runs can set them
// against each other item by item.
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../files/durable.ts'

/** A whole side under the weights of one step; `eval` is what the run was judged by. */
export type MeasuredSide = 'eval' | 'test'

/** Of one metric, by position: values of the items that have one. */
export interface ItemColumn {
  /** Positions among the items. */
  readonly at: readonly number[]
  readonly value: readonly number[]
  readonly weight: readonly number[]
}

export interface MeasuredItems {
  /** Its id in the data, of an episode its start. */
  readonly ids: readonly string[]
  /** What items have in common: the prompt of a pair; the item itself where there is nothing. */
  readonly clusters: readonly string[]
  /** By the metric's name without `eval/` or `test/`. */
  readonly metrics: Readonly<Record<string, ItemColumn>>
}

/** One value of a metric. */
export interface ItemOutcome {
  readonly item: string
  readonly cluster: string
  readonly weight: number
  readonly value: number
}

/** By metric, its name without `eval/` or `test/`. */
export type OutcomesByMetric = Readonly<Record<string, readonly ItemOutcome[]>>

const numbers = z.array(z.number())
const itemsFile = z.looseObject({
  version: z.literal(1),
  ids: z.array(z.string()),
  clusters: z.array(z.string()),
  metrics: z.record(z.string(), z.object({ at: z.array(z.int().nonnegative()), value: numbers, weight: numbers })),
})

function fileOf(runFolder: string, side: MeasuredSide, step: number): string {
  return path.join(runFolder, 'held-out', `${side}-${step}.json`)
}

/** Values that are no finite number are left out, as JSON has none. @throws what the system says */
export function writeMeasuredItems(
  runFolder: string,
  side: MeasuredSide,
  step: number,
  metrics: OutcomesByMetric,
): void {
  const positions = new Map<string, number>()
  const clusters: string[] = []
  const columns = Object.entries(metrics).map(([name, outcomes]) => {
    const column = { at: [] as number[], value: [] as number[], weight: [] as number[] }
    for (const { item, cluster, weight, value } of outcomes) {
      if (!Number.isFinite(value)) continue
      const at = positions.get(item) ?? positions.size
      if (at === positions.size) {
        positions.set(item, at)
        clusters.push(cluster)
      }
      column.at.push(at)
      column.value.push(value)
      column.weight.push(weight)
    }
    return [name, column] as const
  })
  const file = fileOf(runFolder, side, step)
  mkdirSync(path.dirname(file), { recursive: true })
  const written = { version: 1, side, step, ids: [...positions.keys()], clusters, metrics: Object.fromEntries(columns) }
  replaceFile(file, `${JSON.stringify(written)}\n`)
}

/** Null where there is no such file, as in runs of earlier versions, or where it cannot be read as one. */
export function readMeasuredItems(runFolder: string, side: MeasuredSide, step: number): MeasuredItems | null {
  try {
    const found = itemsFile.parse(JSON.parse(readFileSync(fileOf(runFolder, side, step), 'utf8')))
    return { ...found, metrics: Object.assign(Object.create(null), found.metrics) as MeasuredItems['metrics'] }
  } catch {
    return null
  }
}
