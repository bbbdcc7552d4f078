// Neural PG-RANK (Gao et al., 2023), arXiv 2310.04407
import { z } from 'zod'
import { pretrainedEncoder } from '../pretrained-presets.ts'
import { invariant } from '../../../../shared/assert.ts'
import { defineRanking, LIST_SIZE, lossInfo, pickList, rankingInfo, SCORER_FIELDS } from '../ranking/ranking.ts'
import type { Gain } from '../ranking/ranking-metrics.ts'
import type { Random } from '../random.ts'
import {
  createRewards,
  placeRewards,
  tailsOf,
  utilityNames,
  type JudgedList,
  type Utility,
} from '../ranking/ranking-utility.ts'
import { tf } from '../tf.ts'
import { gumbelTopK, placementLogProbsOf, placementLogProbsOfLists, weightedPlacements } from './plackett-luce.ts'

/** nDCG@k of each sampled ranking; 0 for all where nothing is relevant. @param relevance by document   @returns [ranking] */
export function rankingUtilities(
  rankings: readonly (readonly number[])[],
  relevance: readonly number[],
  k: number,
  gain: Gain,
): number[] {
  return tailUtilities(rankings, relevance, k, gain).map((tails) => tails[0] ?? 0)
}

/** What places i … k still add to nDCG@k, for each i. → [ranking, place] */
export function tailUtilities(
  rankings: readonly (readonly number[])[],
  relevance: readonly number[],
  k: number,
  gain: Gain,
): number[][] {
  return rankings.map((ranking) => tailsOf(placeRewards(ranking, { relevance }, k, `ndcg-${gain}`)))
}

/** Δ_i − mean of the others; one sample alone has nothing to be compared with and keeps its utility. [ranking] → the same */
export function leaveOneOut(utilities: readonly number[]): number[] {
  if (utilities.length < 2) return [...utilities]
  const sum = utilities.reduce((total, value) => total + value, 0)
  return utilities.map((value) => value - (sum - value) / (utilities.length - 1))
}

/** The same place by place. [ranking, place] → the same */
export function leaveOneOutTails(tails: readonly (readonly number[])[]): number[][] {
  const columns = (tails[0] ?? []).map((_value, place) => leaveOneOut(tails.map((row) => row[place]!)))
  return tails.map((_row, ranking) => columns.map((column) => column[ranking]!))
}

/** How the advantage of a sampled ranking is formed. */
export const estimatorNames = ['reward-to-go', 'leave-one-out', 'none'] as const
export type Estimator = (typeof estimatorNames)[number]

export interface SampleOptions {
  readonly k: number
  readonly utility: Utility
  readonly estimator: Estimator
  /** H: −log π enters the utility with this weight, which is an unbiased gradient of the entropy. */
  readonly entropy: number
}

/**
 * The weight of ∇log π at each place: what the ranking is worth less what the others are, whole (leave-one-out) or from
 * that place on (reward-to-go); `none` compares with nothing. Every estimator's expectation is the gradient.
 * @param scores of the list, already divided by the temperature   @returns [ranking, place]
 */
export function placeAdvantages(
  scores: readonly number[],
  rankings: readonly (readonly number[])[],
  list: JudgedList,
  { k, utility, estimator, entropy }: SampleOptions,
): number[][] {
  const rewardsOf = createRewards(list, k, utility)
  const tails = rankings.map((ranking) => {
    const rewards = rewardsOf(ranking)
    if (entropy === 0) return tailsOf(rewards)
    const logProbs = placementLogProbsOf(scores, ranking, k)
    return tailsOf(rewards.map((reward, place) => reward - entropy * logProbs[place]!))
  })
  if (estimator === 'reward-to-go') return leaveOneOutTails(tails)
  const whole = tails.map((row) => row[0] ?? 0)
  const advantages = estimator === 'none' ? whole : leaveOneOut(whole)
  return tails.map((row, ranking) => row.map(() => advantages[ranking]!))
}

/**
 * −(1/N) Σ_i A_i log π(r_i), its gradient that of the expected utility up to the sign (Eq. 5 there).
 * @param scores [document]   @param advantages of whole rankings [ranking], or place by place [ranking, place]
 */
export function pgRankLoss(
  scores: tf.Tensor1D,
  rankings: readonly (readonly number[])[],
  advantages: readonly number[] | readonly (readonly number[])[],
  k: number,
): tf.Scalar {
  return tf.tidy(() => {
    const places = Math.min(k, scores.shape[0])
    const weights = advantages.map((one: number | readonly number[]) =>
      typeof one === 'number' ? Array.from({ length: places }, () => one) : [...one],
    )
    return tf.squeeze<tf.Scalar>(pgRankListLosses(tf.expandDims(scores, 0), [rankings], [weights], k))
  })
}

/**
 * The same for several lists at once; shorter lists are padded as for `placementLogProbsOfLists`.
 * @param scores [list, document]   @param rankings, advantages [list, ranking, place]   @returns [list]
 */
export function pgRankListLosses(
  scores: tf.Tensor2D,
  rankings: readonly (readonly (readonly number[])[])[],
  advantages: readonly (readonly (readonly number[])[])[],
  k: number,
): tf.Tensor1D {
  return tf.tidy(() => {
    const placed = placementLogProbsOfLists(scores, rankings, k) // [list, ranking, place]
    const [lists, perList, places] = placed.shape
    const weights = new Float32Array(lists * perList * places)
    advantages.forEach((ofList, list) =>
      ofList.forEach((row, ranking) => weights.set(row.slice(0, places), (list * perList + ranking) * places)),
    )
    return tf.neg(
      tf.div(tf.sum(tf.mul(placed, tf.tensor3d(weights, placed.shape)), [1, 2]), Math.max(1, perList)),
    ) as tf.Tensor1D
  })
}

/** What the update of one list needs, all of it decided by the scores' values. */
export interface ListEstimate {
  /** [ranking, place] */
  readonly rankings: readonly (readonly number[])[]
  /** −(1/N) Σ A log π, and its gradient by the scores [document] */
  readonly loss: number
  readonly gradient: Float64Array
}

/** Samples N rankings and estimates the gradient of the expected utility from them. @param scores already divided by the temperature */
export function estimateList(
  scores: readonly number[],
  list: JudgedList,
  count: number,
  options: SampleOptions,
  random: Random,
): ListEstimate {
  const rankings = Array.from({ length: count }, () => gumbelTopK(scores, options.k, () => random.uniform()))
  const advantages = placeAdvantages(scores, rankings, list, options)
  const { value, gradient } = weightedPlacements(scores, rankings, advantages, options.k)
  return { rankings, loss: -value / count, gradient: gradient.map((one) => -one / count) }
}

/**
 * A loss with these values and gradients, linear in the scores: the estimates belong to the scores they were sampled from,
 * and there it is the loss of `pgRankListLosses`. It costs nothing like N · k · n. [list, document] → [list]
 */
export function estimatedLosses(
  scores: tf.Tensor2D,
  estimates: readonly ListEstimate[],
  values: readonly (readonly number[])[],
): tf.Tensor1D {
  return tf.tidy(() => {
    const [lists, longest] = scores.shape
    const gradients = new Float32Array(lists * longest)
    const offsets = estimates.map(({ gradient, loss }, list) => {
      gradients.set(gradient, list * longest)
      return loss - gradient.reduce((sum, one, at) => sum + Math.fround(one) * values[list]![at]!, 0)
    })
    return tf.add(
      tf.sum(tf.mul(scores, tf.tensor2d(gradients, [lists, longest])), 1),
      tf.tensor1d(offsets),
    ) as tf.Tensor1D
  })
}

interface Sampled {
  readonly estimates: readonly ListEstimate[]
  readonly values: readonly (readonly number[])[]
}

const config = z.strictObject({
  ...SCORER_FIELDS,
  listSize: LIST_SIZE,
  utility: z.enum(utilityNames).default('ndcg-linear').meta({
    title: 'Utility',
    symbol: 'Δ',
    help: 'What a sampled ranking is worth: nDCG with gain rel (linear: trec_eval, BEIR) or 2^rel − 1 (exponential: LETOR), the reciprocal rank of the first relevant document, or recall.',
    group: 'main',
  }),
  rankings: z.int().min(1).max(256).default(16).meta({
    title: 'Rankings',
    symbol: 'N',
    help: 'Sampled for each query and update. Baselines need two or more.',
    group: 'main',
  }),
  estimator: z.enum(estimatorNames).default('reward-to-go').meta({
    title: 'Estimator',
    help: 'What a ranking is compared with: the other samples, whole (leave-one-out) or from each place on (reward-to-go, less noise), or nothing. All are unbiased.',
    group: 'expert',
  }),
  entropy: z.number().min(0).max(10).default(0).meta({
    title: 'Entropy bonus',
    symbol: 'H',
    help: 'Keeps the policy from settling on one order early: −log π joins the utility with this weight.',
    group: 'expert',
  }),
})

export const pgRank = defineRanking<z.infer<typeof config>, Sampled>({
  id: 'pg-rank',
  name: 'Neural PG-RANK',
  summary: 'Sampled rankings, weighted by what they are worth',
  paper: { cite: 'Gao et al., 2023', url: 'https://arxiv.org/abs/2310.04407' },
  vectors: ['pg_rank', 'plackett_luce'],
  equation: 'L = −(1/N) Σᵢ (Δ(rᵢ) − mean_{j≠i} Δ(rⱼ)) log π(rᵢ),  π(r) = Πₖ softmax(s over what remains)_{rₖ}',
  deviations: [
    'Reward-to-go by place is the default; the plain leave-one-out of the paper is a setting.',
    'log π is taken over the first k places alone: later ones do not change the utility.',
    'An update reads at most “list size” documents of a query; the ideal ranking still holds every judged one.',
    'Candidates are BM25’s, where the paper also searches with its own vectors.',
    'A query without a relevant candidate has no gradient and is left out.',
  ],
  config,
  metrics: [
    {
      ...lossInfo(
        'Its value says little, since every sample is compared with the others: it begins near 0 and drifts below as better rankings become likelier. Watch the utility.',
      ),
      goal: 'none',
    },
    {
      name: 'utility',
      label: 'Utility of sampled rankings',
      unit: 'fraction',
      goal: 'max',
      help: 'Mean over the sampled rankings of the update. It rises as the policy learns; noise between updates is normal.',
    },
    {
      name: 'utility_spread',
      label: 'Spread of the utility',
      unit: 'fraction',
      goal: 'none',
      help: 'Standard deviation between a query’s samples, mean over queries. At 0 all samples are worth the same and nothing is learned.',
    },
    {
      name: 'entropy',
      label: 'Entropy',
      unit: 'nats',
      goal: 'none',
      help: 'Mean −log π of the sampled places. It falls slowly as the policy becomes sure; near 0 while the utility stands still it has settled too early.',
    },
    {
      name: 'no_signal',
      label: 'Queries without a signal',
      unit: 'fraction',
      goal: 'min',
      help: 'Share of queries whose samples are all worth the same.',
    },
    ...rankingInfo(),
  ],
  judgedBy: ({ utility }) =>
    `eval/${utility === 'ndcg-linear' ? 'ndcg' : utility === 'ndcg-exp' ? 'ndcg_exp' : utility}`,
  presets: [
    {
      id: 'features',
      title: 'Features',
      suits: ['networks'],
      note: 'A small network on feature files or match features: 100 candidates, all of them in every list.',
      config: { temperature: 1, hidden: 16, candidates: 100, listSize: 100 },
      training: {
        steps: 200,
        batchSize: 32,
        microBatchSize: 32,
        learningRate: 1e-2,
        warmupFraction: 0,
        schedule: 'linear',
      },
    },
    {
      id: 'encoder',
      title: 'Text encoder',
      suits: ['new'],
      note: 'For Pairlab’s own small encoders: cosine at 0.05, 16 rankings.',
      config: { similarity: 'cosine', temperature: 0.05 },
      training: { steps: 200, batchSize: 16, learningRate: 1e-3, warmupFraction: 0.1, schedule: 'cosine' },
    },
    ...pretrainedEncoder(8),
    {
      id: 'paper',
      title: 'Paper',
      note: 'Gao et al. (2023): a DistilBERT bi-encoder with dot products, warm-started contrastively, nDCG@10, six epochs on MS MARCO. Rate and entropy weight are as far as they are known.',
      config: {
        scorer: 'bi-encoder',
        similarity: 'dot',
        temperature: 1,
        estimator: 'leave-one-out',
        entropy: 0.01,
        candidates: 1000,
        listSize: 64,
      },
      training: { steps: 5000, batchSize: 32, learningRate: 1e-6, warmupFraction: 0.1, schedule: 'linear' },
    },
  ],
  acrossLists: () => false,
  pick: (list, { listSize }, random) => pickList(list, listSize, random),
  prepare(scores, { lists }, { rankings: count, cutoff: k, utility, estimator, entropy }, random) {
    const estimates = scores.map((row, at) =>
      estimateList(row, lists[at]!, count, { k, utility, estimator, entropy }, random),
    )
    const worths = estimates.map(({ rankings }, at) => {
      const rewardsOf = createRewards(lists[at]!, k, utility)
      return rankings.map((ranking) => rewardsOf(ranking).reduce((sum, one) => sum + one, 0))
    })
    const spreads = worths.map((values) => spreadOf(values))
    const surprise = estimates.map(
      ({ rankings }, at) =>
        -weightedPlacements(
          scores[at]!,
          rankings,
          rankings.map((ranking) => ranking.map(() => 1 / (ranking.length * rankings.length))),
          k,
        ).value,
    )
    return {
      plan: { estimates, values: scores },
      metrics: {
        utility: meanOf(worths.map(meanOf)),
        utility_spread: meanOf(spreads),
        entropy: meanOf(surprise),
        no_signal: meanOf(spreads.map((spread) => (spread < 1e-9 ? 1 : 0))),
      },
    }
  },
  loss({ own }, _batch, _config, plan) {
    invariant(plan !== null, 'PG-RANK gets the rankings it sampled')
    return estimatedLosses(own, plan.estimates, plan.values)
  },
})

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function spreadOf(values: readonly number[]): number {
  const center = meanOf(values)
  return Math.sqrt(meanOf(values.map((value) => (value - center) ** 2)))
}
