import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readEvents } from '../../main/base/run-folder/events.ts'

const BAD = [
  { step: [1.5] },
  { step: [-1] },
  { step: [null] },
  { step: ['1'] },
  { step: [1e300] },
  { step: [2 ** 53] },
  { step: 1 },
  { loss: [1] },
  { step: [1, 2], loss: [1] },
  { step: [1], loss: [1, 2] },
  { step: [1], loss: ['x'] },
].map((columns) => JSON.stringify({ seq: 2, atMs: 1, type: 'metrics', columns }))

test('a line that cannot be folded is counted as damaged, and its neighbours are kept', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-lines-'))
  try {
    const good = (seq: number): string =>
      JSON.stringify({ seq, atMs: 1, type: 'metrics', columns: { step: [seq], loss: [0.5] } })
    for (const bad of [
      ...BAD,
      '{"type":"metrics","columns":{"step":[1.5]}}',
      '{"seq":2,"atMs":1,"type":"unheard-of"}',
      '[]',
      'null',
      '7',
    ]) {
      const file = path.join(folder, 'events.jsonl')
      writeFileSync(file, `${good(1)}\n${bad}\n${good(3)}\n`)
      const { events, damagedLines } = readEvents(file, 0)
      expect([bad, events.map((event) => event.seq), damagedLines]).toEqual([bad, [1, 3], 1])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
