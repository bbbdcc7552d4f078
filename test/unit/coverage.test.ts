import { expect, test } from 'vitest'
import { clusteredShare, wilsonAt, type Outcome } from '../../shared/statistics/clustered.ts'
import { mean, standardError } from '../../shared/statistics/intervals.ts'
import { studentInterval } from '../../shared/statistics/student.ts'
import { alone } from '../../main/workers/trainer/intervals.ts'
import { coverage, createDraws, type Clusters } from '../support/coverage.ts'

// The long form, over many more settings: `npm run bench:coverage`.

const DRAWS = 1500
/** As PandaLM's test side has it: six pairs of each prompt, 197 in all. */
const PANDA = { clusters: 33, size: 6, truth: 0.7, weighted: true } as const

test.each([0, 0.2, 0.33])(
  'the interval of an accuracy holds the truth where pairs of a prompt go together: ICC %s',
  (icc) => {
    const draws = createDraws(3)
    const of = (setting: Clusters): number =>
      coverage(DRAWS, () => draws.clustered(setting), clusteredShare, setting.truth)
    for (const setting of [
      { ...PANDA, icc },
      { ...PANDA, icc, truth: 0.5 },
      { ...PANDA, icc, clusters: 100, truth: 0.9 },
      { ...PANDA, icc, clusters: 10 },
    ])
      expect([setting, of(setting) >= 0.93]).toEqual([setting, true])
  },
)

test('the interval that takes pairs as independent does not', () => {
  const draws = createDraws(4)
  const setting = { ...PANDA, icc: 0.33, weighted: false }
  const plain = (outcomes: readonly Outcome[]) =>
    wilsonAt(mean(outcomes.map(({ value }) => value)), outcomes.length, 1.96)
  expect(coverage(DRAWS, () => draws.clustered(setting), plain, setting.truth)).toBeLessThan(0.8)
})

test('the mean of four samples needs Student’s t', () => {
  const draws = createDraws(5)
  const four = (): number[] => Array.from({ length: 4 }, () => draws.normal())
  expect(coverage(DRAWS, four, (values) => studentInterval(values)!, 0)).toBeGreaterThan(0.93)
  const normal = (values: readonly number[]) => ({
    low: mean(values) - 1.96 * standardError(values),
    high: mean(values) + 1.96 * standardError(values),
  })
  expect(coverage(DRAWS, four, normal, 0)).toBeLessThan(0.88)
})

test('the interval of a share by hand', () => {
  // Two prompts with 3 and 1 pairs: residuals (1 + 1 + 0 − 3 · ¾) and (1 − ¾), by 2 / 16.
  const outcomes = [1, 1, 0].map((value) => ({ value, weight: 1, cluster: 'a' }))
  const found = clusteredShare([...outcomes, { value: 1, weight: 1, cluster: 'b' }])
  const variance = (2 / 16) * (0.25 ** 2 + 0.25 ** 2)
  expect(found.share).toBe(0.75)
  expect(found.clusters).toBe(2)
  expect(found.effective).toBeCloseTo(Math.min(4, 0.1875 / variance), 12)
  // Outcomes that have nothing in common: Wilson's at one less than their number, with t for z.
  const single = clusteredShare(alone([1, 1, 1, 0, 0, 1, 0, 1, 1, 1]))
  expect(single.effective).toBeCloseTo(9, 12)
  const by = wilsonAt(0.7, 9, 2.2621571628)
  expect([single.low, single.high].map((value) => value.toFixed(8))).toEqual([by.low, by.high].map((v) => v.toFixed(8)))
  // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
  const newcombe = wilsonAt(81 / 263, 263, 1.959964)
  expect([newcombe.low, newcombe.high].map((value) => value.toFixed(4))).toEqual(['0.2553', '0.3662'])
  expect(wilsonAt(0, 20, 1.959964).high.toFixed(4)).toBe('0.1611')
})

test('where all agree, where weights count, and where nothing can be known', () => {
  const all = (clusters: number): Outcome[] =>
    Array.from({ length: clusters * 6 }, (_none, at) => ({ value: 1, weight: 1, cluster: String(at % clusters) }))
  expect(clusteredShare(all(30))).toMatchObject({ share: 1, high: 1, effective: 30 })
  expect(clusteredShare(all(30)).low).toBeLessThan(0.9)
  const weighted = clusteredShare([...alone([1, 0]), { value: 1, weight: 2, cluster: 'heavy' }])
  expect(weighted.share).toBe(0.75)
  expect(clusteredShare(all(1))).toMatchObject({ share: 1, low: 0, high: 1 })
  expect(clusteredShare([])).toMatchObject({ low: 0, high: 1 })
})
