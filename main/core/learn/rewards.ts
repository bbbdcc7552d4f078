import { invariant } from '../../../shared/assert.ts'
import { countCharacters, toText, type PreferenceRow } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import type { RewardSource } from '../../../shared/run-spec.ts'

// Rewards that need no network. A reward model's scores come from the trainer, which has the weights.

export type RowRewards = { readonly a: number; readonly b: number }
export type RewardScale = { readonly mean: number; readonly sd: number }

const LONGEST_PATTERN = 500
/** A pattern can take exponential time, and the time grows with the text; completions beyond this are cut for it. */
const LONGEST_MATCHED_TEXT = 20_000

/** Labels and columns belong to completions that are there already; the other sources can score what is written anew. */
export function scoresNewText(source: RewardSource): boolean {
  return source.kind !== 'label' && source.kind !== 'column'
}

/**
 * The number of a completion's text under a programmatic source; null for sources that score rows or need a network.
 * @throws AppError `spec-invalid` for a pattern that does not compile
 */
export function scoreCompletion(source: RewardSource, text: string): number | null {
  switch (source.kind) {
    case 'length':
      return lengthReward(text, source.target)
    case 'keyword':
      return keywordReward(text, source.words)
    case 'regex':
      return compilePattern(source.pattern).test(text.slice(0, LONGEST_MATCHED_TEXT)) ? 1 : 0
    case 'label':
    case 'column':
    case 'reward-model':
      return null
  }
}

/** −|length − target| / target, in characters as a reader counts them: 0 at the target, −1 for an empty text. */
export function lengthReward(text: string, target: number): number {
  const length = countCharacters(text)
  return length === target ? 0 : -Math.abs(length - target) / target
}

/** Share of the words that occur anywhere in the text, whatever their case. */
export function keywordReward(text: string, words: readonly string[]): number {
  const lower = text.toLowerCase()
  return words.filter((word) => lower.includes(word.toLowerCase())).length / words.length
}

/**
 * Unicode-aware where the pattern allows it, and without state between calls.
 * @throws AppError `spec-invalid`
 */
export function compilePattern(pattern: string): RegExp {
  if (pattern.length > LONGEST_PATTERN) {
    throw new AppError({
      code: 'spec-invalid',
      message: `The regular expression has ${pattern.length} characters; the limit is ${LONGEST_PATTERN}.`,
      hint: 'Shorten the pattern.',
    })
  }
  if (hasNestedRepeat(pattern)) {
    throw new AppError({
      code: 'spec-invalid',
      message: `The regular expression ${pattern} repeats a group that itself repeats, which can take for ever on some texts.`,
      hint: 'Write it without a repeat inside a repeated group: (a+)+ is a+.',
    })
  }
  try {
    return new RegExp(pattern, 'u')
  } catch (unicodeError) {
    try {
      return new RegExp(pattern)
    } catch {
      const reason = unicodeError instanceof Error ? unicodeError.message : String(unicodeError)
      throw new AppError({
        code: 'spec-invalid',
        message: `The regular expression ${pattern} cannot be read: ${reason}`,
        hint: 'Correct the pattern; it is written as in JavaScript, without slashes.',
        cause: unicodeError,
      })
    }
  }
}

/** True for a group with an unbounded repeat inside that is itself repeated without bound, as in (a+)*. */
function hasNestedRepeat(pattern: string): boolean {
  const plain = pattern.replace(/\\[\s\S]/g, '_').replace(/\[[^\]]*\]/g, '_')
  const repeatsInside: boolean[] = [false]
  for (let index = 0; index < plain.length; index += 1) {
    const rest = plain.slice(index)
    if (rest.startsWith('(')) repeatsInside.push(false)
    else if (rest.startsWith(')') && repeatsInside.length > 1) {
      const inner = repeatsInside.pop() === true
      if (inner && startsUnboundedRepeat(plain.slice(index + 1))) return true
      if (inner) repeatsInside[repeatsInside.length - 1] = true
    } else if (startsUnboundedRepeat(rest)) repeatsInside[repeatsInside.length - 1] = true
  }
  return false
}

function startsUnboundedRepeat(text: string): boolean {
  return /^(?:[*+]|\{\d+,\})/.test(text)
}

/**
 * Rewards of a row's two sides. From the labels: ±½ times strength times (2p − 1), so that the difference runs from −1
 * to 1 and a tie has none.
 * @returns null where a reward model must score the row
 * @throws AppError `dataset-invalid` when a column is asked for and the row has no number
 */
export function rewardsOfRow(row: PreferenceRow, source: RewardSource): RowRewards | null {
  if (source.kind === 'reward-model') return null
  if (source.kind === 'label') {
    const half = 0.5 * row.strength * (2 * (row.preferenceA ?? 0.5) - 1)
    return { a: half, b: half === 0 ? 0 : -half }
  }
  if (source.kind === 'column') {
    if (row.rewardA !== null && row.rewardB !== null) return { a: row.rewardA, b: row.rewardB }
    throw new AppError({
      code: 'dataset-invalid',
      message: `Pair ${row.pairId} has no reward for ${row.rewardA === null ? 'its first' : 'its second'} completion.`,
      hint: 'Import the file with its reward columns chosen, or take the rewards from the labels.',
    })
  }
  const a = scoreCompletion(source, toText(row.a))
  const b = scoreCompletion(source, toText(row.b))
  invariant(a !== null && b !== null, `the source ${source.kind} scores text`)
  return { a, b }
}

/** Mean and standard deviation (n − 1) in double precision; sd is 0 for fewer than two values or equal ones. */
export function standardise(values: readonly number[]): RewardScale {
  if (values.length === 0) return { mean: 0, sd: 0 }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  if (values.length < 2) return { mean, sd: 0 }
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const sd = Math.sqrt(squares / (values.length - 1))
  // Equal values leave a rounding residue; dividing by it would blow noise up to the size of a reward.
  return { mean, sd: sd < 1e-12 * Math.max(1, Math.abs(mean)) ? 0 : sd }
}

/**
 * The one scale of a run, from the rewards of its training rows; mean 0 and sd 1 where nothing is to be changed. It is
 * never refitted per batch, since only R/β counts and a moving scale moves the optimum.
 */
export function rewardScale(values: readonly number[], source: RewardSource, wanted: boolean): RewardScale {
  if (!wanted || source.kind === 'label') return { mean: 0, sd: 1 }
  const scale = standardise(values)
  return scale.sd === 0 ? { mean: scale.mean, sd: 1 } : scale
}

export function applyScale(value: number, scale: RewardScale): number {
  return (value - scale.mean) / scale.sd
}
