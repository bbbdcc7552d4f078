// From a row's logits to one token. The order is that of the transformers library: repetition penalty, temperature,
// top-k, top-p, min-p. Each cut looks at what the one before it left.
import { AppError } from '../../../../shared/errors.ts'
import { expOfNegative } from './exponential.ts'
import type { Random } from '../random.ts'

export interface DrawOptions {
  /** Divides the logits; 0 is greedy: the likeliest token after the penalty, and no other option matters. */
  readonly temperature: number
  /** Only the k likeliest tokens, those tied with the last of them included; 0 for all. */
  readonly topK?: number
  /** Only the likeliest tokens that together hold this much probability, at least one; 1 for all (Holtzman et al., 2020). */
  readonly topP?: number
  /** Only tokens at least this fraction as likely as the likeliest; 0 for all (Nguyen et al., 2024). */
  readonly minP?: number
  /** Divides positive logits of tokens already in the row, prompt included, and multiplies negative ones; 1 for none (Keskar et al., 2019, eq. in §4.1). */
  readonly repetitionPenalty?: number
}

export interface DrawnToken {
  readonly id: number
  /** log-probability under the distribution the token was drawn from; 0 when greedy, which has no choice. */
  readonly logProb: number
}

/** What one vocabulary needs again for every token, so that drawing makes no garbage. */
export interface DrawScratch {
  readonly weights: Float64Array
  readonly order: Float64Array
}

export function drawScratch(vocabSize: number): DrawScratch {
  return { weights: new Float64Array(vocabSize), order: new Float64Array(vocabSize) }
}

/** @throws AppError `input-invalid` for numbers no distribution can be made with */
export function checkDrawOptions({
  temperature,
  topK = 0,
  topP = 1,
  minP = 0,
  repetitionPenalty = 1,
}: DrawOptions): void {
  const wrong = !(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)
    ? 'temperature must be 0 or more'
    : !(Number.isInteger(topK) && topK >= 0)
      ? 'top-k must be a whole number, 0 for all tokens'
      : !(topP > 0 && topP <= 1)
        ? 'top-p must be more than 0 and at most 1'
        : !(minP >= 0 && minP <= 1)
          ? 'min-p must be from 0 to 1'
          : !(repetitionPenalty > 0 && repetitionPenalty < Number.POSITIVE_INFINITY)
            ? 'the repetition penalty must be more than 0'
            : null
  if (wrong !== null)
    throw new AppError({
      code: 'input-invalid',
      message: `Sampling cannot begin: ${wrong}.`,
      hint: 'Correct that number and try again.',
    })
}

/**
 * Draws one token. Ties of the likeliest go to the lower id.
 * @param logits [vocab], left as they are
 * @param seen ids in the row so far, for the penalty
 */
export function drawToken(
  logits: Float32Array,
  random: Random,
  options: DrawOptions,
  seen?: ReadonlySet<number>,
  scratch: DrawScratch = drawScratch(logits.length),
): DrawnToken {
  const penalty = options.repetitionPenalty ?? 1
  const penalised = penalty !== 1 && seen !== undefined && seen.size > 0
  if (options.temperature === 0 && !penalised) return { id: likeliest(logits), logProb: 0 }
  const { weights } = scratch
  if (options.temperature === 0) {
    weights.set(logits)
    penalise(weights, seen!, penalty)
    return { id: likeliest(weights), logProb: 0 }
  }
  const total = fillWeights(logits, options, penalised ? seen : undefined, scratch)
  const id = pick(weights, random.uniform() * total)
  return { id, logProb: Math.log(weights[id]! / total) }
}

/** The distribution tokens are drawn from at a temperature above 0. logits [vocab] → probabilities [vocab] */
export function drawDistribution(logits: Float32Array, options: DrawOptions, seen?: ReadonlySet<number>): Float64Array {
  const scratch = drawScratch(logits.length)
  const total = fillWeights(logits, options, seen, scratch)
  return scratch.weights.map((weight) => weight / total)
}

/** Weights after penalty, temperature and cuts; returns their sum. */
function fillWeights(
  logits: Float32Array,
  options: DrawOptions,
  seen: ReadonlySet<number> | undefined,
  scratch: DrawScratch,
): number {
  const { topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options
  const { weights } = scratch
  const count = logits.length
  weights.set(logits) // one kind of array in the loops below, which are a third of the time of a small model's token
  if (seen !== undefined && repetitionPenalty !== 1) penalise(weights, seen, repetitionPenalty)
  let total = exponentiate(weights, 1 / options.temperature)
  if (topK > 0 && topK < count) total = keepTop(scratch, 'count', topK)
  if (topP < 1) total = keepTop(scratch, 'mass', topP * total)
  if (minP > 0) total = keepAtLeast(weights, minP) // the likeliest weighs 1
  return total
}

/** Scores → e^(scale · (score − largest)), in place; returns the sum. @throws AppError `loss-not-finite` */
function exponentiate(scores: Float64Array, scale: number): number {
  const count = scores.length
  let largest = Number.NEGATIVE_INFINITY
  for (let id = 0; id < count; id += 1) {
    const score = scores[id]!
    if (score > largest) largest = score
  }
  if (!Number.isFinite(largest))
    throw new AppError({
      code: 'loss-not-finite',
      message: 'The model’s numbers for the next token are not finite.',
      hint: 'Its weights have blown up in training; choose an earlier checkpoint.',
    })
  let total = 0
  for (let id = 0; id < count; id += 1) {
    const weight = expOfNegative((scores[id]! - largest) * scale)
    scores[id] = weight
    total += weight
  }
  return total
}

function penalise(scores: Float64Array, seen: ReadonlySet<number>, penalty: number): void {
  for (const id of seen)
    if (id < scores.length) scores[id] = scores[id]! > 0 ? scores[id]! / penalty : scores[id]! * penalty
}

function likeliest(scores: Float32Array | Float64Array): number {
  let best = 0
  for (let id = 1; id < scores.length; id += 1) if (scores[id]! > scores[best]!) best = id
  return best
}

/** The index at which the running sum passes `left`; never one of weight 0. */
function pick(weights: Float64Array, left: number): number {
  let last = 0
  for (let id = 0; id < weights.length; id += 1) {
    if (weights[id]! <= 0) continue
    last = id
    left -= weights[id]!
    if (left < 0) break
  }
  return last
}

/** Sets to 0 what weighs less; returns what is left. */
function keepAtLeast(weights: Float64Array, least: number): number {
  let total = 0
  for (let id = 0; id < weights.length; id += 1) {
    if (weights[id]! < least) weights[id] = 0
    else total += weights[id]!
  }
  return total
}

/**
 * Keeps the heaviest until their number, or their sum, reaches the target, and sets the rest to 0. Of equal weights
 * at the border a count keeps all, a sum the lower ids it needs. Returns the sum of what is left.
 */
function keepTop({ weights, order }: DrawScratch, by: 'count' | 'mass', target: number): number {
  const border = heaviestBorder(weights, order, by, target)
  if (by === 'count') return keepAtLeast(weights, border)
  let above = 0
  for (let id = 0; id < weights.length; id += 1) if (weights[id]! > border) above += weights[id]!
  let total = above
  for (let id = 0; id < weights.length; id += 1) {
    if (weights[id]! > border) continue
    if (weights[id]! === border && total === above) total += border // the border itself, whose sum reaches the target
    else if (weights[id]! === border && total < target) total += border
    else weights[id] = 0
  }
  return total
}

/** The lightest weight that is needed to reach the target: quickselect by count or by sum, without sorting. */
function heaviestBorder(weights: Float64Array, order: Float64Array, by: 'count' | 'mass', target: number): number {
  let count = 0
  for (let id = 0; id < weights.length; id += 1) if (weights[id]! > 0) order[count++] = weights[id]!
  let from = 0
  let to = count
  let wanted = target
  while (to - from > 1) {
    const middle = order[(from + to) >> 1]!
    // Heavier ones to the front, lighter ones to the back, equal ones between.
    let front = from
    let back = to
    let heavier = 0
    for (let at = from; at < back;) {
      const weight = order[at]!
      if (weight > middle) {
        order[at++] = order[front]!
        order[front++] = weight
        heavier += by === 'count' ? 1 : weight
      } else if (weight < middle) {
        order[at] = order[--back]!
        order[back] = weight
      } else at += 1
    }
    const equal = (back - front) * (by === 'count' ? 1 : middle)
    if (wanted <= heavier && front > from) to = front
    else if (wanted <= heavier + equal || back === to) return middle
    else {
      wanted -= heavier + equal
      from = back
    }
  }
  return from < count ? order[from]! : 0
}

export interface TokenLogProb {
  readonly id: number
  readonly logProb: number
}

/** log Σ exp of the logits; what turns a logit into the model's own log-probability. */
export function logSumExp(logits: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let id = 0; id < logits.length; id += 1) if (logits[id]! > largest) largest = logits[id]!
  let total = 0
  for (let id = 0; id < logits.length; id += 1) total += expOfNegative(logits[id]! - largest)
  return largest + Math.log(total)
}

/** The n likeliest tokens of the model itself, likeliest first, ties to the lower id. */
export function topTokens(logits: Float32Array, logSum: number, n: number): TokenLogProb[] {
  const top: number[] = []
  for (let id = 0; id < logits.length; id += 1) {
    if (top.length === n && logits[id]! <= logits[top[n - 1]!]!) continue
    let at = top.length
    while (at > 0 && logits[top[at - 1]!]! < logits[id]!) at -= 1
    top.splice(at, 0, id)
    if (top.length > n) top.pop()
  }
  return top.map((id) => ({ id, logProb: logits[id]! - logSum }))
}
