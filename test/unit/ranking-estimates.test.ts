import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  estimatedLosses,
  estimateList,
  pgRankListLosses,
  placeAdvantages,
} from '../../main/core/learn/algorithms/pg-rank.ts'
import {
  gumbelTopK,
  PADDING,
  placementGradient,
  placementLogProbs,
  placementLogProbsOf,
  placementLogProbsOfLists,
  weightedPlacements,
} from '../../main/core/learn/algorithms/plackett-luce.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { exactExpectation, exactUtility, permutations } from '../../main/core/learn/ranking/ranking-exact.ts'
import { measureRanking } from '../../main/core/learn/ranking/ranking-metrics.ts'
import { placeRewards, tailsOf, utilityNames } from '../../main/core/learn/ranking/ranking-utility.ts'
import { tf } from '../../main/core/learn/tf.ts'

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

describe('Plackett–Luce', () => {
  it('gives the first k of a ranking as often as they are likely', () => {
    const scores = [1, 0, -0.5, 0.3]
    const random = createRandom(3)
    const draws = 20_000
    const counts = new Map<string, number>()
    for (let draw = 0; draw < draws; draw += 1) {
      const key = gumbelTopK(scores, 2, () => random.uniform()).join()
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const first of scores.keys()) {
      for (const second of scores.keys()) {
        if (first === second) continue
        const expected = Math.exp(sum(placementLogProbsOf(scores, [first, second], 2)))
        const deviation = Math.sqrt((expected * (1 - expected)) / draws)
        expect(Math.abs((counts.get(`${first},${second}`) ?? 0) / draws - expected)).toBeLessThan(4.5 * deviation)
      }
    }
  })

  it('agrees on the host with the tensors, far-apart scores included', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -40, max: 40, noNaN: true }), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer(),
        (scores, k, seed) => {
          const random = createRandom(seed)
          const rankings = Array.from({ length: 3 }, () => gumbelTopK(scores, k, () => random.uniform()))
          const weights = rankings.map((ranking) => ranking.map(() => random.normal()))
          const { value, gradient } = weightedPlacements(scores, rankings, weights, k)
          const exact = rankings.map((ranking, at) => placementGradient(scores, ranking, weights[at]!, k))
          for (const [document, one] of gradient.entries())
            expect(one).toBeCloseTo(sum(exact.map((row) => row[document]!)), 8)
          expect(value).toBeCloseTo(
            sum(
              rankings.map((ranking, at) =>
                sum(placementLogProbsOf(scores, ranking, k).map((one, place) => one * weights[at]![place]!)),
              ),
            ),
            7,
          )
          const placed = tf.tidy(() => placementLogProbs(tf.tensor1d(scores), rankings, k).arraySync())
          for (const [at, ranking] of rankings.entries())
            for (const [place, one] of placementLogProbsOf(scores, ranking, k).entries())
              expect(Math.abs(placed[at]![place]! - one)).toBeLessThan(1e-4 * (1 + Math.abs(one)))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('leaves the places of shorter lists at 0', () => {
    const placed = tf.tidy(() =>
      placementLogProbsOfLists(
        tf.tensor2d([
          [1, 2, 3],
          [0.5, PADDING, PADDING],
        ]),
        [[[2, 1, 0]], [[0]]],
        3,
      ).arraySync(),
    )
    expect(placed[1]![0]).toEqual([0, 0, 0])
    expect(placed[0]![0]![0]).toBeCloseTo(3 - Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)), 5)
  })
})

describe('utilities', () => {
  it('are the measures that evaluation uses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 7 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer(),
        (relevance, unlisted, k, seed) => {
          const ranking = createRandom(seed).shuffle([...relevance.keys()])
          const measured = measureRanking(
            ranking.map((document) => relevance[document]!),
            unlisted,
            k,
          )
          const worth = (utility: (typeof utilityNames)[number]): number =>
            sum(placeRewards(ranking, { relevance, unlisted }, k, utility))
          expect([worth('ndcg-linear'), worth('ndcg-exp'), worth('mrr')].map((value) => value.toFixed(9))).toEqual(
            [measured.ndcgLinear, measured.ndcgExp, measured.mrr].map((value) => value.toFixed(9)),
          )
          expect(worth('recall')).toBeCloseTo(measured.recall, 9)
        },
      ),
    )
    expect(tailsOf([1, 2, 3])).toEqual([6, 5, 3])
  })
})

describe('estimates', () => {
  const list = { relevance: [0, 2, 1], unlisted: [1] }
  const scores = [0.4, -0.3, 0.8]

  /** The estimator's expectation: every pair of rankings, by its probability. */
  function expectation(
    estimator: 'none' | 'leave-one-out' | 'reward-to-go',
    utility: (typeof utilityNames)[number],
    k: number,
    entropy: number,
  ): number[] {
    const all = permutations(3)
    const chance = all.map((ranking) => Math.exp(sum(placementLogProbsOf(scores, ranking, 3))))
    const mean = [0, 0, 0]
    for (const [a, one] of all.entries()) {
      for (const [b, other] of all.entries()) {
        const rankings = [one, other]
        const weights = placeAdvantages(scores, rankings, list, { k, utility, estimator, entropy })
        const { gradient } = weightedPlacements(scores, rankings, weights, k)
        for (const document of mean.keys()) mean[document]! += chance[a]! * chance[b]! * (gradient[document]! / 2)
      }
    }
    return mean
  }

  it.each(utilityNames.flatMap((utility) => [1, 2, 3].map((k) => [utility, k] as const)))(
    'are unbiased for %s at %i',
    (utility, k) => {
      const exact = exactExpectation(scores, list, k, utility).gradient
      for (const estimator of ['none', 'leave-one-out', 'reward-to-go'] as const) {
        for (const [document, value] of expectation(estimator, utility, k, 0).entries())
          expect(value).toBeCloseTo(exact[document]!, 10)
      }
    },
  )

  it('hold the gradient of the entropy too', () => {
    const entropyOf = (values: readonly number[]): number =>
      -sum(
        permutations(3).map((ranking) => {
          const logProb = sum(placementLogProbsOf(values, ranking, 3))
          return Math.exp(logProb) * logProb
        }),
      )
    const exact = exactExpectation(scores, list, 3, 'ndcg-linear').gradient
    for (const estimator of ['none', 'leave-one-out', 'reward-to-go'] as const) {
      for (const [document, value] of expectation(estimator, 'ndcg-linear', 3, 0.3).entries()) {
        const moved = (by: number): number[] => scores.map((score, at) => (at === document ? score + by : score))
        const slope = (entropyOf(moved(1e-5)) - entropyOf(moved(-1e-5))) / 2e-5
        expect(value).toBeCloseTo(exact[document]! + 0.3 * slope, 6)
      }
    }
  })

  it('make a loss whose value and gradient are those of the tensors', () => {
    const before = tf.memory().numTensors
    const lists = [{ relevance: [1, 0, 2, 0] }, { relevance: [0, 3, 0] }]
    const values = [
      [0.5, 1, -1, 0],
      [2, -1, 0.3],
    ]
    const padded = [values[0]!, [...values[1]!, PADDING]]
    const options = { k: 3, utility: 'ndcg-linear', estimator: 'reward-to-go', entropy: 0 } as const
    const random = createRandom(1)
    const estimates = lists.map((one, at) => estimateList(values[at]!, one, 4, options, random))
    const advantages = estimates.map(({ rankings }, at) => placeAdvantages(values[at]!, rankings, lists[at]!, options))
    tf.tidy(() => {
      const x = tf.tensor2d(padded)
      const quick = tf.valueAndGrad((s) => tf.sum(estimatedLosses(s as tf.Tensor2D, estimates, values)))(x)
      const whole = tf.valueAndGrad((s) =>
        tf.sum(
          pgRankListLosses(
            s as tf.Tensor2D,
            estimates.map(({ rankings }) => rankings),
            advantages,
            3,
          ),
        ),
      )(x)
      expect(quick.value.dataSync()[0]).toBeCloseTo(whole.value.dataSync()[0]!, 4)
      for (const [at, one] of Array.from(quick.grad.dataSync()).entries())
        expect(one).toBeCloseTo(whole.grad.dataSync()[at]!, 5)
    })
    expect(tf.memory().numTensors).toBe(before)
  })

  it('agree with enumeration in tensors', () => {
    const byTensor = tf.tidy(() =>
      tf
        .grad((s) => exactUtility(s as tf.Tensor1D, list.relevance, 3, 'linear'))(tf.tensor1d(scores))
        .dataSync(),
    )
    const { gradient } = exactExpectation(scores, { relevance: list.relevance }, 3, 'ndcg-linear')
    for (const [at, value] of gradient.entries()) expect(byTensor[at]).toBeCloseTo(value, 5)
  })
})
