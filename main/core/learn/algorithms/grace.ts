// GRACE: contrastive signals as the reward for rationales (arXiv 2510.04506)
import { z } from 'zod'
import { defineContrastMethod } from '../embed/contrast.ts'
import { EMBED_INFO } from '../embed/embed-metrics.ts'
import { normalizeRows } from '../ops.ts'
import { RATIONALE_SYSTEM } from '../embed/rationale.ts'
import { ROLLOUT_INFO } from '../sampling/rollout.ts'
import { tf } from '../tf.ts'

/** Which tokens are averaged: all of the text after the system prompt (Eq. 11 there), or the rationale alone (an ablation). */
export type PoolSpan = 'after-system' | 'rationale'

/**
 * Positions that count: real tokens past the first `systemTokens` of each row, counted from its first real token. A row
 * that has fewer tokens than that keeps all it has.
 * @param attention 1 on real tokens, padded on either side, host-side [row, time]   @returns 1 where counted [row, time]
 */
export function poolMask(attention: readonly (readonly number[])[], systemTokens: number): number[][] {
  return attention.map((row) => {
    const real = row.reduce((sum, value) => sum + value, 0)
    const skipped = systemTokens <= real ? systemTokens : 0
    let seen = 0
    return row.map((value) => {
      if (value === 0) return 0
      seen += 1
      return seen > skipped ? 1 : 0
    })
  })
}

/** Mean of the counted hidden states; 0 for a row without any. hidden [row, time, dim], mask [row, time] → [row, dim] */
export function meanPool(hidden: tf.Tensor3D, mask: tf.Tensor2D): tf.Tensor2D {
  return tf.tidy(() => {
    const sums = tf.sum(tf.mul(hidden, tf.expandDims(mask, 2)), 1)
    return tf.div(sums, tf.maximum(tf.sum(mask, 1, true), 1)) as tf.Tensor2D
  })
}

export interface RewardWeights {
  /** λ₁ of the agreement between rollouts of one text. */
  readonly consistency: number
  /** λ₂ of the distance from other instances. */
  readonly hard: number
  readonly temperature: number
}

/** Each term of each rollout, before λ and τ, and the whole. Rows are instances, columns their rollouts. */
export interface RewardParts {
  /** sim(h_q, h_k) [instance, rollout] */
  readonly positive: number[][]
  /** sim(h_q, h_k) − Σ_m sim(h_q, h_{d⁻,m}) [instance, rollout] */
  readonly contrastive: number[][]
  /** Mean similarity to the other rollouts; 0 for a group of one [instance, rollout] */
  readonly consistency: number[][]
  /** −mean over other instances of the best match of h_q there; the same for all rollouts [instance] */
  readonly hard: number[]
  /** (contrastive + λ₁ consistency + λ₂ hard) / τ [instance, rollout] */
  readonly total: number[][]
}

/**
 * The supervised reward (Eqs. 12 to 15 there), of numbers: no gradient flows through the embedding.
 * @param query [instance, dim]   @param rollouts [instance, rollout, dim]   @param negatives [instance, negative, dim]
 */
export function graceRewards(query: tf.Tensor2D, rollouts: tf.Tensor3D, negatives: tf.Tensor3D, weights: RewardWeights): RewardParts {
  const { anchored, consistency, cross } = similarities(query, rollouts)
  const [instances, count, dim] = negatives.shape
  const away = tf.tidy(() => {
    const unit = tf.reshape(normalizeRows(tf.reshape(negatives, [instances * count, dim])), [instances, count, dim])
    return tf.sum(tf.mul(tf.expandDims(normalizeRows(query), 1), unit), [1, 2]).arraySync() as number[]
  })
  const contrastive = anchored.map((row, i) => row.map((value) => value - away[i]!))
  const hard = hardOf(cross)
  return { positive: anchored, contrastive, consistency, hard, total: combine(contrastive, consistency, (i) => hard[i]!, weights) }
}

/**
 * An extension, not in the paper: −max over other instances' queries of the similarity to this rollout, which differs
 * between the rollouts of a text and so does not cancel in the advantages. [instance, rollout]
 */
export function rolloutHardTerm(query: tf.Tensor2D, rollouts: tf.Tensor3D): number[][] {
  const { anchored, cross } = similarities(query, rollouts)
  return anchored.map((row, i) => row.map((_value, k) => 0 - Math.max(...cross.flatMap((of, j) => (j === i ? [] : [of[i]![k]!])), cross.length === 1 ? 0 : -Infinity)))
}

/** The reward with that term in place of the paper's third. */
export function withRolloutHardTerm(parts: RewardParts, hard: readonly (readonly number[])[], weights: RewardWeights): number[][] {
  return combine(parts.contrastive, parts.consistency, (i, k) => hard[i]![k]!, weights)
}

export interface SelfRewardParts {
  /** sim(anchor, h_k) [instance, rollout] */
  readonly self: number[][]
  readonly consistency: number[][]
  /** As printed: one number an instance [instance] */
  readonly hard: number[]
  /** As in the official code: mean similarity of this rollout to other instances' anchors [instance, rollout] */
  readonly cross: number[][]
  readonly totalPaper: number[][]
  readonly totalCode: number[][]
}

/** The unsupervised reward: the anchor is one more rationale of the same text. Shapes as above. */
export function graceSelfRewards(anchors: tf.Tensor2D, rollouts: tf.Tensor3D, weights: RewardWeights): SelfRewardParts {
  const { anchored, consistency, cross } = similarities(anchors, rollouts)
  const hard = hardOf(cross)
  // cross[j][i][k] = sim(anchor_j, rollout k of instance i)
  const others = anchored.map((row, i) => row.map((_value, k) => mean(cross.flatMap((of, j) => (j === i ? [] : [of[i]![k]!])))))
  return {
    self: anchored,
    consistency,
    hard,
    cross: others,
    totalPaper: combine(anchored, consistency, (i) => hard[i]!, weights),
    totalCode: combine(anchored, consistency, (i, k) => -others[i]![k]!, weights),
  }
}

/** R_k − mean_l R_l, not divided by a deviation; a group of one keeps its reward, as verl has it. [instance, rollout] */
export function graceAdvantages(totals: readonly (readonly number[])[]): number[][] {
  return totals.map((row) => (row.length === 1 ? [...row] : row.map((value) => value - mean(row))))
}

/** −Σ_k A_k log π(y_k) (Eq. 19 there), or its mean over all rollouts. logProbs [instance, rollout] → [] */
export function graceLoss(logProbs: tf.Tensor2D, advantages: readonly (readonly number[])[], reduction: 'sum' | 'mean'): tf.Scalar {
  return tf.tidy(() => {
    const products = tf.mul(tf.tensor2d(advantages.map((row) => [...row])), logProbs)
    return tf.neg(reduction === 'sum' ? tf.sum(products) : tf.mean(products)) as tf.Scalar
  })
}

interface Similarities {
  readonly anchored: number[][]
  readonly consistency: number[][]
  /** [query, instance, rollout] */
  readonly cross: number[][][]
}

function similarities(query: tf.Tensor2D, rollouts: tf.Tensor3D): Similarities {
  const [instances, count, dim] = rollouts.shape
  return tf.tidy(() => {
    const flat = normalizeRows(tf.reshape(rollouts, [instances * count, dim]))
    const unit = tf.reshape(flat, [instances, count, dim])
    const cross = tf.reshape(tf.matMul(normalizeRows(query), flat, false, true), [instances, instances, count]).arraySync() as number[][][]
    const within = tf.matMul(unit, unit, false, true).arraySync() as number[][][]
    return {
      anchored: cross.map((row, i) => row[i]!),
      consistency: within.map((matrix) => matrix.map((row, k) => mean(row.filter((_value, j) => j !== k)))),
      cross,
    }
  })
}

function hardOf(cross: readonly (readonly (readonly number[])[])[]): number[] {
  return cross.map((row, i) => 0 - mean(row.flatMap((group, j) => (j === i ? [] : [Math.max(...group)]))))
}

function combine(first: readonly (readonly number[])[], consistency: readonly (readonly number[])[], hard: (instance: number, rollout: number) => number, weights: RewardWeights): number[][] {
  return first.map((row, i) => row.map((value, k) => (value + weights.consistency * consistency[i]![k]! + weights.hard * hard(i, k)) / weights.temperature))
}

/** 0 for none. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

export const grace = defineContrastMethod({
  id: 'grace',
  name: 'GRACE',
  summary: 'Writes a rationale, is rewarded for the embedding it makes',
  paper: { cite: 'GRACE, 2025', url: 'https://arxiv.org/abs/2510.04506' },
  vectors: ['grace', 'grpo_ppo'],
  equation: 'R = (sim(h_q, h_k) − Σ sim(h_q, h_d⁻) + λ₁·mean sim(h_k, h_j) + λ₂·R_hard)/τ,   A_k = R_k − mean R,   L = −Σ A_k log π(y_k | P(d⁺))',
  deviations: [
    'The prompt’s three parts, system, text and the end of the turn, are tokenized apart, so that the end of the system prompt is known; the official code looks for the text’s tokens.',
    'Pairlab’s own turn layout in place of the model’s chat template, and a system prompt in our words.',
    'One update on each set of rationales, strictly on-policy; the official code makes four mini-batches of a batch, the later ones slightly off-policy.',
    'As printed, the similarity to negatives and the hard term are the same for all rollouts of a text and cancel in the advantages; “of each rollout” is an extension of ours that does not.',
    'An unfinished rollout’s reward is −1 as in the official code; its frequency is reported.',
    'Every instance takes as many negatives as the one with the fewest has, up to the number asked for.',
  ],
  data: 'contrast-groups',
  role: 'policy',
  models: ['decoder'],
  needsReference: false,
  learns: 'rationales',
  config: z.strictObject({
    groupSize: z.int().min(2).max(64).default(8).meta({ title: 'Rollouts', symbol: 'K', help: 'Rationales written for each positive text.', group: 'main' }),
    consistency: z.number().min(0).max(10).default(0.2).meta({ title: 'Consistency', symbol: 'λ₁', help: 'Weight of the agreement between the rollouts of a text. Much of it invites rollouts that are all the same.', group: 'main' }),
    hard: z.number().min(0).max(10).default(0.2).meta({ title: 'Hard term', symbol: 'λ₂', help: 'Weight of the distance from other instances. As printed it has no effect on the advantages.', group: 'main' }),
    tau: z.number().positive().max(10).default(0.1).meta({ title: 'Temperature of the reward', symbol: 'τ', help: 'Rewards are divided by it; without division by a deviation it scales the step.', group: 'main' }),
    hardTerm: z.enum(['instance', 'rollout']).default('instance').meta({ title: 'Hard term is', help: 'Of the instance, as printed; or of each rollout: with queries, minus the largest similarity to another query (ours); without, minus the mean similarity to other anchors (the official code).', group: 'main' }),
    supervision: z.enum(['triples', 'none']).default('triples').meta({ title: 'Supervision', help: 'Queries with positives and negatives; or none: the anchor of a text is one more rationale of it.', group: 'main' }),
    negatives: z.int().min(0).max(16).default(1).meta({ title: 'Negatives', symbol: 'M', help: 'Of each query, at most.', group: 'expert' }),
    span: z.enum(['after-system', 'rationale']).default('after-system').meta({ title: 'Pooled tokens', help: 'Everything after the system prompt, as in the paper; or the rationale alone, an ablation.', group: 'expert' }),
    objective: z.enum(['clipped', 'sum']).default('clipped').meta({ title: 'Objective', help: 'The official code’s clipped surrogate, a mean over tokens; or the printed sum over the sequence.', group: 'expert' }),
    clipRatio: z.number().positive().lt(1).default(0.2).meta({ title: 'Clip', symbol: 'ε', help: 'How far the ratio to the writing policy counts.', group: 'expert' }),
    dualClip: z.number().gt(1).max(100).default(3).meta({ title: 'Dual clip', symbol: 'c', help: 'Bound of the loss where the advantage is negative.', group: 'expert' }),
    unfinishedPenalty: z.boolean().default(true).meta({ title: 'Unfinished is −1', help: 'A rollout that does not end gets −1 in place of its reward. With rewards below −1 that is a prize and not a penalty.', group: 'expert' }),
    rolloutTokens: z.int().min(1).max(4096).default(64).meta({ title: 'Longest rationale', unit: 'tokens', help: 'The paper’s is 2,048.', group: 'main' }),
    rolloutTemperature: z.number().positive().max(10).default(1).meta({ title: 'Roll-out temperature', help: 'Of the rollouts that are learned from.', group: 'expert' }),
    anchorTemperature: z.number().min(0).max(10).default(0.5).meta({ title: 'Anchor temperature', help: 'Of the rationales of queries and negatives, written once each.', group: 'expert' }),
    system: z.string().min(1).max(4000).default(RATIONALE_SYSTEM).meta({ title: 'System prompt', help: 'What asks for the rationale.', group: 'expert' }),
  }),
  metrics: [
    { name: 'loss', label: 'Loss', unit: '', goal: 'none', help: 'The policy-gradient surrogate. Advantages of a group add up to 0, so it stays near 0: read the reward.' },
    { name: 'clip/share', label: 'Clipped tokens', unit: 'fraction', goal: 'none', help: '0 on fresh samples.' },
    { name: 'grace/reward', label: 'Reward', unit: '', goal: 'max', help: 'Mean reward of the rollouts, divided by τ. It rises; all parts together.' },
    { name: 'grace/positive', label: 'Similarity to the query', unit: 'cosine', goal: 'max', help: 'sim(h_q, h_k). For an untrained model it stands near 1 for everything, and differences are in the third decimal.' },
    { name: 'grace/margin', label: 'Margin of rollouts', unit: 'cosine', goal: 'max', help: 'Similarity of query and rollout, less that of query and negatives. It should rise; if both similarities rise together, rationales are losing their content.' },
    { name: 'grace/contrast', label: 'Contrastive term', unit: 'cosine', goal: 'max', help: 'As in the reward: similarity to the query less the sum over negatives.' },
    { name: 'grace/consistency', label: 'Consistency term', unit: 'cosine', goal: 'none', help: 'Similarity between the rollouts of a text. At 1 they are all the same.' },
    { name: 'grace/hard', label: 'Hard term', unit: 'cosine', goal: 'none', help: 'Minus the similarity to other instances.' },
    { name: 'grace/distinct', label: 'Distinct rollouts', unit: 'fraction', goal: 'none', help: 'Share of a text’s rollouts that differ in any token. Near 1/K they have collapsed.' },
    { name: 'advantages/size', label: 'Size of advantages', unit: 'reward', goal: 'none', help: 'Mean of |A|. Where it is 0 nothing is learned.' },
    ...ROLLOUT_INFO.filter(({ name }) => name === 'rollout/tokens' || name === 'rollout/unfinished' || name === 'rollout/entropy'),
    ...EMBED_INFO,
  ],
  mainMetric: 'eval/embed/ndcg',
  presets: [
    {
      id: 'small',
      title: 'Small model',
      note: 'For models that were made here, from a finished run. A healthy run: reward and margin rise together, distinct rollouts stay above a half, entropy falls slowly, lengths hold. Similarities that all go to 1 with rollouts that are all the same is collapse: a lower λ₁, a lower learning rate, or the hard term of each rollout.',
      config: { groupSize: 4, rolloutTokens: 32 },
      training: { steps: 60, batchSize: 8, learningRate: 3e-4, warmupFraction: 0.05, schedule: 'constant', maxLength: 192 },
    },
    {
      id: 'paper',
      title: 'GRACE paper',
      note: 'K 8, λ₁ = λ₂ = 0.2, τ 0.1, learning rate 1e-6, batch 64, two epochs, prompts to 1,024 and rationales to 2,048 tokens, on models of 1.5 to 4 billion parameters.',
      config: { groupSize: 8, rolloutTokens: 2048 },
      training: { steps: 3000, batchSize: 64, learningRate: 1e-6, warmupFraction: 0, schedule: 'constant', maxLength: 3072 },
    },
  ],
})
