// Neural PG-RANK's estimators against enumeration: are they unbiased, and what do baselines buy?
import { mean, standardError } from '../../../shared/statistics/intervals.ts'
import { placeAdvantages, type Estimator } from '../../core/learn/algorithms/pg-rank.ts'
import { exactExpectation } from '../../core/learn/ranking/ranking-exact.ts'
import type { JudgedList, Utility } from '../../core/learn/ranking/ranking-utility.ts'
import { gumbelRanking, placementGradient } from '../../core/learn/algorithms/plackett-luce.ts'
import { createRandom, type Random } from '../../core/learn/random.ts'
import { verdictOf, type Gate, type Report, type Reproduction, type RunOptions } from './define.ts'
import { PGRANK_EXACT } from './thresholds.ts'

interface Case {
  readonly name: string
  readonly scores: readonly number[]
  readonly list: JudgedList
  readonly k: number
  readonly utility: Utility
  readonly samples: number
}

const CASES: readonly Case[] = [
  {
    name: 'n 3, nDCG@3',
    scores: [0.5, -0.2, 1],
    list: { relevance: [0, 1, 2] },
    k: 3,
    utility: 'ndcg-linear',
    samples: 2,
  },
  {
    name: 'n 5, nDCG@5',
    scores: [1.2, 0.3, -0.5, 0, 0.8],
    list: { relevance: [0, 2, 1, 0, 3] },
    k: 5,
    utility: 'ndcg-exp',
    samples: 4,
  },
  {
    name: 'n 5, nDCG@2, one relevant document elsewhere',
    scores: [2, 1, 0, -1, -2],
    list: { relevance: [0, 1, 0, 3, 1], unlisted: [2] },
    k: 2,
    utility: 'ndcg-linear',
    samples: 8,
  },
  {
    name: 'n 4, MRR@3',
    scores: [0.4, 0.1, -0.3, 0.9],
    list: { relevance: [1, 0, 1, 0] },
    k: 3,
    utility: 'mrr',
    samples: 4,
  },
  {
    name: 'n 5, recall@2',
    scores: [0, 0.5, 1, -0.5, 0.2],
    list: { relevance: [1, 0, 0, 1, 1] },
    k: 2,
    utility: 'recall',
    samples: 4,
  },
]
const ESTIMATORS: readonly Estimator[] = ['none', 'leave-one-out', 'reward-to-go']

interface Measured {
  /** Largest distance of a coordinate's mean from the exact gradient, in standard errors. */
  readonly worst: number
  /** Sum over the coordinates of the estimate's variance. */
  readonly variance: number
}

/** Each kind of estimate from the same rankings. @param draws estimates, each from `samples` rankings   @returns [estimator] */
function measure({ scores, list, k, utility, samples }: Case, draws: number, random: Random): Measured[] {
  const exact = exactExpectation(scores, list, k, utility).gradient
  const estimates = ESTIMATORS.map(() => scores.map(() => new Float64Array(draws)))
  const ones = scores.map(() => 1)
  for (let draw = 0; draw < draws; draw += 1) {
    const rankings = Array.from({ length: samples }, () =>
      gumbelRanking(
        scores,
        ones.map(() => random.uniform()),
      ),
    )
    for (const [at, estimator] of ESTIMATORS.entries()) {
      const advantages = placeAdvantages(scores, rankings, list, { k, utility, estimator, entropy: 0 })
      for (const [index, ranking] of rankings.entries()) {
        for (const [document, value] of placementGradient(scores, ranking, advantages[index]!, k).entries())
          estimates[at]![document]![draw]! += value / samples
      }
    }
  }
  return estimates.map((byDocument) => {
    const values = byDocument.map((column) => Array.from(column))
    const errors = values.map((column) => standardError(column))
    return {
      worst: Math.max(
        ...values.map((column, document) => Math.abs(mean(column) - exact[document]!) / errors[document]!),
      ),
      variance: errors.reduce((sum, error) => sum + error ** 2 * draws, 0),
    }
  })
}

async function run({ form, seedCount, say }: RunOptions): Promise<Report> {
  const draws = form === 'quick' ? PGRANK_EXACT.draws : 10 * PGRANK_EXACT.draws
  const seeds = Array.from({ length: seedCount ?? 1 }, (_none, at) => at + 1)
  const rows: { readonly name: string; readonly by: readonly Measured[] }[] = []
  for (const one of CASES) {
    say(`${one.name}: ${draws} estimates of each kind`)
    const perSeed = seeds.map((seed) => measure(one, draws, createRandom(seed).fork(one.name)))
    rows.push({
      name: one.name,
      by: ESTIMATORS.map((_, at) => ({
        worst: Math.max(...perSeed.map((all) => all[at]!.worst)),
        variance: mean(perSeed.map((all) => all[at]!.variance)),
      })),
    })
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  const [none, whole, toGo] = ESTIMATORS.map((_, at) => rows.map((row) => row.by[at]!)) as [
    Measured[],
    Measured[],
    Measured[],
  ]
  const worst = Math.max(...rows.flatMap((row) => row.by.map((one) => one.worst)))
  const ratio = (above: readonly Measured[], below: readonly Measured[]): number[] =>
    above.map((one, at) => one.variance / below[at]!.variance)
  const wholeShare = Math.max(...ratio(whole, none))
  const toGoShares = ratio(toGo, whole)
  const gates: Gate[] = [
    {
      claim: 'every estimator is unbiased',
      measured: `at most ${worst.toFixed(2)} standard errors from the exact gradient`,
      required: `≤ ${PGRANK_EXACT.standardErrors} standard errors, each coordinate of ${rows.length} cases`,
      verdict: worst <= PGRANK_EXACT.standardErrors ? 'holds' : 'does not hold',
    },
    {
      claim: 'the leave-one-out baseline lowers the variance',
      measured: `at most ${wholeShare.toFixed(2)} of it left`,
      required: '< 1 in every case',
      verdict: wholeShare < 1 ? 'holds' : 'does not hold',
    },
    // "Usually": a place's own tail may vary more than the whole in some lists.
    {
      claim: 'reward-to-go lowers it further in most cases',
      measured: `${toGoShares.filter((share) => share <= 1).length} of ${rows.length} cases, ${Math.min(...toGoShares).toFixed(2)} to ${Math.max(...toGoShares).toFixed(2)} of it left`,
      required: 'more than half of the cases',
      verdict: toGoShares.filter((share) => share <= 1).length > rows.length / 2 ? 'holds' : 'does not hold',
    },
  ]
  return {
    id: 'pgrank-exact',
    title: 'PG-RANK’s gradient, estimated and exact',
    form,
    seeds,
    setup: `${rows.length} lists of 3 to 5 documents; the exact gradient of the expected utility by enumerating every ranking; ${draws.toLocaleString('en')} estimates of each kind, of 2 to 8 sampled rankings`,
    tables: [
      {
        title: 'Distance from the exact gradient and variance of an estimate',
        columns: [
          'case',
          ...ESTIMATORS.map((name) => `${name}: worst (s.e.)`),
          ...ESTIMATORS.map((name) => `${name}: variance`),
        ],
        rows: rows.map((row) => [row.name, ...row.by.map((one) => one.worst), ...row.by.map((one) => one.variance)]),
      },
    ],
    figures: [],
    gates,
    verdict: verdictOf(gates),
    notes: [],
  }
}

export const pgRankExact: Reproduction = {
  run,
}
