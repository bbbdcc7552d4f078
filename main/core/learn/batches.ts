import type { AnswerBatch, Batch, GroupBatch, JudgedSides, PairBatch, TokenBatch } from './define.ts'
import type { EncodedAnswer, EncodedCompletion, EncodedPair } from './tokens/encode-rows.ts'
import { tensorOf } from './host-numbers.ts'
import { tf } from './tf.ts'

/** Rows are padded to a multiple of this, so that few shapes occur. */
const LENGTH_STEP = 8

export function sequenceLength(one: EncodedCompletion): number {
  return one.prompt.length + one.completion.length
}

/** Right-padded rows; the caller disposes them. */
export function tokenBatch(rows: readonly EncodedCompletion[], padId: number): TokenBatch {
  const longest = Math.max(2, ...rows.map(sequenceLength))
  const time = Math.ceil(longest / LENGTH_STEP) * LENGTH_STEP
  const ids = new Int32Array(rows.length * time).fill(padId)
  const attention = new Float32Array(rows.length * time)
  const completion = new Float32Array(rows.length * time)
  for (const [row, { prompt, completion: answer, trained }] of rows.entries()) {
    const start = row * time
    ids.set(prompt, start)
    ids.set(answer, start + prompt.length)
    attention.fill(1, start, start + prompt.length + answer.length)
    if (trained == null) completion.fill(1, start + prompt.length, start + prompt.length + answer.length)
    else completion.set(trained, start + prompt.length)
  }
  return {
    ids: tensorOf<tf.Rank.R2>(ids, [rows.length, time]),
    attention: tensorOf<tf.Rank.R2>(attention, [rows.length, time]),
    completion: tensorOf<tf.Rank.R2>(completion, [rows.length, time]),
  }
}

export interface PairRewards {
  readonly chosen: number
  readonly rejected: number
}

/** Per-token reference log-probs of a row, from the first completion token on; 0 for tokens that do not count. */
export type ReferenceOf = (one: EncodedCompletion) => ArrayLike<number>

/**
 * [row, time − 1] of log-probs that are known for the completion tokens alone: column t is the token at t + 1, and
 * everything else is exactly 0.
 */
export function referenceTensor(
  rows: readonly EncodedCompletion[],
  time: number,
  referenceOf: ReferenceOf,
): tf.Tensor2D {
  const values = new Float32Array(rows.length * (time - 1))
  for (const [row, one] of rows.entries()) {
    const known = referenceOf(one)
    for (let at = 0; at < one.completion.length; at += 1)
      values[row * (time - 1) + one.prompt.length - 1 + at] = known[at] ?? 0
  }
  return tf.tensor2d(values, [rows.length, time - 1])
}

/** The caller disposes the batch with `disposeBatch`. */
export function pairBatch(
  pairs: readonly EncodedPair[],
  padId: number,
  rewards: readonly PairRewards[] | null,
  referenceOf: ReferenceOf | null,
): PairBatch {
  const rows = [...pairs.map((pair) => pair.chosen), ...pairs.map((pair) => pair.rejected)]
  const tokens = tokenBatch(rows, padId)
  const column = (value: (pair: EncodedPair, at: number) => number): tf.Tensor1D =>
    tensorOf<tf.Rank.R1>(pairs.map(value), [pairs.length])
  return {
    kind: 'pairs',
    pairs: pairs.length,
    tokens,
    preference: column((pair) => pair.preference),
    strength: column((pair) => pair.strength),
    weight: column((pair) => pair.weight),
    rewardChosen: column((_pair, at) => rewards?.[at]?.chosen ?? 0),
    rewardRejected: column((_pair, at) => rewards?.[at]?.rejected ?? 0),
    reference: referenceOf === null ? null : referenceTensor(rows, tokens.ids.shape[1], referenceOf),
    mismatched: referenceOf === null ? null : mismatchedRows(pairs, padId, referenceOf),
    judged: judgedSides(pairs),
  }
}

function judgedSides(pairs: readonly EncodedPair[]): JudgedSides | null {
  if (pairs.every(({ judged }) => judged === undefined)) return null
  const good = (['chosen', 'rejected'] as const).flatMap((side) => pairs.map(({ judged }) => judged?.[side] ?? 0))
  return {
    compared: tf.tensor1d(pairs.map(({ judged }) => (judged === undefined ? 1 : 0))),
    good: tf.tensor1d(good),
  }
}

/** The caller disposes the batch with `disposeBatch`. */
export function answerBatch(
  answers: readonly EncodedAnswer[],
  padId: number,
  referenceOf: ReferenceOf | null,
): AnswerBatch {
  const rows = answers.map(({ answer }) => answer)
  const tokens = tokenBatch(rows, padId)
  const others = answers.flatMap(({ mismatched }) => mismatched ?? [])
  return {
    kind: 'answers',
    answers: answers.length,
    tokens,
    good: tf.tensor1d(answers.map(({ good }) => good)),
    weight: tf.ones([answers.length]),
    reference: referenceOf === null ? null : referenceTensor(rows, tokens.ids.shape[1], referenceOf),
    mismatched: referenceOf === null ? null : rowsBeside(others, answers.length, padId, referenceOf),
  }
}

function mismatchedRows(
  pairs: readonly EncodedPair[],
  padId: number,
  referenceOf: ReferenceOf,
): AnswerBatch['mismatched'] {
  const rows = (['chosen', 'rejected'] as const).flatMap((side) =>
    pairs.flatMap((pair) => pair.mismatched?.[side] ?? []),
  )
  return rowsBeside(rows, 2 * pairs.length, padId, referenceOf)
}

/** Null where a row of the batch stands with no other completion. */
function rowsBeside(
  rows: readonly EncodedCompletion[],
  wanted: number,
  padId: number,
  referenceOf: ReferenceOf,
): AnswerBatch['mismatched'] {
  if (rows.length < wanted) return null
  const tokens = tokenBatch(rows, padId)
  return { tokens, reference: referenceTensor(rows, tokens.ids.shape[1], referenceOf) }
}

/** All completions of one prompt that have a reward, each text once. */
export interface EncodedGroup {
  readonly promptText: string
  readonly completions: readonly EncodedCompletion[]
  readonly rewards: readonly number[]
  readonly weight: number
}

/**
 * Gathers pairs by prompt. A completion that occurs in several pairs gets the mean of its rewards there; of a prompt
 * with more than `size` completions the first are taken, one group for each `size` of them. Groups of one have
 * nothing to compare and are left out.
 */
export function groupPairs(
  pairs: readonly EncodedPair[],
  rewards: readonly PairRewards[],
  size: number,
): readonly EncodedGroup[] {
  const byPrompt = new Map<string, Map<string, { one: EncodedCompletion; rewards: number[]; weights: number[] }>>()
  const add = (pair: EncodedPair, one: EncodedCompletion, reward: number): void => {
    const group = byPrompt.get(pair.promptText) ?? new Map()
    byPrompt.set(pair.promptText, group)
    const entry = group.get(one.text) ?? { one, rewards: [], weights: [] }
    group.set(one.text, entry)
    entry.rewards.push(reward)
    entry.weights.push(pair.weight)
  }
  for (const [at, pair] of pairs.entries()) {
    add(pair, pair.chosen, rewards[at]?.chosen ?? 0)
    add(pair, pair.rejected, rewards[at]?.rejected ?? 0)
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  return [...byPrompt].flatMap(([promptText, group]) => {
    const entries = [...group.values()]
    const parts = Array.from({ length: Math.ceil(entries.length / size) }, (_none, at) =>
      entries.slice(at * size, (at + 1) * size),
    )
    return parts
      .filter((part) => part.length > 1)
      .map((part) => ({
        promptText,
        completions: part.map((entry) => entry.one),
        rewards: part.map((entry) => mean(entry.rewards)),
        weight: mean(part.flatMap((entry) => entry.weights)),
      }))
  })
}

/**
 * Groups smaller than `size` are filled with rows that are marked invalid.
 * @param oldOf per-token log-probs of the policy that wrote the completions, where they are needed
 */
export function groupBatch(
  groups: readonly EncodedGroup[],
  size: number,
  padId: number,
  referenceOf: ReferenceOf | null,
  oldOf: ReferenceOf | null = null,
): GroupBatch {
  const filler = (group: EncodedGroup): EncodedCompletion => ({
    prompt: group.completions[0]?.prompt.slice(0, 1) ?? [padId],
    completion: [],
    text: '',
  })
  const rows = groups.flatMap((group) =>
    Array.from({ length: size }, (_none, at) => group.completions[at] ?? filler(group)),
  )
  const tokens = tokenBatch(rows, padId)
  const grid = (value: (group: EncodedGroup, at: number) => number): tf.Tensor2D =>
    tensorOf<tf.Rank.R2>(
      groups.flatMap((group) => Array.from({ length: size }, (_none, at) => value(group, at))),
      [groups.length, size],
    )
  return {
    kind: 'groups',
    prompts: groups.length,
    samples: size,
    tokens,
    rewards: grid((group, at) => group.rewards[at] ?? 0),
    valid: grid((group, at) => (at < group.completions.length ? 1 : 0)),
    weight: tf.tensor1d(groups.map((group) => group.weight)),
    reference: referenceOf === null ? null : referenceTensor(rows, tokens.ids.shape[1], referenceOf),
    old: oldOf === null ? null : referenceTensor(rows, tokens.ids.shape[1], oldOf),
  }
}

export function disposeBatch(batch: Batch): void {
  tf.dispose([batch.tokens.ids, batch.tokens.attention, batch.tokens.completion, batch.weight])
  if (batch.reference !== null) batch.reference.dispose()
  if (batch.kind === 'groups') {
    tf.dispose([batch.rewards, batch.valid])
    batch.old?.dispose()
    return
  }
  if (batch.kind === 'answers') batch.good.dispose()
  else disposeSides(batch)
  if (batch.mismatched == null) return
  const { tokens, reference } = batch.mismatched
  tf.dispose([tokens.ids, tokens.attention, tokens.completion, reference])
}

function disposeSides(batch: PairBatch): void {
  tf.dispose([batch.preference, batch.strength, batch.rewardChosen, batch.rewardRejected])
  if (batch.judged != null) tf.dispose([batch.judged.compared, batch.judged.good])
}
