// The deterministic policy that all control methods here share, and its log-probability.
import { z } from 'zod'
import type { MetricInfo } from '../../../../shared/domain.ts'
import type { TrainingConfig } from '../../../../shared/training-config.ts'
import type { ControlSizes, ControlStep, SegmentBatch, Stage } from './control.ts'
import type { LossResult } from '../define.ts'
import { unitVarianceLogProb } from '../models/gaussian.ts'
import type { Mlp, MlpConfig, MlpDropout } from '../models/mlp.ts'
import { fractionGreater, splitPairs } from '../ops.ts'
import { tf } from '../tf.ts'

/** Fields that every control method has. */
export const networkFields = {
  width: z
    .int()
    .min(4)
    .max(4096)
    .default(512)
    .meta({ title: 'Units in a hidden layer', help: 'Of the policy and of every other network.', group: 'model' }),
  depth: z.int().min(1).max(8).default(2).meta({
    title: 'Hidden layers',
    help: 'Layers of these units between what is seen and what is done.',
    group: 'model',
  }),
  evalEpisodes: z.int().min(1).max(1000).default(25).meta({
    title: 'Episodes per evaluation',
    help: 'The policy acts this many times in its world, always from the same starts; at the end also four times as many, from others that nothing was chosen by.',
    group: 'expert',
  }),
  squash: z
    .boolean()
    .default(true)
    .meta({ title: 'Squash actions', help: 'Ends the policy in tanh, for actions between −1 and 1.', group: 'expert' }),
}

export interface NetworkConfig {
  readonly width: number
  readonly depth: number
  readonly squash: boolean
}

export function hiddenOf({ width, depth }: NetworkConfig): number[] {
  return Array.from({ length: depth }, () => width)
}

export function policyNetwork(config: NetworkConfig, { observation, action }: ControlSizes): MlpConfig {
  return {
    inputs: observation,
    hidden: hiddenOf(config),
    outputs: action,
    activation: 'relu',
    output: config.squash ? 'tanh' : 'linear',
  }
}

/** log π(a_t | s_t) = −‖a − μ(s)‖² [segment, time] */
export function segmentLogProbs(policy: Mlp, batch: SegmentBatch, dropout: MlpDropout | null): tf.Tensor2D {
  return tf.tidy(() =>
    tf.reshape(unitVarianceLogProb(policy.apply(batch.observations, dropout), batch.actions), [
      2 * batch.pairs,
      batch.time,
    ]),
  )
}

/** Σ_t of each row, masked [segment] */
export function rowSums(values: tf.Tensor2D, mask: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.mul(values, mask), 1)
}

/** Share of the pairs with a strict label whose preferred segment has the greater number []. Ties of the numbers count ½. */
export function pairAccuracy(first: tf.Tensor1D, second: tf.Tensor1D, labels: readonly number[]): tf.Scalar {
  return tf.tidy(() => {
    const counted = labels.filter((label) => label !== 0.5).length
    const towardSecond = tf.tensor1d(labels.map((label) => (label > 0.5 ? 1 : 0)))
    const strict = tf.tensor1d(labels.map((label) => (label === 0.5 ? 0 : 1)))
    const right = fractionGreater(second, first)
    const agree = tf.add(tf.mul(right, towardSecond), tf.mul(tf.sub(1, right), tf.sub(1, towardSecond)))
    return tf.div(tf.sum(tf.mul(agree, strict)), Math.max(1, counted)) as tf.Scalar
  })
}

/** Behaviour cloning: −mean log π over the counted steps, each by its weight [segment, time]; 0 where nothing counts. */
export function behaviourCloningLoss(logProbs: tf.Tensor2D, weights: tf.Tensor2D, total: number): tf.Scalar {
  return tf.tidy(() => {
    const kept = tf.where(tf.greater(weights, 0), logProbs, tf.zerosLike(logProbs))
    return tf.neg(tf.div(tf.sum(tf.mul(kept, weights)), total > 0 ? total : 1)) as tf.Scalar
  })
}

/** Cloning of the whole batch: the first stage of most methods here. */
export function cloneAll<C>(step: ControlStep<C>): LossResult {
  return cloneWeighted(step, step.batch.mask)
}

/** @param weights of the steps, 0 where they do not count [2·pair, time] */
export function cloneWeighted<C>({ networks, batch, dropout }: ControlStep<C>, weights: tf.Tensor2D): LossResult {
  const logProbs = segmentLogProbs(networks['policy']!, batch, dropout)
  const loss = tf.neg(tf.div(tf.sum(tf.mul(logProbs, weights)), tf.maximum(tf.sum(weights), 1))) as tf.Scalar
  const [first, second] = splitPairs(rowSums(logProbs, batch.mask), batch.pairs)
  return {
    loss,
    metrics: {
      loss,
      'bc/loss': behaviourCloningLoss(logProbs, batch.mask, batch.steps),
      'preferences/accuracy': pairAccuracy(first, second, batch.labels),
    },
  }
}

type StageKind = Omit<Stage, 'steps'>

/** Two stages, the first of this share of the steps; a stage without steps is left out. */
export function splitStages(steps: number, share: number, [first, second]: readonly [StageKind, StageKind]): Stage[] {
  const before = Math.min(steps - 1, Math.round(steps * share))
  if (before > 0)
    return [
      { ...first, steps: before },
      { ...second, steps: steps - before },
    ]
  const { continues: _none, ...alone } = second
  return [{ ...alone, steps }]
}

/** State observations in Hejna et al. (2024), as in the official repository (jhejna/cpl at b4f1973, configs/mw_state_dense): a constant rate. */
export const PAPER_TRAINING: Partial<TrainingConfig> = {
  steps: 500_000,
  batchSize: 96,
  learningRate: 1e-4,
  warmupFraction: 0,
  schedule: 'constant',
  clipNorm: 0,
  dropout: 0.25,
  evalEvery: 5000,
  checkpointEvery: 5000,
}

export const CONTROL_INFO: readonly MetricInfo[] = [
  {
    name: 'bc/loss',
    label: 'Cloning loss',
    unit: 'squared action',
    goal: 'min',
    help: 'Mean squared distance from the data’s actions to the policy’s. It rises when a method leaves the behaviour in the data, which is what preferences ask for; a steep rise means it left the data altogether.',
  },
  {
    name: 'preferences/accuracy',
    label: 'Preference accuracy',
    unit: 'fraction',
    goal: 'max',
    help: 'How often the preferred segment has the greater sum of log-probs, over the pairs whose label is no tie; equal sums count one half. At 100 % with a falling return the method fits the labels and no longer the task.',
  },
]

export const CLONING_INFO: readonly MetricInfo[] = [
  {
    name: 'loss',
    label: 'Loss',
    unit: 'squared action',
    goal: 'min',
    help: 'Mean squared distance from the actions that are copied at this stage to the policy’s.',
  },
  ...CONTROL_INFO,
]
