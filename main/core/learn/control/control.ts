// What a method that learns to act from segments of behaviour says about itself, and what it is given at each step.
import type { MetricInfo } from '../../../../shared/domain.ts'
import type { SegmentSet } from '../../../../shared/segments.ts'
import type { AlgorithmPage, LossResult } from '../define.ts'
import type { Mlp, MlpConfig, MlpDropout } from '../models/mlp.ts'
import type { tf } from '../tf.ts'

/** Pairs of segments. Rows 0 … pair−1 are the first of each pair, rows pair … 2·pair−1 the second. */
export interface SegmentBatch {
  readonly kind: 'segments'
  readonly pairs: number
  readonly time: number
  /** [2·pair · time, observation] */
  readonly observations: tf.Tensor2D
  /** [2·pair · time, action] */
  readonly actions: tf.Tensor2D
  /** 1 on real steps [2·pair, time] */
  readonly mask: tf.Tensor2D
  /** P(second preferred) [pair] */
  readonly secondPreferred: tf.Tensor1D
  /** The same, host-side [pair] */
  readonly labels: readonly number[]
  /** Scores of the segments, NaN where nobody scored, host-side [2·pair] */
  readonly scores: readonly number[]
  /** Real steps of the batch. */
  readonly steps: number
}

export interface ControlSizes {
  readonly observation: number
  readonly action: number
}

/** How the pairs of a batch come about. */
export type Pairing = 'comparison' | 'rank' | 'dense' | 'any'

/** A stretch of the run with optimizers and a schedule of its own, unless it goes on with those of the one before. */
export interface Stage {
  readonly name: string
  readonly steps: number
  /** Optimizers and schedule go on from the stage before. */
  readonly continues?: boolean
  /** False: at the full rate from its first step. */
  readonly warmsUp?: boolean
  /** Times the training's learning rate; absent: 1. */
  readonly rate?: number
}

export type Networks = Readonly<Record<string, Mlp>>

export interface ControlStep<C> {
  readonly config: C
  readonly stage: string
  readonly batch: SegmentBatch
  readonly networks: Networks
  /** For the policy; null outside training. */
  readonly dropout: MlpDropout | null
  /** One update of the named networks by the gradient of this loss. → its metrics as numbers */
  minimize(names: readonly string[], loss: () => LossResult): Promise<Readonly<Record<string, number>>>
}

/** A method that learns to act from pairs of segments, with small networks of its own. */
export interface ControlMethod<C = unknown> extends AlgorithmPage<C> {
  readonly data: 'segment-pairs'
  /** Networks by name; `policy` acts. A name that ends in `-target` starts as a copy and has no optimizer. */
  networks(config: C, sizes: ControlSizes): Readonly<Record<string, MlpConfig>>
  /** Their steps add up to `steps`. */
  stages(config: C, steps: number): readonly Stage[]
  pairing(config: C, stage: string): Pairing
  /** Segments it learns from; all where absent. */
  pool?(config: C, set: SegmentSet): Int32Array
  /** When a stage begins, and not when a run resumes inside it. */
  enterStage?(stage: string, networks: Networks): void
  update(step: ControlStep<C>): Promise<Readonly<Record<string, number>>>
}

/** Reported by the trainer where the world of the segments is known. */
export const ROLL_OUT_INFO: readonly MetricInfo[] = [
  {
    name: 'return',
    label: 'Return',
    unit: 'reward',
    goal: 'max',
    help: 'Sum of the true rewards of an episode, mean over the evaluation’s episodes. The number that counts.',
  },
  {
    name: 'success',
    label: 'Success rate',
    unit: 'fraction',
    goal: 'max',
    help: 'Share of the episodes in which the world counted it as success at some step, as Meta-World’s evaluations do.',
  },
]

/** Identity that infers the config type. Every method here makes its own networks and gives a policy that acts. */
export function defineControlMethod<C>(
  method: Omit<ControlMethod<C>, 'data' | 'role' | 'models' | 'needsReference' | 'mainMetric'>,
): ControlMethod<C> {
  return {
    data: 'segment-pairs',
    role: 'policy',
    models: ['networks'],
    needsReference: false,
    mainMetric: 'eval/return',
    ...method,
    metrics: [...method.metrics, ...ROLL_OUT_INFO],
  }
}
