import {
  graceAdvantages,
  graceRewards,
  graceSelfRewards,
  rolloutHardTerm,
  withRolloutHardTerm,
  type PoolSpan,
  type RewardWeights,
} from './grace-rewards.ts'
import { clippedSurrogate } from '../algorithms/grpo.ts'
import type { EncodedGroup } from '../batches.ts'
import type { BatchTotals, GroupBatch, LossResult, Network } from '../define.ts'
import type { EncodedCompletion } from '../tokens/encode-rows.ts'
import type { Tokenizer } from '../tokens/tokenizer.ts'
import type { Decoder } from '../models/decoder.ts'
import { lossMask, sequenceLogProbs, stopGradient } from '../ops.ts'
import type { Random } from '../random.ts'
import { embedSpanValues, spanOf, type RationalePrompt } from './rationale.ts'
import { sampleCompletions } from '../sampling/sample.ts'
import { numbersOf } from '../host-numbers.ts'
import { tf } from '../tf.ts'

// One round of GRACE: rationales are written, everything is embedded, and each rollout of a positive gets its reward.

export interface GraceInstance {
  /** The query; without a positive, the text itself is the anchor and the text to be rolled out. */
  readonly query: RationalePrompt
  /** Null: unsupervised. */
  readonly positive: RationalePrompt | null
  readonly negatives: readonly RationalePrompt[]
}

export interface GraceOptions {
  /** K rationales of each positive. */
  readonly rollouts: number
  readonly maxTokens: number
  readonly temperature: number
  /** Of queries and negatives, which are written once. */
  readonly anchorTemperature: number
  readonly weights: RewardWeights
  readonly span: PoolSpan
  /** The third term: as printed, the same for all rollouts of an instance; or one of each rollout, which is ours (supervised) or the official code's (unsupervised). */
  readonly hardTerm: 'instance' | 'rollout'
  /** What an unfinished rollout gets in place of its reward; null leaves its reward. */
  readonly unfinishedReward: number | null
}

export interface GraceRollout {
  readonly row: EncodedCompletion
  readonly ended: boolean
  /** log π of its tokens as it was written, summed. */
  readonly logProb: number
  readonly reward: number
  readonly advantage: number
  /** Terms before λ and τ. */
  readonly terms: { readonly contrast: number; readonly consistency: number; readonly hard: number }
}

export interface GraceRound {
  /** [instance][rollout] */
  readonly rollouts: readonly (readonly GraceRollout[])[]
  readonly queryRationales: readonly (readonly number[])[]
  /** sim(h_q, h_k) less the mean similarity to the negatives, over all rollouts; unsupervised: sim(h_anchor, h_k). */
  readonly margin: number
  readonly metrics: Readonly<Record<string, number>>
}

/**
 * @param random decides every token: the same random numbers and weights write the same
 * @param instances all with a positive and as many negatives, or all without one
 */
export async function graceRound(
  decoder: Decoder,
  instances: readonly GraceInstance[],
  options: GraceOptions,
  { endId, stopIds }: Pick<Tokenizer, 'endId' | 'stopIds'>,
  random: Random,
  breathe: () => Promise<void>,
): Promise<GraceRound> {
  const write = (prompts: readonly RationalePrompt[], temperature: number, label: string) =>
    sampleCompletions(
      decoder,
      prompts.map((prompt) => prompt.ids),
      (row) => random.fork(label).fork(String(row)),
      { maxTokens: options.maxTokens, temperature, endId, stopIds },
      breathe,
    )
  const { rollouts: k } = options
  const supervised = instances.every((one) => one.positive !== null)
  const asked = instances.flatMap((one) => Array.from({ length: k }, () => one.positive ?? one.query))
  const negatives = instances.flatMap((one) => one.negatives)
  const written = await write(asked, options.temperature, 'rollouts')
  // The unsupervised anchor is one more sample of the text, drawn like the others.
  const anchors = await write(
    instances.map((one) => one.query),
    supervised ? options.anchorTemperature : options.temperature,
    'anchors',
  )
  const others = await write(negatives, options.anchorTemperature, 'negatives')
  const embed = (
    prompts: readonly RationalePrompt[],
    texts: readonly { readonly ids: readonly number[] }[],
  ): Promise<Float32Array[]> =>
    embedSpanValues(
      decoder,
      prompts.map((prompt, at) => spanOf(prompt, texts[at]!.ids, options.span)),
      breathe,
    ) // one each
  const vectors = {
    anchors: await embed(
      instances.map((one) => one.query),
      anchors,
    ),
    rollouts: await embed(asked, written),
    negatives: await embed(negatives, others),
  }
  const found = await rewardsOf(vectors, instances.length, k, supervised, options)
  const totals = found.total.map((row, i) =>
    row.map((value, at) =>
      written[i * k + at]!.ended || options.unfinishedReward === null ? value : options.unfinishedReward,
    ),
  )
  const advantages = graceAdvantages(totals)
  const rows = totals.map((row, i) =>
    row.map((reward, at): GraceRollout => {
      const one = written[i * k + at]!
      return {
        row: { prompt: asked[i * k + at]!.ids, completion: one.ids, text: '' },
        ended: one.ended,
        logProb: one.logProbs.reduce((sum, value) => sum + value, 0),
        reward,
        advantage: advantages[i]![at]!,
        terms: {
          contrast: found.contrast[i]![at]!,
          consistency: found.consistency[i]![at]!,
          hard: found.hard[i]![at]!,
        },
      }
    }),
  )
  return {
    rollouts: rows,
    queryRationales: anchors.map((one) => one.ids),
    margin: found.margin,
    metrics: roundMetrics(rows, found, written),
  }
}

interface FoundRewards {
  readonly contrast: number[][]
  readonly consistency: number[][]
  readonly hard: number[][]
  readonly total: number[][]
  readonly positive: number
  readonly margin: number
}

async function rewardsOf(
  vectors: { readonly anchors: Float32Array[]; readonly rollouts: Float32Array[]; readonly negatives: Float32Array[] },
  instances: number,
  k: number,
  supervised: boolean,
  { weights, hardTerm }: GraceOptions,
): Promise<FoundRewards> {
  const dim = vectors.anchors[0]!.length
  const anchors = tf.tensor2d(joined(vectors.anchors), [instances, dim])
  const rollouts = tf.tensor3d(joined(vectors.rollouts), [instances, k, dim])
  const negatives = tf.tensor3d(joined(vectors.negatives), [instances, vectors.negatives.length / instances, dim])
  try {
    if (!supervised) {
      const parts = await graceSelfRewards(anchors, rollouts, weights)
      const perRollout = hardTerm === 'rollout'
      const positive = meanOf(parts.self.flat())
      return {
        contrast: parts.self,
        consistency: parts.consistency,
        hard: perRollout ? parts.cross.map((row) => row.map((value) => -value)) : spread(parts.hard, k),
        total: perRollout ? parts.totalCode : parts.totalPaper,
        positive,
        margin: positive - meanOf(parts.cross.flat()),
      }
    }
    const parts = await graceRewards(anchors, rollouts, negatives, weights)
    const own = hardTerm === 'rollout' ? await rolloutHardTerm(anchors, rollouts) : null
    const positive = meanOf(parts.positive.flat())
    const count = Math.max(1, vectors.negatives.length / instances)
    // Σ over negatives = positive − contrastive; the margin takes their mean.
    const away = meanOf(parts.positive.map((row, i) => (row[0]! - parts.contrastive[i]![0]!) / count))
    return {
      contrast: parts.contrastive,
      consistency: parts.consistency,
      hard: own ?? spread(parts.hard, k),
      total: own === null ? parts.total : withRolloutHardTerm(parts, own, weights),
      positive,
      margin: positive - away,
    }
  } finally {
    tf.dispose([anchors, rollouts, negatives])
  }
}

function roundMetrics(
  rows: readonly (readonly GraceRollout[])[],
  found: FoundRewards,
  written: readonly { readonly ids: readonly number[]; readonly logProbs: readonly number[] }[],
): Record<string, number> {
  const all = rows.flat()
  const texts = rows.map((row) => new Set(row.map((one) => one.row.completion.join(' '))).size / row.length)
  return {
    'grace/reward': meanOf(all.map((one) => one.reward)),
    'grace/positive': found.positive,
    'grace/margin': found.margin,
    'grace/contrast': meanOf(found.contrast.flat()),
    'grace/consistency': meanOf(found.consistency.flat()),
    'grace/hard': meanOf(found.hard.flat()),
    'grace/distinct': meanOf(texts),
    'advantages/size': meanOf(all.map((one) => Math.abs(one.advantage))),
    'rollout/tokens': meanOf(all.map((one) => one.row.completion.length)),
    'rollout/unfinished': meanOf(all.map((one) => (one.ended ? 0 : 1))),
    'rollout/entropy': 0 - meanOf(written.flatMap((one) => one.logProbs)),
  }
}

/** Each instance's rollouts as one group of a batch, whose `rewards` are their advantages. */
export function advantageGroups(round: GraceRound): EncodedGroup[] {
  return round.rollouts.map((row, at) => ({
    promptText: String(at),
    completions: row.map((one) => one.row),
    rewards: row.map((one) => one.advantage),
    weight: 1,
  }))
}

export interface GraceLossOptions {
  /** The official code's clipped surrogate, averaged over tokens; or Eq. 19, the plain sum over the sequence. */
  readonly objective: 'clipped' | 'sum'
  readonly clip: number
  /** c of the dual clip. */
  readonly dual: number
}

/**
 * This part's share of −Σ_k A_k log π(y_k | P(d⁺)), averaged over rollouts; or of the clipped surrogate's token mean. Both
 * have the gradient of the plain policy gradient on fresh samples; they weigh long rationales differently.
 * @param batch `rewards` are advantages   @param totals `tokens` of all rollouts, `items` instances
 */
export function graceStepLoss(
  network: Network,
  batch: GroupBatch,
  totals: BatchTotals,
  { objective, clip, dual }: GraceLossOptions,
): LossResult {
  const logProbs = network.tokenLogProbs(batch.tokens)
  const advantages = Array.from(numbersOf(batch.rewards))
  if (objective === 'sum') {
    const sequences = tf.reshape(sequenceLogProbs(logProbs), [batch.prompts, batch.samples])
    const loss = tf.neg(tf.div(tf.sum(tf.mul(sequences, batch.rewards)), totals.items * batch.samples)) as tf.Scalar
    return { loss, metrics: { loss, 'clip/share': tf.scalar(0) } }
  }
  const old = batch.old ?? stopGradient(logProbs)
  const mask = lossMask(batch.tokens)
  const surrogate = clippedSurrogate(logProbs, old, advantages, { low: clip, high: clip, dual })
  const share = (values: tf.Tensor): tf.Scalar =>
    tf.div(tf.sum(tf.mul(values, mask)), Math.max(1, totals.tokens)) as tf.Scalar
  const loss = share(tf.where(tf.greater(mask, 0), surrogate, tf.zerosLike(mask)))
  const past = tf.greater(tf.abs(tf.sub(tf.exp(tf.sub(logProbs, old)), 1)), clip)
  return { loss, metrics: { loss, 'clip/share': share(tf.cast(past, 'float32')) } }
}

function spread(values: readonly number[], k: number): number[][] {
  return values.map((value) => Array.from({ length: k }, () => value))
}

function joined(vectors: readonly Float32Array[]): Float32Array {
  const dim = vectors[0]?.length ?? 0
  const all = new Float32Array(vectors.length * dim)
  vectors.forEach((vector, at) => all.set(vector, at * dim))
  return all
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
