import type { z } from 'zod'
import type { DataKind } from '../../../shared/data-kinds.ts'
import type { AlgorithmRole, MetricInfo } from '../../../shared/domain.ts'
import type { ModelSpec } from '../../../shared/run-spec.ts'
import type { PresetUse } from '../../../shared/presets.ts'
import { scoresNewText } from './rewards.ts'
import type { TrainingConfig } from '../../../shared/training-config.ts'
import type { tf } from './tf.ts'

/**
 * Right-padded token rows. The completion mask covers the end-of-turn token. Position t of the logits predicts
 * token t + 1, so per-token quantities have time − 1 columns (SPEC §0).
 */
export interface TokenBatch {
  /** int32 [row, time] */
  readonly ids: tf.Tensor2D
  /** float32 [row, time], 1 on real tokens */
  readonly attention: tf.Tensor2D
  /** float32 [row, time], 1 on completion tokens */
  readonly completion: tf.Tensor2D
}

/** Pairs of completions. Rows 0 … pair−1 are chosen, rows pair … 2·pair−1 rejected. */
export interface PairBatch {
  readonly kind: 'pairs'
  readonly pairs: number
  readonly tokens: TokenBatch
  /** P(chosen preferred over rejected), ½ for a tie and where the two are not compared [pair] */
  readonly preference: tf.Tensor1D
  /** Strength of the preference, 0 to 1 [pair] */
  readonly strength: tf.Tensor1D
  readonly weight: tf.Tensor1D
  /** Rewards of the two completions, 0 where the method uses none [pair] */
  readonly rewardChosen: tf.Tensor1D
  readonly rewardRejected: tf.Tensor1D
  /** Per-token log-probs of the reference policy, 0 where masked [2·pair, time−1]; null where the method needs none */
  readonly reference: tf.Tensor2D | null
  /** Prompts with completions of other prompts, rows in the order of `tokens`; only where the method asks for them. */
  readonly mismatched?: { readonly tokens: TokenBatch; readonly reference: tf.Tensor2D } | null
  /** Null where every pair is a comparison, as it always is for methods that do not judge each answer by itself. */
  readonly judged?: JudgedSides | null
}

/** What is said of answers that are not compared with the other side of their pair. */
export interface JudgedSides {
  /** 1 where the two sides are compared, else 0 [pair] */
  readonly compared: tf.Tensor1D
  /** P(the answer is good) where they are not, else 0; rows in the order of `tokens` [2·pair] */
  readonly good: tf.Tensor1D
}

/** Completions that stand alone, each called good or bad by itself: a row each. */
export interface AnswerBatch {
  readonly kind: 'answers'
  readonly answers: number
  readonly tokens: TokenBatch
  /** P(the answer is good) [row] */
  readonly good: tf.Tensor1D
  readonly weight: tf.Tensor1D
  readonly reference: tf.Tensor2D | null
  /** Prompts with the completion of another prompt, rows in the order of `tokens`; only where the method asks for them. */
  readonly mismatched: { readonly tokens: TokenBatch; readonly reference: tf.Tensor2D } | null
}

/** k scored completions of each prompt, row-major by prompt: row = prompt · k + sample. */
export interface GroupBatch {
  readonly kind: 'groups'
  readonly prompts: number
  readonly samples: number
  readonly tokens: TokenBatch
  /** [prompt, sample] */
  readonly rewards: tf.Tensor2D
  /** 1 where the sample exists [prompt, sample] */
  readonly valid: tf.Tensor2D
  /** [prompt] */
  readonly weight: tf.Tensor1D
  readonly reference: tf.Tensor2D | null
  /** Per-token log-probs of the policy that wrote the samples, where they were kept for several updates [row, time−1] */
  readonly old?: tf.Tensor2D | null
}

export type Batch = PairBatch | AnswerBatch | GroupBatch

/** Over the whole optimizer batch, so that a micro-batch can divide by what belongs below the line. */
export interface BatchTotals {
  /** Pairs, answers or prompts. */
  readonly items: number
  /** Sum of the item weights. */
  readonly weight: number
  /** Completion tokens that carry loss, weighted as the method weights them. */
  readonly tokens: number
  /** Mean reward of the whole batch's completions, by the items' weights; 0 or absent where there are no rewards. */
  readonly rewardMean?: number
  /** What the method's `before` found; absent where it has none. */
  readonly before?: number
  /** Absent where every pair is a comparison. */
  readonly judged?: JudgedTotals
  /**
   * Asked by an evaluation: told of the values behind a mean, in [0, 1] behind a share, and their weights [pair], or [row] of
   * answers. A pair whose label is exactly ½ has no outcome: it says nothing of who is right, where the batch's own share
   * counts it as ½.
   */
  readonly tell?: (metric: string, kind: 'share' | 'mean', values: tf.Tensor1D, weights: tf.Tensor1D) => void
}

/** Weights behind what is measured on compared pairs, and on answers that were judged by themselves. */
export interface JudgedTotals {
  /** Sum of the weights of the pairs whose sides are compared. */
  readonly compared: number
  /** Sums of weight · P(good) and of weight · P(bad) over the answers that are not. */
  readonly good: number
  readonly bad: number
}

/** What a policy writes at each step in place of logged completions. */
export interface Rollout {
  /** k, completions of each prompt. */
  readonly samples: number
  readonly maxTokens: number
  readonly temperature: number
  /** What reached `maxTokens` without ending carries no loss; its reward counts all the same. */
  readonly maskTruncated: boolean
  /** Taken from the reward of such a completion, on the scale of the reward's source; absent: nothing. */
  readonly missingEosPenalty?: number
  /** Optimizer updates on one set of samples. */
  readonly updates: number
}

/** A decoder with its language-model head and, for a reward model, a scalar head. */
export interface Network {
  /** log π(token t+1 | tokens ≤ t), exactly 0 where the completion mask is 0 [row, time−1] */
  tokenLogProbs(tokens: TokenBatch): tf.Tensor2D
  /** Scalar head at the last valid token [row]; throws on a network without one. */
  score(tokens: TokenBatch): tf.Tensor1D
}

export interface LossResult {
  /** This micro-batch's share of the batch loss, already divided by the totals []. */
  readonly loss: tf.Scalar
  /** Shares of the batch's metrics, summed over micro-batches like the loss. */
  readonly metrics: Readonly<Record<string, tf.Scalar>>
}

export interface LossContext<C, B extends Batch = Batch> {
  readonly network: Network
  readonly batch: B
  readonly totals: BatchTotals
  readonly config: C
  /** Held-out scoring: report everything, also what training leaves out to save a forward pass. */
  readonly evaluating?: boolean
}

export interface StepContext<C> {
  readonly network: Network
  readonly config: C
  /** Accumulates gradients over the batch's micro-batches, clips, steps the optimizer; owns every tensor. */
  minimize(loss: (batch: Batch, totals: BatchTotals) => LossResult): Promise<Readonly<Record<string, number>>>
}

export interface Preset {
  readonly id: string
  /** What it is the usual choice for; absent: for whoever asks for it by name. */
  readonly suits?: readonly PresetUse[]
  readonly title: string
  readonly note: string
  readonly config: Readonly<Record<string, unknown>>
  readonly training: Partial<TrainingConfig>
}

/**
 * What a run of the method may begin with. Decoder: a new one of ours, a run's checkpoint, a registered one. Text encoder:
 * those and registered encoders. Networks: small ones that the method makes for its data, sized by its own settings.
 */
export type ModelUse = 'decoder' | 'text-encoder' | 'networks'

/** What every method says of itself, whatever it learns from. How it learns stands in the interface of its kind of data. */
export interface AlgorithmPage<C = unknown> {
  readonly id: string
  readonly name: string
  readonly summary: string
  readonly paper: { readonly cite: string; readonly url: string }
  /** Files of golden vectors, without `.json`, that its losses are checked by; a method made of covered losses names those. */
  readonly vectors: readonly [string, ...string[]]
  readonly equation: string
  readonly deviations: readonly string[]
  readonly data: DataKind
  /** What comes out: something that writes or acts, that scores completions, that orders documents, that embeds texts. */
  readonly role: AlgorithmRole
  /** First is the default. */
  readonly models: readonly [ModelUse, ...ModelUse[]]
  /** False: nothing is learned, its runs are measured and make no step. Absent: it learns. */
  readonly learns?: false
  /** Its loss compares with the policy that training began with. */
  readonly needsReference: boolean
  /** Its loss does not, yet what it writes is compared with that policy, where that one could write: how far it went, how often it wins. */
  readonly watchesDrift?: boolean
  /** Rewards must be filled into the batch, from this source. */
  readonly rewards?: (config: C) => import('../../../shared/run-spec.ts').RewardSource | null
  readonly config: z.ZodType<C>
  /** Names and meaning of everything it reports, training side; the trainer adds its own `eval/…`. */
  readonly metrics: readonly MetricInfo[]
  /** Held-out metric by which runs of this method are judged, e.g. `eval/rewards/accuracies`. */
  readonly mainMetric: string
  /** The same for settings with which another one fits better. */
  readonly judgedBy?: (config: C) => string
  /** First is the default. `paper` holds the published values. */
  readonly presets: readonly [Preset, ...Preset[]]
}

/** Whether a run keeps the policy that it began with beside its own, which takes memory. @param start `new`: random weights, which write nothing */
export function keepsReference({ needsReference, watchesDrift }: AlgorithmPage, start: ModelSpec['kind']): boolean {
  return needsReference || (watchesDrift === true && start !== 'new')
}

/** Whether the reference follows the policy, which makes its weights part of the run's state. */
export function movesReference(
  { needsReference }: Pick<AlgorithmPage, 'needsReference'>,
  { referenceSyncEvery }: Pick<TrainingConfig, 'referenceSyncEvery'>,
): boolean {
  return needsReference && referenceSyncEvery > 0
}

/** A method that learns from pairs of completions. */
export interface Algorithm<C = unknown> extends AlgorithmPage<C> {
  readonly data: 'response-pairs'
  /** Group size when the method wants k-sample groups in place of pairs; null means pairs. */
  readonly groupSize?: (config: C) => number | null
  /**
   * How much the tokens of the chosen and of the rejected side count in `BatchTotals.tokens`, before the pair's weight;
   * 1 and 1 where absent. Only methods that divide by tokens need it.
   */
  readonly tokenWeights?: (
    preference: number,
    strength: number,
    config: C,
  ) => readonly [chosen: number, rejected: number]
  /**
   * Its loss judges each answer by itself, so that it also learns from a pair whose two answers are both bad. Such
   * pairs are left out for every other method.
   */
  readonly judgesEach?: boolean
  /**
   * What it learns from answers that stand alone, in batches of kind `answers`: from each that was judged, or from the
   * good ones, which it imitates. Absent: nothing, since it compares two answers.
   */
  readonly answers?: 'judged' | 'good'
  /** Weights λ of desirable and undesirable examples, where the method has them: what they should be depends on how many there are. */
  readonly exampleWeights?: (config: C) => { readonly desirable: number; readonly undesirable: number }
  /** The prompt of each pair also stands with the completions of another prompt, in `PairBatch.mismatched`. */
  readonly mismatched?: boolean
  /**
   * A number of the whole batch that the loss needs before its parts can be descended on: computed without gradient,
   * each part's share summed, and handed on in `BatchTotals.before`.
   */
  readonly before?: (context: LossContext<C>) => tf.Scalar
  /** Learns right only where logged completions cover what the reference writes; the trainer looks and warns. */
  readonly needsSupport?: (config: C) => boolean
  /** Not null: the policy writes the completions of each step itself, and a reward scores them. Batches are groups. */
  readonly rollout?: (config: C) => Rollout | null
  loss(context: LossContext<C>): LossResult
  /** Only for methods whose update is more than one descent on `loss`. */
  step?(context: StepContext<C>): Promise<Readonly<Record<string, number>>>
}

/** Kinds of data that a method can be trained on, its own first. */
export function kindsOf(page: AlgorithmPage & Pick<Algorithm, 'answers'>): readonly DataKind[] {
  return page.answers === undefined ? [page.data] : [page.data, 'unpaired-responses']
}

/**
 * By which held-out metric a run's checkpoint is chosen: by the one that was asked for; by the reward of what the policy
 * writes, where a reward can score that; and on answers that stand alone not by a preference accuracy, which they have none of.
 * @param config as the page's own schema gives it
 */
export function mainMetricOn<C>(
  page: AlgorithmPage<C> & Pick<Algorithm, 'answers'>,
  kind: DataKind,
  config: C,
  { bestBy }: Pick<TrainingConfig, 'bestBy'>,
): string {
  if (bestBy !== 'auto') return bestBy
  const rewards = page.rewards?.(config) ?? null
  if (rewards !== null && scoresNewText(rewards)) return 'eval/rollout/reward'
  if (kind === 'unpaired-responses') return page.answers === 'judged' ? 'eval/judged/accuracies' : 'eval/loss'
  return page.judgedBy?.(config) ?? page.mainMetric
}

/** Identity that infers the config type, so that `loss` sees what the schema promises. */
export function defineAlgorithm<C>(algorithm: Omit<Algorithm<C>, 'models'>): Algorithm<C> {
  return { models: ['decoder'], ...algorithm }
}
