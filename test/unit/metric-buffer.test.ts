import { expect, test } from 'vitest'
import type { MetricColumns } from '../../shared/metric-columns.ts'
import { createMetricBuffer, FLUSH_MS, FLUSH_POINTS } from '../../main/workers/trainer/metric-buffer.ts'

function collect() {
  const written: MetricColumns[] = []
  let clock = 0
  const buffer = createMetricBuffer(
    (table) => written.push(table),
    () => clock,
  )
  return {
    written,
    buffer,
    wait: (ms: number) => {
      clock += ms
    },
  }
}

test('points become columns, a table for each set of names, in order', () => {
  const { written, buffer } = collect()
  buffer.add(1, 10, { loss: 0.5, grad_norm: Number.NaN })
  buffer.add(2, 20, { grad_norm: 3, loss: Infinity })
  buffer.add(2, 21, { 'eval/loss': 0.4 })
  buffer.add(3, 30, { loss: 0.25, grad_norm: 1 })
  buffer.flush()
  expect(written).toEqual([
    { step: [1, 2], wallMs: [10, 20], loss: [0.5, null], grad_norm: [null, 3] },
    { step: [2], wallMs: [21], 'eval/loss': [0.4] },
    { step: [3], wallMs: [30], loss: [0.25], grad_norm: [1] },
  ])
  buffer.flush()
  expect(written).toHaveLength(3)
})

test('writes after a quarter of a second or 256 points, and not before', () => {
  const { written, buffer, wait } = collect()
  buffer.add(1, 0, { loss: 1 })
  wait(FLUSH_MS - 1)
  buffer.flushIfDue()
  expect(written).toHaveLength(0)
  wait(1)
  buffer.flushIfDue()
  expect(written).toHaveLength(1)
  wait(10 * FLUSH_MS)
  buffer.flushIfDue()
  expect(written).toHaveLength(1)
  wait(0)
  for (let step = 0; step < FLUSH_POINTS; step += 1) buffer.add(step, 0, { loss: step })
  buffer.flushIfDue()
  expect(written[1]?.['step']).toHaveLength(FLUSH_POINTS)
})
