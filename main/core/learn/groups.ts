import { invariant } from '../../../shared/assert.ts'
import type { Batch, BatchTotals } from './define.ts'
import { klMetrics, logProbMetrics, rewardMetrics } from './pair-metrics.ts'
import { completionLengths, klK1, klK3, weightedShare } from './ops.ts'
import { tf } from './tf.ts'

// Pairs and k-sample groups seen alike: a pair is a group of two.

export interface Grouped {
  readonly prompts: number
  readonly samples: number
  /** R [prompt, sample] */
  readonly rewards: tf.Tensor2D
  /** 1 where the sample exists [prompt, sample] */
  readonly valid: tf.Tensor2D
  /** Numbers of the batch's rows, in its own order, as [prompt, sample]. */
  grid(rows: tf.Tensor1D): tf.Tensor2D
  /** The inverse: [prompt, sample] → [row]. */
  rows(grid: tf.Tensor2D): tf.Tensor1D
}

export function grouped(batch: Batch): Grouped {
  invariant(batch.kind !== 'answers', 'answers that stand alone make no groups')
  if (batch.kind === 'groups') {
    const shape: [number, number] = [batch.prompts, batch.samples]
    return {
      prompts: batch.prompts,
      samples: batch.samples,
      rewards: batch.rewards,
      valid: batch.valid,
      grid: (rows) => tf.reshape(rows, shape),
      rows: (grid) => tf.reshape(grid, [-1]),
    }
  }
  const { pairs } = batch
  return {
    prompts: pairs,
    samples: 2,
    rewards: tf.stack([batch.rewardChosen, batch.rewardRejected], 1) as tf.Tensor2D,
    valid: tf.ones([pairs, 2]),
    // Rows are all the chosen ones, then all the others.
    grid: (rows) => tf.transpose(tf.reshape<tf.Rank.R2>(rows, [2, pairs])),
    rows: (grid) => tf.reshape(tf.transpose(grid), [-1]),
  }
}

/** Mean over the samples that exist [prompt, sample] → [prompt]; 0 for a prompt without any. */
export function meanOverSamples(values: tf.Tensor2D, valid: tf.Tensor2D): tf.Tensor1D {
  return tf.div(tf.sum(tf.mul(values, valid), 1), tf.maximum(tf.sum(valid, 1), 1)) as tf.Tensor1D
}

/** x_i − x_j [prompt, sample, sample] */
export function pairwise(x: tf.Tensor2D): tf.Tensor3D {
  return tf.sub(tf.expandDims(x, 2), tf.expandDims(x, 1))
}

/** Mean over the ordered pairs of two different valid samples [prompt]. */
export function meanOverPairs(values: tf.Tensor3D, valid: tf.Tensor2D): tf.Tensor1D {
  const samples = valid.shape[1]
  const both = tf.mul(tf.mul(tf.expandDims(valid, 2), tf.expandDims(valid, 1)), tf.sub(1, tf.eye(samples)))
  const count = tf.maximum(tf.sum(both, [1, 2]), 1)
  return tf.div(tf.sum(tf.mul(values, both), [1, 2]), count) as tf.Tensor1D
}

/**
 * What every policy beside a reference reports. On pairs TRL's metrics by side; on groups the share of sample pairs
 * whose implicit rewards β·r are ordered as their rewards are, and the distance to the reference.
 * @param ratios r = log π − log π_ref of each row [row]   @param logProbs [row, time−1]
 */
export function policyMetrics(
  batch: Batch,
  totals: BatchTotals,
  logProbs: tf.Tensor2D,
  reference: tf.Tensor2D,
  ratios: tf.Tensor1D,
  beta: number,
): Record<string, tf.Scalar> {
  if (batch.kind === 'pairs') {
    return {
      ...rewardMetrics({ batch, totals, rewards: tf.mul(ratios, beta) as tf.Tensor1D }),
      ...logProbMetrics(batch, totals, logProbs),
      ...klMetrics(batch, totals, logProbs, reference),
    }
  }
  if (batch.kind === 'answers') {
    const ofRows = (values: tf.Tensor2D): tf.Scalar =>
      weightedShare(tf.sum<tf.Tensor1D>(values, 1), batch.weight, totals.weight)
    return { 'kl/k1': ofRows(klK1(logProbs, reference)), 'kl/k3': ofRows(klK3(logProbs, reference)) }
  }
  const group = grouped(batch)
  const share = (values: tf.Tensor1D): tf.Scalar => weightedShare(values, batch.weight, totals.weight)
  // A masked completion has log-probs of 0 on both sides, which is no distance of 0.
  const counted = tf.mul(
    group.valid,
    group.grid(tf.cast(tf.greater(completionLengths(batch.tokens), 0), 'float32')),
  ) as tf.Tensor2D
  const overSamples = (values: tf.Tensor2D): tf.Scalar =>
    share(meanOverSamples(group.grid(tf.sum<tf.Tensor1D>(values, 1)), counted))
  const agreement = tf.mul(
    tf.add(tf.mul(tf.sign(pairwise(group.rewards)), tf.sign(pairwise(group.grid(ratios)))), 1),
    0.5,
  ) as tf.Tensor3D
  return {
    'rewards/accuracies': share(meanOverPairs(agreement, counted)),
    'kl/k1': overSamples(klK1(logProbs, reference)),
    'kl/k3': overSamples(klK3(logProbs, reference)),
  }
}
