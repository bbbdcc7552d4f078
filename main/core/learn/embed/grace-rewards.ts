import { normalizeRows } from '../ops.ts'
import { readAll } from '../read-tensors.ts'
import { tf } from '../tf.ts'

// What GRACE (arXiv 2510.04506) rewards: the embedding that a rationale makes, as numbers and without a gradient.

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
export async function graceRewards(
  query: tf.Tensor2D,
  rollouts: tf.Tensor3D,
  negatives: tf.Tensor3D,
  weights: RewardWeights,
): Promise<RewardParts> {
  const { anchored, consistency, cross } = await similarities(query, rollouts)
  const [instances, count, dim] = negatives.shape
  const [away] = await readAll(() => {
    const unit = tf.reshape(normalizeRows(tf.reshape(negatives, [instances * count, dim])), [instances, count, dim])
    return [tf.sum<tf.Tensor1D>(tf.mul(tf.expandDims(normalizeRows(query), 1), unit), [1, 2])]
  })
  const contrastive = anchored.map((row, i) => row.map((value) => value - away[i]!))
  const hard = hardOf(cross)
  return {
    positive: anchored,
    contrastive,
    consistency,
    hard,
    total: combine(contrastive, consistency, (i) => hard[i]!, weights),
  }
}

/**
 * An extension, not in the paper: −max over other instances' queries of the similarity to this rollout, which differs
 * between the rollouts of a text and so does not cancel in the advantages. [instance, rollout]
 */
export async function rolloutHardTerm(query: tf.Tensor2D, rollouts: tf.Tensor3D): Promise<number[][]> {
  const { anchored, cross } = await similarities(query, rollouts)
  return anchored.map((row, i) =>
    row.map(
      (_value, k) =>
        0 - Math.max(...cross.flatMap((of, j) => (j === i ? [] : [of[i]![k]!])), cross.length === 1 ? 0 : -Infinity),
    ),
  )
}

/** The reward with that term in place of the paper's third. */
export function withRolloutHardTerm(
  parts: RewardParts,
  hard: readonly (readonly number[])[],
  weights: RewardWeights,
): number[][] {
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
export async function graceSelfRewards(
  anchors: tf.Tensor2D,
  rollouts: tf.Tensor3D,
  weights: RewardWeights,
): Promise<SelfRewardParts> {
  const { anchored, consistency, cross } = await similarities(anchors, rollouts)
  const hard = hardOf(cross)
  // cross[j][i][k] = sim(anchor_j, rollout k of instance i)
  const others = anchored.map((row, i) =>
    row.map((_value, k) => mean(cross.flatMap((of, j) => (j === i ? [] : [of[i]![k]!])))),
  )
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
export function graceLoss(
  logProbs: tf.Tensor2D,
  advantages: readonly (readonly number[])[],
  reduction: 'sum' | 'mean',
): tf.Scalar {
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

async function similarities(query: tf.Tensor2D, rollouts: tf.Tensor3D): Promise<Similarities> {
  const [instances, count, dim] = rollouts.shape
  const [cross, within] = await readAll(() => {
    const flat = normalizeRows(tf.reshape(rollouts, [instances * count, dim]))
    const unit = tf.reshape(flat, [instances, count, dim])
    return [
      tf.reshape<tf.Rank.R3>(tf.matMul(normalizeRows(query), flat, false, true), [instances, instances, count]),
      tf.matMul(unit, unit, false, true) as tf.Tensor3D,
    ]
  })
  return {
    anchored: cross.map((row, i) => row[i]!),
    consistency: within.map((matrix) => matrix.map((row, k) => mean(row.filter((_value, j) => j !== k)))),
    cross,
  }
}

function hardOf(cross: readonly (readonly (readonly number[])[])[]): number[] {
  return cross.map((row, i) => 0 - mean(row.flatMap((group, j) => (j === i ? [] : [Math.max(...group)]))))
}

function combine(
  first: readonly (readonly number[])[],
  consistency: readonly (readonly number[])[],
  hard: (instance: number, rollout: number) => number,
  weights: RewardWeights,
): number[][] {
  return first.map((row, i) =>
    row.map(
      (value, k) =>
        (value + weights.consistency * consistency[i]![k]! + weights.hard * hard(i, k)) / weights.temperature,
    ),
  )
}

/** 0 for none. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
