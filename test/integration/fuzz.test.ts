import { expect, it } from 'vitest'
import { fuzz } from '../fuzz/campaign.ts'
import { targets } from '../fuzz/targets.ts'

it.each(targets)('reads damaged files or says what is wrong with them: $name', async (target) => {
  const { tally, faults } = await fuzz(target, 1, 0, 24)
  expect(faults).toEqual([])
  expect(tally.read + tally.typed).toBe(24)
})
