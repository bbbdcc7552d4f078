import type { PairRewards, EncodedGroup } from './batches.ts'
import type { Algorithm, Batch, BatchTotals, JudgedTotals } from './define.ts'
import { trainedTokens, type EncodedAnswer, type EncodedPair } from './tokens/encode-rows.ts'

// What a whole batch adds up to, and how it is cut into parts.

/** A batch cut for memory: each part is made when its turn comes and disposed after it. */
export interface BatchParts<B extends Batch = Batch> {
  readonly count: number
  readonly totals: BatchTotals
  make(part: number): B
}

export function pairTotals(
  pairs: readonly EncodedPair[],
  algorithm: Algorithm,
  config: unknown,
  rewards: readonly PairRewards[] | null = null,
): BatchTotals {
  const tokensOf = (pair: EncodedPair): number => {
    const [chosen, rejected] = algorithm.tokenWeights?.(pair.preference, pair.strength, config) ?? [1, 1]
    return pair.weight * (chosen * trainedTokens(pair.chosen) + rejected * trainedTokens(pair.rejected))
  }
  const weight = pairs.reduce((sum, pair) => sum + pair.weight, 0)
  const rewardSum = pairs.reduce(
    (sum, pair, at) => sum + (pair.weight * ((rewards?.[at]?.chosen ?? 0) + (rewards?.[at]?.rejected ?? 0))) / 2,
    0,
  )
  return {
    items: pairs.length,
    weight,
    tokens: pairs.reduce((sum, pair) => sum + tokensOf(pair), 0),
    rewardMean: weight > 0 ? rewardSum / weight : 0,
    ...judgedTotals(pairs),
  }
}

/** Of answers that stand alone: the tokens of the good ones carry an imitation's loss. */
export function answerTotals(answers: readonly EncodedAnswer[]): BatchTotals {
  const good = answers.reduce((sum, one) => sum + one.good, 0)
  return {
    items: answers.length,
    weight: answers.length,
    tokens: answers.reduce((sum, one) => sum + one.good * trainedTokens(one.answer), 0),
    judged: { compared: 0, good, bad: answers.length - good },
  }
}

function judgedTotals(pairs: readonly EncodedPair[]): { readonly judged?: JudgedTotals } {
  if (pairs.every(({ judged }) => judged === undefined)) return {}
  const totals = { compared: 0, good: 0, bad: 0 }
  for (const { judged, weight } of pairs) {
    if (judged === undefined) totals.compared += weight
    else {
      totals.good += weight * (judged.chosen + judged.rejected)
      totals.bad += weight * (2 - judged.chosen - judged.rejected)
    }
  }
  return { judged: totals }
}

export function groupTotals(groups: readonly EncodedGroup[]): BatchTotals {
  const weight = groups.reduce((sum, group) => sum + group.weight, 0)
  const meanReward = (group: EncodedGroup): number =>
    group.rewards.reduce((sum, reward) => sum + reward, 0) / Math.max(1, group.rewards.length)
  return {
    items: groups.length,
    weight,
    rewardMean: weight > 0 ? groups.reduce((sum, group) => sum + group.weight * meanReward(group), 0) / weight : 0,
    tokens: groups.reduce(
      (sum, group) => sum + group.weight * group.completions.reduce((count, one) => count + trainedTokens(one), 0),
      0,
    ),
  }
}

/** A micro-batch is counted in pairs, which are two rows. */
export function groupsOfPart(microBatchSize: number, size: number): number {
  return Math.max(1, Math.floor((2 * microBatchSize) / size))
}

/** Consecutive runs of at most `size`. */
export function chunked<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_none, at) => items.slice(at * size, (at + 1) * size))
}

/** The same, and of at most so many tokens; one that has more stands alone. */
export function chunkedByTokens<T>(
  items: readonly T[],
  size: number,
  most: number,
  tokensOf: (item: T) => number,
): T[][] {
  const chunks: T[][] = []
  let tokens = 0
  for (const item of items) {
    const last = chunks.at(-1)
    const own = tokensOf(item)
    if (last === undefined || last.length === size || tokens + own > most) {
      chunks.push([item])
      tokens = own
    } else {
      last.push(item)
      tokens += own
    }
  }
  return chunks
}
