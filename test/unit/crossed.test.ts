import { describe, expect, test } from 'vitest'
import { compareItems } from '../../main/app/handlers/comparison-items.ts'
import { createScratch } from '../../main/app/store/open.ts'
import { itemsInWords } from '../../main/app/runs/comparison-item-words.ts'
import { compareRuns } from '../../main/app/runs/comparison.ts'
import type { ComparedRun, CompareOptions } from '../../main/app/runs/comparison-groups.ts'
import { clustersToTell, crossedDifference, type CrossedItem } from '../../shared/statistics/crossed.ts'
import { boundsOf, meanEstimate } from '../../shared/statistics/student.ts'
import { ACCURACY, sketch } from '../support/sketch-run.ts'
import { coverage, createDraws } from '../support/coverage.ts'

// Two sources of variation in one interval: seeds, and the items that were held out.

const plain = (count: number): CrossedItem[] =>
  Array.from({ length: count }, (_none, at) => ({ weight: 1, cluster: String(at) }))

describe('crossedDifference', () => {
  test('by hand: two paired seeds on four items', () => {
    const ours = [
      [1, 0, 1, 1],
      [1, 1, 1, 0],
    ]
    const theirs = [
      [0, 0, 1, 0],
      [0, 0, 1, 1],
    ]
    // Differences 1 0 0 1 and 1 1 0 −1: seeds ½ and ¼, items 1 ½ 0 0, mean ⅜.
    const found = crossedDifference(ours, theirs, plain(4), true)!
    expect(found.mean).toBe(0.375)
    const runs = (2 * 0.125 ** 2) / 2
    const items = ((4 / 3) * (0.625 ** 2 + 0.125 ** 2 + 2 * 0.375 ** 2)) / 16
    // Residuals d − seed − item + mean of the first seed: −⅛ −⅝ −⅛ +⅞, of the second their negatives.
    const both = (2 * ((4 / 3) * (2 * 0.125 ** 2 + 0.625 ** 2 + 0.875 ** 2))) / 16 / 2
    const total = Math.max(runs, items, runs + items - both)
    const df = Math.max(1, total ** 2 / (items ** 2 / 3 + runs ** 2 / 1 + both ** 2 / 3))
    const by = boundsOf({ mean: 0.375, error: Math.sqrt(total), df })
    expect([found.low, found.high]).toEqual([expect.closeTo(by.low, 12), expect.closeTo(by.high, 12)])
    expect(found).toMatchObject({ items: 4, clusters: 4 })
  })

  test('with one run a side it is the paired t of the items, and of prompts where these go together', () => {
    const ours = [[0.3, 0.9, 0.4, 0.8, 0.1]]
    const theirs = [[0.1, 0.5, 0.6, 0.2, 0.3]]
    const differences = ours[0]!.map((value, at) => value - theirs[0]![at]!)
    const by = boundsOf(meanEstimate(differences)!)
    const found = crossedDifference(ours, theirs, plain(5), true)!
    expect([found.low, found.high]).toEqual([expect.closeTo(by.low, 12), expect.closeTo(by.high, 12)])
    const prompts = ['a', 'a', 'b', 'b', 'c'].map((cluster) => ({ weight: 1, cluster }))
    expect(crossedDifference(ours, theirs, prompts, true)).toMatchObject({ items: 5, clusters: 3, df: 2 })
    expect(
      crossedDifference(
        ours,
        theirs,
        prompts.map((one) => ({ ...one, cluster: 'a' })),
        true,
      ),
    ).toBeNull()
  })

  test('says how many prompts could tell, and nothing where seeds alone vary too much', () => {
    const draws = createDraws(8)
    const noise = (by: number): number[] => Array.from({ length: 40 }, () => by + draws.normal())
    const found = crossedDifference([noise(0.3)], [noise(0)], plain(40), true)!
    const more = clustersToTell(found)!
    expect(more).toBeGreaterThan(40)
    const error = Math.sqrt((found.variance.items * 40) / more)
    expect(Math.abs(found.mean) / error).toBeGreaterThan(2.8)
    const rows = [5, -5, 1].map((by) => noise(by))
    expect(clustersToTell(crossedDifference(rows, [noise(0), noise(0), noise(0)], plain(40), true)!)).toBeNull()
  })

  test('it holds the truth where an interval over seeds alone, or over items alone, does not', () => {
    const draws = createDraws(9)
    // 24 prompts of two pairs; the two policies differ by as much on one prompt as on another, and by seed.
    const items = Array.from({ length: 48 }, (_none, at) => ({ weight: 1, cluster: String(at % 24) }))
    const draw = (): readonly [number[][], number[][]] => {
      const prompts = Array.from({ length: 24 }, () => draws.normal())
      const run = (effects: readonly number[]): number[] => {
        const own = 0.2 * draws.normal()
        return items.map((_item, at) => own + (effects[at % 24] ?? 0) + draws.normal())
      }
      return [Array.from({ length: 5 }, () => run(prompts)), Array.from({ length: 5 }, () => run([]))]
    }
    const both = coverage(1000, draw, ([a, b]) => crossedDifference(a, b, items, true)!, 0)
    expect(both).toBeGreaterThan(0.93)
    const means = (rows: readonly number[][]): number[] =>
      rows.map((row) => row.reduce((sum, one) => sum + one, 0) / 48)
    const overSeeds = coverage(
      1000,
      draw,
      ([a, b]) => boundsOf(meanEstimate(means(a).map((value, at) => value - means(b)[at]!))!),
      0,
    )
    const ofOneSeed = coverage(1000, draw, ([a, b]) => crossedDifference([a[0]!], [b[0]!], items, true)!, 0)
    expect([overSeeds < 0.85, ofOneSeed < 0.93]).toEqual([true, true])
  })
})

describe('a comparison', () => {
  const options: CompareOptions = {
    metric: ACCURACY,
    at: 'last',
    interval: 't',
    groupBy: 'configuration',
    baseline: null,
    margin: null,
    goals: { 'rewards/accuracies': 'max' },
  }
  const ids = Array.from({ length: 12 }, (_none, at) => `pair-${at}`)
  /** Right on the first so many of twelve pairs. */
  function run(method: string, seed: number, right: number, order = ids): ComparedRun {
    return {
      ...sketch({ method, seed, accuracy: [right / 12] }),
      items: {
        ids: order,
        clusters: order,
        weights: order.map(() => 1),
        values: order.map((id) => (ids.indexOf(id) < right ? 1 : 0)),
      },
    }
  }

  test('has the difference over seeds and items, whatever the order of the items', () => {
    const reversed = ids.toReversed()
    const runs = [1, 2, 3].flatMap((seed) => [run('dpo', seed, 5), run('copg', seed, 6 + seed, reversed)])
    const result = compareRuns(runs, options)
    const [{ items }] = result.differences as [(typeof result.differences)[0]]
    expect(items).toMatchObject({ mean: expect.closeTo(0.25, 12), items: 12, clusters: 12, overSeeds: true })
    expect(result.conclusions[1]).toMatch(
      /^Taking the 12 held-out pairs of 12 prompts as drawn from more of their kind, as the seeds are, the difference is \+0\.25 \(95 % interval −?\+?0\.0\d to \+0\.5\d\), p = /,
    )
  })

  test('says so where items tell what the few seeds alone cannot', () => {
    const found = {
      mean: 0.2,
      low: 0.1,
      high: 0.3,
      p: 0.01,
      adjustedP: 0.01,
      items: 9,
      clusters: 9,
      overSeeds: true,
      clustersToTell: null,
    }
    const words = (told: boolean): string =>
      itemsInWords(found, 'test/ndcg', '+0.2', 'p = .010', { told, still: false })
    expect(words(true)).toMatch(/^Taking the 9 held-out queries as drawn .*: it reaches beyond these queries\.$/)
    expect(words(false)).toMatch(/: this interval excludes 0, where that over the seeds alone does not\.$/)
  })

  test('knows how many are shown: among several, one that is no more than chance gives is not said to be told', () => {
    const configuration = (method: string, count: number) =>
      [1, 2, 3].map((seed) => run(method, seed, count + (seed % 2)))
    const runs = [...configuration('dpo', 5), ...configuration('copg', 9), ...configuration('ipo', 6)]
    const of = (some: readonly ComparedRun[]) =>
      new Map(compareRuns(some, options).differences.map(({ groupHash, items }) => [groupHash.split(':')[0], items!]))
    const [all, two] = [of(runs), of(runs.filter(({ spec }) => spec.method !== 'ipo'))]
    expect(two.get('copg')!.adjustedP).toBe(two.get('copg')!.p)
    expect(all.get('copg')!.adjustedP).toBeCloseTo(2 * all.get('copg')!.p, 12)
    expect(all.get('ipo')!.adjustedP).toBeGreaterThanOrEqual(all.get('ipo')!.p)
    expect(compareRuns(runs, options).conclusions.join(' ')).toMatch(
      /held-out pairs .* p [=<] [\d.]+, p [=<] [\d.]+ by Holm/,
    )
    const found = { ...all.get('copg')!, low: 0.01, high: 0.3, p: 0.04, adjustedP: 0.08 }
    const words = (overSeeds: boolean): string =>
      itemsInWords({ ...found, overSeeds }, ACCURACY, '+0.2', 'p = .040, p = .080 by Holm', {
        told: false,
        still: false,
      })
    expect(words(true)).toMatch(
      /: its interval alone excludes 0, and among all comparisons shown that is no more than chance would give\.$/,
    )
    expect(words(false)).toMatch(/than chance would give\. It says nothing of other seeds\./)
  })

  test('of one seed each, is of these weights alone, and says so', () => {
    const result = compareRuns([run('dpo', 1, 5), run('copg', 2, 9)], options)
    expect(result.differences[0]).toMatchObject({ verdict: 'cannot-tell', items: { overSeeds: false } })
    expect(result.conclusions.join(' ')).toMatch(
      /Between these runs alone, paired over 12 held-out pairs of 12 prompts, the difference is .*: it says nothing of other seeds\./,
    )
  })

  test('sets seeds side by side that finished in both, and no others', () => {
    const failed = (one: ComparedRun): ComparedRun => ({ ...one, summary: { ...one.summary, state: 'failed' } })
    // Seed 1 of one failed: 2 and 3 against 1, 2 and 3, of which none may take the place of another.
    const ours = [failed(run('copg', 1, 9)), run('copg', 2, 8), run('copg', 3, 4)]
    const theirs = [run('dpo', 1, 3), run('dpo', 2, 8), run('dpo', 3, 4)]
    const [difference] = compareRuns([...theirs, ...ours], options).differences
    const found = compareItems(createScratch(), [...theirs, ...ours], options, null)
    expect(difference!.items).toEqual(found.difference)
    expect(found.difference!.mean).toBeCloseTo(6 / 12 - 5 / 12, 12)
    const rows = (runs: readonly ComparedRun[]) => runs.map(({ items }) => items!.values)
    const items = ids.map((cluster) => ({ weight: 1, cluster }))
    expect(found.difference!.p).toBeCloseTo(crossedDifference(rows(ours.slice(1)), rows(theirs), items, false)!.p, 12)
  })

  test('has none where the runs were not measured on the same, or one of them kept nothing', () => {
    const other = run('copg', 1, 7)
    const elsewhere = { ...other, items: { ...other.items!, ids: ids.map((id) => `${id}!`) } }
    const heavier = { ...other, items: { ...other.items!, weights: ids.map(() => 0.5) } }
    for (const one of [elsewhere, heavier, { ...other, items: null }])
      expect(compareRuns([run('dpo', 1, 5), one], options).differences[0]!.items).toBeNull()
  })
})
