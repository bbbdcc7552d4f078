import type { MetricColumns } from '../../../shared/metric-columns.ts'

export interface MetricBuffer {
  add(step: number, wallMs: number, values: Readonly<Record<string, number>>): void
  /** Writes what is held, if anything. */
  flush(): void
  /** Writes when it is time: call it after every step. */
  flushIfDue(): void
}

export const FLUSH_MS = 250
export const FLUSH_POINTS = 256

/**
 * Collects points into columns, so that a fast run does not write a line a step. Rows with other names start a table
 * of their own: a missing cell would look like a broken number.
 * @param write one call a table, in the order in which the points came
 * @param now a clock in milliseconds
 */
export function createMetricBuffer(
  write: (table: MetricColumns) => void,
  now: () => number = () => performance.now(),
): MetricBuffer {
  let tables: { readonly names: string; readonly columns: MetricColumns }[] = []
  let points = 0
  let flushedAtMs = now()

  function flush(): void {
    const full = tables
    tables = []
    points = 0
    flushedAtMs = now()
    for (const table of full) write(table.columns)
  }

  return {
    add(step, wallMs, values) {
      const names = Object.keys(values).toSorted().join('\n')
      let table = tables.at(-1)
      if (table?.names !== names) {
        table = {
          names,
          columns: { step: [], wallMs: [], ...Object.fromEntries(Object.keys(values).map((name) => [name, []])) },
        }
        tables.push(table)
      }
      const row: Readonly<Record<string, number>> = { ...values, step, wallMs }
      for (const [name, column] of Object.entries<(number | null)[]>(table.columns))
        column.push(finiteOrNull(row[name]))
      points += 1
    },
    flush,
    flushIfDue() {
      if (points >= FLUSH_POINTS || (points > 0 && now() - flushedAtMs >= FLUSH_MS)) flush()
    },
  }
}

export function finiteOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null
}
