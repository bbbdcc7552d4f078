// Pairs in which each answer was judged by itself: what a loss makes of them, and what is measured on them.
import type { MetricInfo } from '../../../shared/domain.ts'
import type { AnswerBatch, BatchTotals, PairBatch } from './define.ts'
import { fractionGreater, splitPairs, weightedShare } from './ops.ts'
import { softPreference } from './preference-strength.ts'
import { tf } from './tf.ts'

/**
 * How desirable each answer is: p and 1 − p of a pair whose sides are compared with label p, else what was said of the
 * answer itself, which has no strength. @returns rows in the order of the batch's tokens [row]
 */
export function desirability(batch: PairBatch | AnswerBatch, usesStrength: boolean): tf.Tensor1D {
  if (batch.kind === 'answers') return batch.good
  const soft = softPreference(batch, usesStrength)
  const compared = tf.concat1d([soft, tf.sub(1, soft)])
  if (batch.judged == null) return compared
  return tf.add(tf.mul(compared, both(batch.judged.compared)), batch.judged.good) as tf.Tensor1D
}

/** The same number for both rows of a pair. [pair] → [2·pair] */
function both(values: tf.Tensor1D): tf.Tensor1D {
  return tf.concat1d([values, values])
}

/** Whether a batch, of which these are the totals, has a pair whose sides are compared. */
export function comparesAny({ judged }: BatchTotals): boolean {
  return judged === undefined || judged.compared > 0
}

/** Share of a weighted mean over the pairs whose sides are compared. @param values [pair] */
export function comparedShare(values: tf.Tensor1D, batch: PairBatch, totals: BatchTotals): tf.Scalar {
  return weightedShare(values, comparedWeight(batch), totals.judged?.compared ?? totals.weight)
}

/** The same of a metric, its values told to an evaluation that asks for them. @param values [pair] */
export function toldMean(metric: string, values: tf.Tensor1D, batch: PairBatch, totals: BatchTotals): tf.Scalar {
  totals.tell?.(metric, 'mean', values, comparedWeight(batch))
  return comparedShare(values, batch, totals)
}

/** 0 where the sides are not compared [pair] */
function comparedWeight(batch: PairBatch): tf.Tensor1D {
  return batch.judged == null ? batch.weight : tf.mul(batch.weight, batch.judged.compared)
}

/**
 * Share of outcomes over the compared pairs, told to an evaluation that asks for them.
 * @param outcomes 1 where the preferred side comes first, ½ where the two are equal or the label is a tie [pair]
 */
export function toldShare(metric: string, outcomes: tf.Tensor1D, batch: PairBatch, totals: BatchTotals): tf.Scalar {
  if (totals.tell !== undefined) {
    const strict = tf.cast(tf.notEqual(batch.preference, 0.5), 'float32')
    const compared = batch.judged == null ? strict : tf.mul(strict, batch.judged.compared)
    totals.tell(metric, 'share', outcomes, tf.mul(batch.weight, compared) as tf.Tensor1D)
  }
  return comparedShare(outcomes, batch, totals)
}

/**
 * Shares of what is measured on answers that were judged by themselves, each where there are any: their mean reward,
 * good and bad apart, and how often they lie on the right side of the line.
 * @param rewards [row]   @param line what a good answer's reward should be above
 */
export function judgedMetrics(
  batch: PairBatch | AnswerBatch,
  totals: BatchTotals,
  rewards: tf.Tensor1D,
  line: tf.Scalar | number,
): Record<string, tf.Scalar> {
  if (totals.judged === undefined) return {}
  const { good, bad } = totals.judged
  const weight = batch.kind === 'answers' ? batch.weight : both(tf.mul(batch.weight, judgedPairs(batch)))
  const share = batch.kind === 'answers' ? batch.good : (batch.judged?.good ?? tf.zerosLike(weight))
  const weightGood = tf.mul(weight, share) as tf.Tensor1D
  const weightBad = tf.sub(weight, weightGood) as tf.Tensor1D
  const above = fractionGreater(rewards, tf.add(tf.zerosLike(rewards), line))
  const right = tf.add(tf.mul(share, above), tf.mul(tf.sub(1, share), tf.sub(1, above))) as tf.Tensor1D
  if (good + bad > 0) totals.tell?.('judged/accuracies', 'share', right, weight)
  return {
    ...(good > 0 ? { 'rewards/good': weightedShare(rewards, weightGood, good) } : {}),
    ...(bad > 0 ? { 'rewards/bad': weightedShare(rewards, weightBad, bad) } : {}),
    ...(good + bad > 0 ? { 'judged/accuracies': weightedShare(right, weight, good + bad) } : {}),
  }
}

/** 1 where the two sides are not compared, else 0 [pair] */
function judgedPairs(batch: PairBatch): tf.Tensor1D {
  return batch.judged == null ? tf.zerosLike(batch.weight) : tf.sub(1, batch.judged.compared)
}

/**
 * Share of a loss of single answers: of pairs, both sides' sum times `perSide`; of answers that stand alone, each one's.
 * @param rows [row]
 */
export function answersShare(
  rows: tf.Tensor1D,
  batch: PairBatch | AnswerBatch,
  totals: BatchTotals,
  perSide: number,
): tf.Scalar {
  if (batch.kind === 'answers') return weightedShare(rows, batch.weight, totals.weight)
  const [chosen, rejected] = splitPairs(rows, batch.pairs)
  return weightedShare(tf.mul(tf.add(chosen, rejected), perSide) as tf.Tensor1D, batch.weight, totals.weight)
}

/** What methods report that judge each answer by itself. */
export const JUDGED_INFO: readonly MetricInfo[] = [
  {
    name: 'rewards/good',
    label: 'Reward, called good',
    unit: '',
    goal: 'none',
    help: 'Implicit reward of answers that were called good by themselves, not compared with another.',
  },
  {
    name: 'rewards/bad',
    label: 'Reward, called bad',
    unit: '',
    goal: 'none',
    help: 'Implicit reward of answers that were called bad by themselves, as both answers of a pair labeled “both bad” are. It should fall.',
  },
  {
    name: 'judged/accuracies',
    label: 'Judgment accuracy',
    unit: 'fraction',
    goal: 'max',
    help: 'How often an answer that was called good by itself has a reward above the method’s line, or one called bad a reward below it. Equal counts one half.',
  },
]
