import { expect, it } from 'vitest'
import { fuzz } from '../fuzz/campaign.ts'
import { appTargets } from '../fuzz/targets-app.ts'
import { fileTargets } from '../fuzz/targets-files.ts'

// The first inputs of `npm run fuzz`.

it.each(fileTargets)('reads damaged files or says what is wrong with them: $name', async (target) => {
  const { tally, faults } = await fuzz(target, 1, 0, 12)
  expect(faults).toEqual([])
  expect(tally.read + tally.typed).toBe(12)
})

it.each(appTargets)(
  'carries changed calls and requests out, or says what is wrong with them: $name',
  async (target) => {
    const { tally, faults } = await fuzz(target, 1, 0, 150)
    expect(faults).toEqual([])
    expect(tally.read + tally.typed).toBe(150)
  },
)
