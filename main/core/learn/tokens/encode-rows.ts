import { toText, type Content, type PreferenceRow, type UnpairedRow } from '../../../../shared/data-kinds.ts'
import type { TextFormat } from './text-format.ts'

/** A prompt and one completion as tokens; the completion ends with the end-of-turn token. */
export interface EncodedCompletion {
  readonly prompt: readonly number[]
  readonly completion: readonly number[]
  /** 1 for each completion token that counts, in a loss and in a log-probability; absent or null: all of them. */
  readonly trained?: Uint8Array | null
  /** Completion as text, for rewards computed from it. */
  readonly text: string
}

/** A pair turned so that `chosen` is the side with preference ≥ ½. */
export interface EncodedPair {
  readonly pairId: string
  readonly promptText: string
  readonly chosen: EncodedCompletion
  readonly rejected: EncodedCompletion
  /** P(chosen preferred), ½ to 1; ½ where the two are not compared. */
  readonly preference: number
  readonly strength: number
  readonly weight: number
  /** True where `chosen` is the record's `b`. */
  readonly swapped: boolean
  /** P(good) of each side, where each is judged by itself; absent where the two are compared. */
  readonly judged?: { readonly chosen: number; readonly rejected: number }
  /** This prompt with the completions of another one; only where the method asks for it. */
  readonly mismatched?: { readonly chosen: EncodedCompletion; readonly rejected: EncodedCompletion }
}

/** A pair of the data, with its texts as they stand there: for whoever reads them in another model's tokens. */
export interface EncodedRowPair extends EncodedPair {
  readonly contents: { readonly prompt: Content; readonly chosen: Content; readonly rejected: Content }
}

export interface EncodedRows {
  readonly pairs: readonly EncodedRowPair[]
  /** Share of completions or prompts that lost tokens to the longest length. */
  readonly cutShare: number
  readonly longest: number
}

/** Tokens of a completion that count. */
export function trainedTokens({ completion, trained }: EncodedCompletion): number {
  return trained == null ? completion.length : trained.reduce((sum, counts) => sum + counts, 0)
}

/** @throws AppError `spec-invalid` where the layout alone takes more than `maxLength` */
export function encodeCompletion(
  format: TextFormat,
  prompt: Content,
  completion: Content,
  maxLength: number,
): EncodedCompletion & { readonly wasCut: boolean } {
  return { ...format.row(prompt, completion, maxLength), text: toText(completion) }
}

const BOTH_BAD = { chosen: 0, rejected: 0 }

/**
 * Turns records into tokens. An empty completion keeps its end-of-turn token.
 * @throws AppError as encodeCompletion
 */
export function encodeRows(rows: readonly PreferenceRow[], format: TextFormat, maxLength: number): EncodedRows {
  let cut = 0
  let longest = 0
  const encode = (prompt: Content, completion: Content): EncodedCompletion => {
    const { wasCut, ...row } = encodeCompletion(format, prompt, completion, maxLength)
    if (wasCut) cut += 1
    longest = Math.max(longest, row.prompt.length + row.completion.length)
    return row
  }
  const pairs = rows.map((row): EncodedRowPair => {
    const a = encode(row.prompt, row.a)
    const b = encode(row.prompt, row.b)
    const preferenceA = row.preferenceA ?? 0.5
    const swapped = preferenceA < 0.5
    return {
      pairId: row.pairId,
      promptText: toText(row.prompt),
      contents: { prompt: row.prompt, chosen: swapped ? row.b : row.a, rejected: swapped ? row.a : row.b },
      chosen: swapped ? b : a,
      rejected: swapped ? a : b,
      preference: swapped ? 1 - preferenceA : preferenceA,
      strength: row.strength,
      weight: row.weight,
      swapped,
      ...(row.preferenceA === null ? { judged: BOTH_BAD } : {}),
    }
  })
  return { pairs, cutShare: rows.length === 0 ? 0 : cut / (2 * rows.length), longest }
}

/** Each pair's prompt with the completions of the next pair that has another prompt (of the next one, if all share one). */
export function withMismatched(
  pairs: readonly EncodedRowPair[],
  format: TextFormat,
  maxLength: number,
): readonly EncodedRowPair[] {
  return pairs.map((pair, at) => {
    const other = pairs[nextOther(pairs, at)] ?? pair
    const join = (completion: Content): EncodedCompletion =>
      encodeCompletion(format, pair.contents.prompt, completion, maxLength)
    return { ...pair, mismatched: { chosen: join(other.contents.chosen), rejected: join(other.contents.rejected) } }
  })
}

/** An answer that stands alone. */
export interface EncodedAnswer {
  readonly pairId: string
  readonly promptText: string
  readonly contents: { readonly prompt: Content; readonly completion: Content }
  readonly answer: EncodedCompletion
  /** P(it is good) */
  readonly good: number
  /** This prompt with the completion of another one; only where the method asks for it. */
  readonly mismatched?: EncodedCompletion
}

export interface EncodedAnswers {
  readonly answers: readonly EncodedAnswer[]
  readonly cutShare: number
  readonly longest: number
}

/** @throws AppError as encodeCompletion */
export function encodeAnswers(rows: readonly UnpairedRow[], format: TextFormat, maxLength: number): EncodedAnswers {
  let cut = 0
  let longest = 0
  const answers = rows.map(({ pairId, prompt, completion, good }): EncodedAnswer => {
    const { wasCut, ...answer } = encodeCompletion(format, prompt, completion, maxLength)
    if (wasCut) cut += 1
    longest = Math.max(longest, answer.prompt.length + answer.completion.length)
    return { pairId, promptText: toText(prompt), contents: { prompt, completion }, answer, good }
  })
  return { answers, cutShare: rows.length === 0 ? 0 : cut / rows.length, longest }
}

/** Each answer's prompt with the completion of the next answer that has another prompt (of the next one, if all share one). */
export function answersMismatched(
  answers: readonly EncodedAnswer[],
  format: TextFormat,
  maxLength: number,
): readonly EncodedAnswer[] {
  return answers.map((one, at) => {
    const other = answers[nextOther(answers, at)] ?? one
    return {
      ...one,
      mismatched: encodeCompletion(format, one.contents.prompt, other.contents.completion, maxLength),
    }
  })
}

function nextOther(items: readonly { readonly promptText: string }[], at: number): number {
  let step = 1
  while (step < items.length && items[(at + step) % items.length]?.promptText === items[at]?.promptText) step += 1
  return (at + (step < items.length ? step : 1)) % items.length
}
