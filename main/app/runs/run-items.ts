// What of a run's held-out items a comparison takes: the values of one metric behind the number that counts.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { readMeasuredItems } from '../../base/run-folder/held-out-items.ts'
import { baseName, EVAL, TEST } from '../../../shared/metric-names.ts'
import type { ComparePoint } from '../../../shared/compare-point.ts'

/** Of one metric, in one order. */
export interface RunItems {
  readonly ids: readonly string[]
  readonly clusters: readonly string[]
  readonly weights: readonly number[]
  readonly values: readonly number[]
}

export interface ItemsAsked {
  readonly runFolder: string
  readonly metric: string
  readonly at: ComparePoint
  /** What the run's validation side chose, and where the run stands. */
  readonly chosen: number | null
  readonly lastStep: number
}

/** Null where the run kept none for this metric at this point: sides are kept whole, at the end and under the chosen checkpoint. */
export function readRunItems({ runFolder, metric, at, chosen, lastStep }: ItemsAsked): RunItems | null {
  const side = metric.startsWith(TEST) ? 'test' : metric.startsWith(EVAL) ? 'eval' : null
  if (side === null) return null
  const step = at === 'best' ? (chosen ?? lastStep) : at === 'last' ? lastStep : at
  const found = readMeasuredItems(runFolder, side, step)
  if (found === null)
    return step === lastStep || at === 'best' ? readQueries(runFolder, side, step !== lastStep, metric) : null
  const column = found.metrics[baseName(metric)]
  if (column === undefined) return null
  return {
    ids: column.at.map((at) => found.ids[at] ?? ''),
    clusters: column.at.map((at) => found.clusters[at] ?? ''),
    weights: column.weight,
    values: column.value,
  }
}

/** As rankers write it; a query without a relevant document has no measures. */
const queryFile = z.array(z.looseObject({ queryId: z.string() }).catchall(z.unknown()))

/** Rankers of earlier versions kept the measures of each query in a file of their own. */
function readQueries(runFolder: string, side: 'eval' | 'test', best: boolean, metric: string): RunItems | null {
  const name = side === 'eval' ? (best ? null : 'validation') : best ? 'best-test' : 'test'
  const file = path.join(runFolder, 'rankings', `${name}-queries.json`)
  if (name === null || !existsSync(file)) return null
  try {
    const rows = queryFile.parse(JSON.parse(readFileSync(file, 'utf8'))).flatMap((row) => {
      const value = row[baseName(metric)]
      return typeof value === 'number' ? [{ id: row.queryId, value }] : []
    })
    const ids = rows.map(({ id }) => id)
    return rows.length === 0
      ? null
      : { ids, clusters: ids, weights: ids.map(() => 1), values: rows.map(({ value }) => value) }
  } catch {
    return null // damaged: the run's numbers stand without it
  }
}
