import { expect, test } from 'vitest'
import { calibrationOf, ensembleOf, type JudgedMargin } from '../../shared/statistics/calibration.ts'
import { createDraws } from '../support/coverage.ts'

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Pairs whose label follows σ(scale · margin): at 1 a model that is calibrated. */
function drawn(count: number, scale: number): JudgedMargin[] {
  const draws = createDraws(11)
  return Array.from({ length: count }, (_none, at): JudgedMargin => {
    const size = Math.abs(1.5 * draws.normal())
    // Of the preferred side: positive where the model was right.
    const right = draws.uniform() < sigmoid(scale * size)
    return { margin: right ? size : -size, weight: 1, cluster: String(at), longerBy: draws.normal() }
  })
}

test('a model that is calibrated errs as much as chance would have it, one that is too sure by more', () => {
  const good = calibrationOf(drawn(2000, 1))!
  expect(good.ece).toBeLessThan(1.8 * good.eceByChance)
  const sure = calibrationOf(drawn(2000, 0.3))!
  expect(sure.ece).toBeGreaterThan(4 * sure.eceByChance)
  for (const { confidence, accuracy, from, to } of sure.bins.slice(3)) {
    expect(accuracy).toBeLessThan(confidence)
    expect([confidence >= from, confidence <= to]).toEqual([true, true])
  }
  // Larger margins are right more often.
  const shares = good.byMargin.map(({ accuracy }) => accuracy)
  expect(shares).toEqual(shares.toSorted((a, b) => a - b))
  expect(good.byMargin.reduce((sum, { pairs }) => sum + pairs, 0)).toBe(2000)
})

test('the error by hand, with weights', () => {
  const margin = Math.log(3) // says ¾
  const pair = (own: number, weight: number, cluster: string): JudgedMargin => ({
    margin: own,
    weight,
    cluster,
    longerBy: null,
  })
  const found = calibrationOf([pair(margin, 3, 'a'), pair(-margin, 1, 'b'), pair(0, 4, 'c')])!
  // Right in 3 of 4 where it says ¾; a margin of 0 says ½ and is half right.
  expect(found.ece).toBeCloseTo(0, 12)
  expect(found.bins.map(({ confidence, accuracy }) => [confidence, accuracy])).toEqual([
    [0.5, 0.5],
    [expect.closeTo(0.75, 12), 0.75],
  ])
  expect(found.byLength).toEqual([])
  expect(calibrationOf([])).toBeNull()
})

test('a model that counts words shows by length', () => {
  const draws = createDraws(5)
  const pairs = Array.from({ length: 300 }, (_none, at): JudgedMargin => {
    const longerBy = Math.round(100 * draws.normal())
    return { margin: longerBy / 100, weight: 1, cluster: String(at), longerBy }
  })
  const [shorter, , longer] = calibrationOf(pairs)!.byLength
  expect([shorter!.accuracy, longer!.accuracy]).toEqual([0, 1])
})

test('an ensemble is right where its mean is, and says where its models differ', () => {
  const pairs = ['a', 'b', 'c', 'd'].map((cluster) => ({ weight: 1, cluster }))
  const found = ensembleOf(
    [
      [2, 1, -1, -1],
      [2, -0.5, 2, -1],
      [1, 1, 1, -1],
    ],
    pairs,
  )
  expect(found).toMatchObject({ models: 3, disagreement: 0.5, whereAgreed: 0.5, whereNot: 1 })
  expect(found.single).toBeCloseTo((2 / 4 + 2 / 4 + 3 / 4) / 3, 12)
  expect(found.together.accuracy).toBe(0.75)
})
