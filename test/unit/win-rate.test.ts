import { describe, expect, it, test } from 'vitest'
import { resultOf, scoreBouts } from '../../main/app/matches/match-result.ts'
import { asked, decided } from '../../main/workers/versus/judge-by-model.ts'
import type { MatchBout } from '../../shared/contract/matches.ts'
import { bestOfN } from '../../shared/statistics/best-of-n.ts'
import { lengthControlled, scoreOf, type Bout } from '../../shared/statistics/win-rate.ts'
import { createDraws } from '../support/coverage.ts'

const bout = (outcome: number, cluster: string, longerBy = 0): Bout => ({ outcome, cluster, longerBy })

describe('scoreOf', () => {
  it('keeps ties, counts them one half, and has an interval over prompts', () => {
    const score = scoreOf([bout(1, 'a'), bout(1, 'b'), bout(0.5, 'c'), bout(0, 'd')])!
    expect(score).toMatchObject({ bouts: 4, prompts: 4, wins: 2, ties: 1, losses: 1 })
    expect(score.winRate.rate).toBe(0.625)
    const twice = scoreOf(['a', 'b', 'c', 'd'].flatMap((prompt, at) => [bout(at % 2, prompt), bout(at % 2, prompt)]))!
    const once = scoreOf(['a', 'b', 'c', 'd'].map((prompt, at) => bout(at % 2, prompt)))!
    // A second answer that says the same again makes nobody surer.
    expect(twice.winRate).toEqual(once.winRate)
    expect(scoreOf([])).toBeNull()
  })
})

describe('lengthControlled', () => {
  it('is the maximum that SciPy finds, with the sandwich of NumPy', () => {
    const longerBy = [
      134, 233, 205, 35, 232, 249, 246, -163, 8, 79, -70, -27, 88, 168, 67, -120, 110, 200, -99, 50, -45, 215, -173, 19,
      212, -2, -136, 162, 243, 252, 227, -30, 137, 245, 63, 227, 71, -119, 13, 80,
    ]
    const outcomes = [
      0.5, 0, 1, 1, 1, 1, 1, 0, 1, 0.5, 0, 0, 0, 1, 1, 0, 1, 1, 0.5, 1, 0, 1, 1, 1, 1, 1, 1, 0.5, 0, 1, 1, 1, 0, 1, 0,
      1, 0.5, 1, 0, 1,
    ]
    const found = lengthControlled(outcomes.map((outcome, at) => bout(outcome, String(at >> 1), longerBy[at]!)))!
    expect(found.rate).toBeCloseTo(0.6056903763, 8)
    expect(found.low).toBeCloseTo(0.4177114794, 6)
    expect(found.high).toBeCloseTo(0.7668555201, 6)
  })

  it('takes away what length alone wins', () => {
    const draws = createDraws(3)
    // Whoever writes more wins in nine of ten; the first writes more in four of five.
    const bouts = Array.from({ length: 400 }, (_none, at) => {
      const longer = draws.uniform() < 0.8
      const wins = draws.uniform() < (longer ? 0.9 : 0.1)
      return bout(wins ? 1 : 0, String(at), longer ? 50 : -50)
    })
    const score = scoreOf(bouts)!
    expect(score.winRate.rate).toBeGreaterThan(0.68)
    expect(score.lengthControlled!.low).toBeLessThan(0.5)
    expect(score.lengthControlled!.high).toBeGreaterThan(0.5)
  })

  it('is not known where one side took all, or nobody differs in length', () => {
    expect(lengthControlled(['a', 'b', 'c'].map((prompt) => bout(1, prompt, 9)))).toBeNull()
    expect(lengthControlled(['a', 'b', 'c'].map((prompt, at) => bout(at % 2, prompt, 0)))).toBeNull()
  })
})

test('a model that is asked wins a pair in both orders, or it is a tie', () => {
  expect(decided(0.9, 0.2)).toMatchObject({ outcome: 1, firstTaken: [1, 0] })
  expect(decided(0.1, 0.8)).toMatchObject({ outcome: 0, firstTaken: [0, 1] })
  expect(decided(0.9, 0.8)).toMatchObject({ outcome: 0.5, firstTaken: [1, 1] }) // whatever stands first
  const pair = { prompt: 'Q?', answers: ['one', 'two'] as const }
  expect(asked(pair, false)).toMatch(/Q\?[^]*Answer A:\none[^]*Answer B:\ntwo/)
  expect(asked(pair, true)).toMatch(/Answer A:\ntwo[^]*Answer B:\none/)
  expect(asked({ ...pair, answers: ['x'.repeat(9000), 'two'] }, false).length).toBeLessThan(2500)
})

test('a result says what makes it doubtful', () => {
  const one: MatchBout = {
    prompt: 'p',
    sample: 0,
    answers: [
      { text: 'yes', tokens: 8, ended: false, score: 1 },
      { text: 'no', tokens: null, ended: null, score: 0 },
    ],
    outcome: 1,
  }
  const result = resultOf({
    found: {
      device: 'cpu',
      available: 9,
      used: 1,
      agreement: [1, 0, 1, 0].map((value, at) => ({ value, weight: 1, cluster: String(at) })),
      position: { first: 0.9, consistent: 0.2 },
      trainedOn: [1, 0],
    },
    bouts: [one],
    titles: ['mine', 'theirs'],
    players: [
      { kind: 'folder', path: '/m' },
      { kind: 'data', answers: 'chosen' },
    ],
    judge: 'somebody',
    datasetName: 'D',
    side: 'test',
    maxTokens: 8,
  })
  expect(result.warnings).toEqual([
    '1 of the 1 prompts are on the training side of mine: it may know their answers.',
    '100 % of the answers of mine reached 8 tokens without ending: a judge sees beginnings.',
    'somebody decides as people did in 50 % of 4 labeled pairs, which chance would give too: its verdicts say little.',
    'somebody took the answer that stood first in 90 % of its decisions. Where it changes its mind with the order, a pair counts as a tie.',
  ])
  expect(result.players[1]).toMatchObject({ characters: 2, tokens: null, ended: null, score: 0 })
  expect(scoreBouts([{ ...one, outcome: null }])).toBeNull()
})

describe('bestOfN', () => {
  it('is the mean of the largest over every way to choose n of the answers', () => {
    const scores = [
      [0.3, -1, 2, 0.7],
      [5, 5, 1, 0],
    ]
    const subsets = (values: readonly number[], n: number): number[][] =>
      n === 0
        ? [[]]
        : values.flatMap((value, at) => subsets(values.slice(at + 1), n - 1).map((rest) => [value, ...rest]))
    const expected = [1, 2, 3, 4].map((n) => {
      const of = scores.map((own) => subsets(own, n).map((chosen) => Math.max(...chosen)))
      return of.map((all) => all.reduce((sum, one) => sum + one, 0) / all.length).reduce((sum, one) => sum + one / 2, 0)
    })
    const found = bestOfN(scores)
    expect(found.map(({ n }) => n)).toEqual([1, 2, 3, 4])
    found.forEach(({ score }, at) => expect(score).toBeCloseTo(expected[at]!, 12))
    expect(found.map(({ kl }) => kl)).toEqual([
      0,
      expect.closeTo(Math.log(2) - 0.5, 12),
      expect.any(Number),
      expect.closeTo(Math.log(4) - 0.75, 12),
    ])
  })

  it('has as many as the prompt with the fewest answers, no interval for one prompt, and nothing for none', () => {
    expect(bestOfN([[1, 2, 3], [1]]).map(({ n }) => n)).toEqual([1])
    expect(bestOfN([[1, 2]])[1]).toMatchObject({ score: 2, low: null, high: null })
    expect(bestOfN([])).toEqual([])
  })
})
