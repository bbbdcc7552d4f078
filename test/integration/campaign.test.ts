import { expect, test } from 'vitest'
import { runDamage } from '../campaign/damage.ts'
import { runFullDisk, whyNoFullDisk } from '../campaign/full-disk.ts'
import { runKills } from '../campaign/kills.ts'

// The small form of `npm run campaign`, which goes on as long as it is told to.

test('killed at any moment of anything, the app loses nothing that it acknowledged and leaves nothing half done', async () => {
  const report = await runKills(5, 7)
  expect(report.problems).toEqual([])
  expect(report.kills).toBe(5)
}, 300_000)

test.skipIf(whyNoFullDisk() !== null)(
  `a full disk refuses, and takes nothing (${whyNoFullDisk() ?? 'a file system of 48 MB'})`,
  async () => {
    const report = await runFullDisk(2, 7, 5)
    expect(report.problems).toEqual([])
    expect(report.refused).toBeGreaterThan(0)
  },
  300_000,
)

test('a damaged file is named, costs no label and keeps no run from being listed', async () => {
  const report = await runDamage(29, 3)
  expect(report.problems).toEqual([])
  expect(report.named).toBeGreaterThan(0)
}, 300_000)
