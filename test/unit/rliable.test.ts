import { expect, test } from 'vitest'
import { compareRuns } from '../../main/app/runs/comparison.ts'
import type { ComparedRun } from '../../main/app/runs/comparison-groups.ts'
import {
  improvementInterval,
  interquartileMean,
  iqmInterval,
  performanceProfile,
  probabilityOfImprovement,
} from '../../shared/statistics/rliable.ts'
import { sketch } from '../support/sketch-run.ts'

test('the interquartile mean cuts as scipy.stats.trim_mean(values, 0.25) does', () => {
  // By SciPy 1.x: n = 3 cuts none, 4 and 5 one at either end, 10 two.
  expect(interquartileMean([9, 1, 2])).toBe(4)
  expect(interquartileMean([4, 100, 2, 1])).toBe(3)
  expect(interquartileMean([5, 4, 3, 2, 1000])).toBe(4)
  expect(interquartileMean([1, 2, 3, 4, 5, 6, 7, 8, 9, 1000])).toBe(5.5)
  const bounds = iqmInterval([5, 4, 3, 2, 6])!
  expect([bounds.low >= 2, bounds.high <= 6, bounds.low < bounds.high]).toEqual([true, true, true])
  expect(iqmInterval([5])).toBeNull()
})

test('the probability of improvement is U over all pairs, ties one half', () => {
  // scipy.stats.mannwhitneyu([3, 5, 5], [1, 5, 4]).statistic is 6 of 9 pairs: 3 beats 1; each 5 beats 1 and 4 and ties 5.
  expect(probabilityOfImprovement([3, 5, 5], [1, 5, 4])).toBeCloseTo((1 + 2.5 + 2.5) / 9, 12)
  expect(probabilityOfImprovement([2, 3], [0, 1])).toBe(1)
  expect(improvementInterval([2, 3], [0, 1])).toEqual({ low: 1, high: 1 })
  expect(improvementInterval([2], [0, 1])).toBeNull()
})

test('a profile is the share of the scores above each threshold, each run counting alike', () => {
  const found = performanceProfile(
    [
      [0, 1, 2, 3],
      [2, 2],
    ],
    [-1, 0, 1.5, 2, 3],
  )
  expect(found.share).toEqual([1, (0.75 + 1) / 2, (0.5 + 1) / 2, 0.125, 0])
  expect([found.low[1], found.high[1]]).toEqual([0.75, 1])
})

test('a comparison of returns has them, from the episodes that the runs kept; other metrics have none', () => {
  const run = (method: string, seed: number, returns: readonly number[]): ComparedRun => {
    const made = sketch({ method, seed, accuracy: [returns.reduce((sum, one) => sum + one, 0) / returns.length] })
    const ids = returns.map((_one, at) => `start ${seed}, episode ${at}`)
    return {
      ...made,
      curves: { 'test/return': made.curves['eval/rewards/accuracies']! },
      items: { ids, clusters: ids, weights: ids.map(() => 1), values: returns },
    }
  }
  const runs = [1, 2, 3].flatMap((seed) => [
    run('bc', seed, [seed, seed + 1]),
    run('cpl', seed, [seed + 10, seed + 12]),
  ])
  const options = {
    metric: 'test/return',
    at: 'last',
    interval: 't',
    groupBy: 'configuration',
    baseline: null,
    margin: null,
  } as const
  const { robust, differences, conclusions } = compareRuns(runs, options)
  expect(robust!.of).toBe('episodes')
  expect(robust!.groups.map(({ iqm }) => iqm.mean)).toEqual([2.5, 13])
  expect(robust!.improvements).toMatchObject([{ probability: 1, low: 1, high: 1 }])
  expect([robust!.thresholds[0], robust!.thresholds.at(-1), robust!.groups[1]!.share.at(-1)]).toEqual([1, 15, 0])
  // Each seed has episodes of its own: the interval over seeds covers both, and there is no second one.
  expect(differences[0]!.items).toBeNull()
  expect(conclusions.at(-1)).toMatch(/Intervals are over seeds, on episodes of their own for each seed\./)
  expect(compareRuns(runs, { ...options, metric: 'test/loss' }).robust).toBeNull()
})
