import type { z } from 'zod'
import type { EventPayload } from '../../../shared/contract.ts'
import type { sampleItem } from '../../../shared/contract/runs.ts'
import type { MetricColumns } from '../store/metrics.ts'

export type SampleItem = z.infer<typeof sampleItem>

type RunEventName = 'run.state' | 'run.metrics' | 'run.samples' | 'runs.changed'

/** The part of the event bus that runs speak to. */
export interface RunAudience {
  emit<N extends RunEventName>(name: N, payload: EventPayload<N>): void
}

/** Several metrics events as one table with a row for each step; null where a step has no such point. */
export function mergeColumns(batches: readonly MetricColumns[]): Record<string, (number | null)[]> {
  const rows = new Map<number, Map<string, number | null>>()
  const names = new Set<string>(['step'])
  for (const columns of batches) {
    const steps = columns['step'] ?? []
    for (const [name, values] of Object.entries(columns)) {
      names.add(name)
      values.forEach((value, index) => {
        const step = steps[index]
        if (typeof step !== 'number') return
        const row = rows.get(step) ?? new Map<string, number | null>()
        row.set(name, value)
        rows.set(step, row)
      })
    }
  }
  const ordered = [...rows.keys()].toSorted((a, b) => a - b)
  return Object.fromEntries([...names].map((name) => [name, ordered.map((step) => rows.get(step)?.get(name) ?? null)]))
}
