import type { MetricInfo } from '../../../shared/domain.ts'
import type { BatchTotals, PairBatch } from './define.ts'
import { comparedShare, comparesAny, toldMean, toldShare } from './judged-sides.ts'
import {
  agreementWithLabel,
  completionLengths,
  klK1,
  klK3,
  meanOverTokens,
  sequenceLogProbs,
  splitPairs,
  weightedShare,
} from './ops.ts'
import { tf } from './tf.ts'

// What every method on pairs reports, under TRL's names, and what each number means.

export interface PairScores {
  readonly batch: PairBatch
  readonly totals: BatchTotals
  /** Reward of each row as the method defines it [2·pair] */
  readonly rewards: tf.Tensor1D
}

/** Shares of rewards/chosen, rewards/rejected, rewards/margins and rewards/accuracies; none where no pair is a comparison. */
export function rewardMetrics({ batch, totals, rewards }: PairScores): Record<string, tf.Scalar> {
  if (!comparesAny(totals)) return {}
  const [chosen, rejected] = splitPairs(rewards, batch.pairs)
  const share = (values: tf.Tensor1D): tf.Scalar => comparedShare(values, batch, totals)
  return {
    'rewards/chosen': share(chosen),
    'rewards/rejected': share(rejected),
    'rewards/margins': toldMean('rewards/margins', tf.sub(chosen, rejected), batch, totals),
    'rewards/accuracies': toldShare(
      'rewards/accuracies',
      agreementWithLabel(chosen, rejected, batch.preference),
      batch,
      totals,
    ),
  }
}

/** Shares of logps/chosen and logps/rejected, sums over the completion's tokens; none where no pair is a comparison. @param logProbs [2·pair, time−1] */
export function logProbMetrics(
  batch: PairBatch,
  totals: BatchTotals,
  logProbs: tf.Tensor2D,
): Record<string, tf.Scalar> {
  if (!comparesAny(totals)) return {}
  const [chosen, rejected] = splitPairs(sequenceLogProbs(logProbs), batch.pairs)
  return {
    'logps/chosen': comparedShare(chosen, batch, totals),
    'logps/rejected': comparedShare(rejected, batch, totals),
  }
}

/** Shares of kl/k1 and kl/k3: each completion's sum over its tokens, averaged over both sides. */
export function klMetrics(
  batch: PairBatch,
  totals: BatchTotals,
  logProbs: tf.Tensor2D,
  reference: tf.Tensor2D,
): Record<string, tf.Scalar> {
  const perPair = (values: tf.Tensor2D): tf.Tensor1D => {
    const [chosen, rejected] = splitPairs(tf.sum<tf.Tensor1D>(values, 1), batch.pairs)
    return tf.mul(tf.add(chosen, rejected), 0.5)
  }
  return {
    'kl/k1': weightedShare(perPair(klK1(logProbs, reference)), batch.weight, totals.weight),
    'kl/k3': weightedShare(perPair(klK3(logProbs, reference)), batch.weight, totals.weight),
  }
}

/** Share of logps/accuracies: which side is likelier per token, judged by the label. */
export function likelihoodAccuracy(batch: PairBatch, totals: BatchTotals, logProbs: tf.Tensor2D): tf.Scalar {
  const means = meanOverTokens(sequenceLogProbs(logProbs), completionLengths(batch.tokens))
  const [chosen, rejected] = splitPairs(means, batch.pairs)
  return toldShare('logps/accuracies', agreementWithLabel(chosen, rejected, batch.preference), batch, totals)
}

export function lossInfo(unit: string, help: string): MetricInfo {
  return { name: 'loss', label: 'Loss', unit, goal: 'min', help }
}

export const REWARD_INFO: readonly MetricInfo[] = [
  {
    name: 'rewards/chosen',
    label: 'Reward, preferred',
    unit: '',
    goal: 'none',
    help: 'Implicit reward of the preferred completions: β times how much likelier they are now than under the reference. It starts at 0; a slow fall is common, as long as the other side falls faster.',
  },
  {
    name: 'rewards/rejected',
    label: 'Reward, other',
    unit: '',
    goal: 'none',
    help: 'Implicit reward of the completions that were not preferred. It should end below the preferred side.',
  },
  {
    name: 'rewards/margins',
    label: 'Reward margin',
    unit: '',
    goal: 'max',
    help: 'Reward of the preferred completion minus that of the other. It should rise from 0; the held-out curve flattens earlier.',
  },
  {
    name: 'rewards/accuracies',
    label: 'Preference accuracy',
    unit: 'fraction',
    goal: 'max',
    help: 'How often the preferred completion has the higher reward, equal rewards counting one half, so that an untrained policy stands at 0.5. On the held-out side pairs labeled as ties are left out; in a training batch they count one half.',
  },
]

export const LOG_PROB_INFO: readonly MetricInfo[] = [
  {
    name: 'logps/chosen',
    label: 'Log-prob, preferred',
    unit: 'nats',
    goal: 'none',
    help: 'Log-probability of the preferred completions, summed over their tokens. If it falls far, the policy is leaving the data.',
  },
  {
    name: 'logps/rejected',
    label: 'Log-prob, other',
    unit: 'nats',
    goal: 'none',
    help: 'Log-probability of the completions that were not preferred, summed over their tokens.',
  },
]

export const KL_INFO: readonly MetricInfo[] = [
  {
    name: 'kl/k1',
    label: 'Log-ratio to reference',
    unit: 'nats',
    goal: 'none',
    help: 'log π − log π_ref on the data’s completions, a sequence. On the data, not on the policy’s own samples, so it can be negative. π_ref is where training began, or, re-synced, the reference as it stands.',
  },
  {
    name: 'kl/k3',
    label: 'Distance to reference',
    unit: 'nats',
    goal: 'min',
    help: 'The k3 estimate on the data’s completions, a sequence: 0 at the start and never negative. Steep growth means over-optimization. A reference that is re-synced is taken as it stands: the distance falls at each sync.',
  },
]

/** What policies trained against a reference report. */
export const POLICY_INFO: readonly MetricInfo[] = [...REWARD_INFO, ...LOG_PROB_INFO, ...KL_INFO]
