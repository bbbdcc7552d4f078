// The Plackett–Luce distribution over rankings (Plackett, 1975; Luce, 1959).
import { tf } from '../tf.ts'

/** Below any score, and finite, so that no gradient turns into no number. */
export const PADDING = -1e30

/**
 * log π of each place of the first k of each ranking: s_{r_i} − logsumexp of the scores of all documents not yet
 * placed, those never placed among them. Each place has its own maximum, so that far-apart scores do not underflow.
 * @param scores [document]   @param rankings document indices, best first, host-side [ranking, ≥ k]   @returns [ranking, k]
 */
export function placementLogProbs(
  scores: tf.Tensor1D,
  rankings: readonly (readonly number[])[],
  k: number,
): tf.Tensor2D {
  return tf.tidy(() => tf.squeeze<tf.Tensor2D>(placementLogProbsOfLists(tf.expandDims(scores, 0), [rankings], k), [0]))
}

/**
 * The same for several lists at once, each with equally many rankings. Shorter lists are padded: a padded document's
 * score must be `PADDING`, and places past a list's end are 0.
 * @param scores [list, document]   @param rankings of the list's own documents [list, ranking, ≥ min(k, list)]
 * @returns [list, ranking, k or the longest list]
 */
export function placementLogProbsOfLists(
  scores: tf.Tensor2D,
  rankings: readonly (readonly (readonly number[])[])[],
  k: number,
): tf.Tensor3D {
  const [lists, count] = scores.shape
  const places = Math.min(k, count)
  const perList = rankings[0]?.length ?? 0
  const used = new Float32Array(lists * perList * places * count)
  const chosen = new Float32Array(used.length)
  let at = 0
  for (const ofList of rankings) {
    for (const ranking of ofList) {
      for (let place = 0; place < places; place += 1, at += count) {
        for (let before = 0; before < Math.min(place, ranking.length); before += 1)
          used[at + ranking[before]!] = PADDING
        if (place < ranking.length) chosen[at + ranking[place]!] = 1
      }
    }
  }
  return tf.tidy(() => {
    const shape: [number, number, number, number] = [lists, perList, places, count]
    const remaining = tf.add(tf.reshape(scores, [lists, 1, 1, count]), tf.tensor4d(used, shape))
    return tf.sum(tf.mul(tf.logSoftmax(remaining), tf.tensor4d(chosen, shape)), 3) as tf.Tensor3D
  })
}

/** log π of each of the first k places, in double precision on the host. */
export function placementLogProbsOf(scores: readonly number[], ranking: readonly number[], k: number): number[] {
  const places = Math.min(k, ranking.length)
  const remaining = [...scores]
  return Array.from({ length: places }, (_none, place) => {
    const largest = remaining.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
    const sum = remaining.reduce((total, score) => total + Math.exp(score - largest), 0)
    const document = ranking[place]!
    const logProb = scores[document]! - largest - Math.log(sum)
    remaining[document] = Number.NEGATIVE_INFINITY
    return logProb
  })
}

const UNIFORM_MARGIN = 1e-9

/** −log(−log u), u kept inside (0, 1). */
export function gumbel(uniform: number): number {
  const inside = Math.min(1 - UNIFORM_MARGIN, Math.max(UNIFORM_MARGIN, uniform))
  return -Math.log(-Math.log(inside))
}

/**
 * An exact sample: the order of score / τ + Gumbel noise, largest first; its top k is an exact sample of the top k
 * (Yellott, 1977; Kool et al., 2019). Ties go to the lower index.
 */
export function gumbelRanking(scores: readonly number[], uniforms: readonly number[], temperature = 1): number[] {
  const keys = scores.map((score, index) => score / temperature + gumbel(uniforms[index]!))
  return [...keys.keys()].sort((a, b) => keys[b]! - keys[a]! || a - b)
}

/**
 * Σ_i w_i ∇_s log π(r_i | r_<i) = Σ_i w_i (onehot(r_i) − softmax over those that remain), in double precision on the host.
 * @param weights by place, at least min(k, list) of them   @returns [document]
 */
export function placementGradient(
  scores: readonly number[],
  ranking: readonly number[],
  weights: readonly number[],
  k: number,
): number[] {
  const gradient = scores.map(() => 0)
  const remaining = [...scores]
  for (const [place, document] of ranking.slice(0, k).entries()) {
    const largest = remaining.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
    const shares = remaining.map((score) => Math.exp(score - largest))
    const sum = shares.reduce((total, share) => total + share, 0)
    for (const [index, share] of shares.entries()) gradient[index]! -= (weights[place]! * share) / sum
    gradient[document]! += weights[place]!
    remaining[document] = Number.NEGATIVE_INFINITY
  }
  return gradient
}

/**
 * The first k of a sampled ranking, without ordering the rest. Score plus Gumbel noise falls as e^−score · (−log u)
 * rises, so that one logarithm a document is enough: the Gumbel top-k read as an exponential race.
 * @param uniform gives numbers in [0, 1), one for each document in turn
 */
export function gumbelTopK(scores: readonly number[], k: number, uniform: () => number): number[] {
  const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
  const times: number[] = [] // of the first k so far, rising
  const first: number[] = []
  const wanted = Math.min(k, scores.length)
  for (let document = 0; document < scores.length; document += 1) {
    const time = -Math.log(Math.max(uniform(), UNIFORM_MARGIN)) * Math.exp(largest - scores[document]!)
    if (first.length === wanted && time >= times[wanted - 1]!) continue
    let place = Math.min(first.length, wanted - 1)
    for (; place > 0 && times[place - 1]! > time; place -= 1) {
      times[place] = times[place - 1]!
      first[place] = first[place - 1]!
    }
    times[place] = time
    first[place] = document
  }
  return first
}

/** Below this share of the whole sum, what subtraction leaves of it has lost too many digits. */
const LEAST_SHARE = 1e-6

/**
 * Σ over rankings and places of w log π(r_i | r_<i), and its gradient by the scores, in double precision on the host: all
 * rankings of a list share their exponentials, so that a ranking costs its k places and one pass over the list.
 * @param weights [ranking, place]   @returns gradient [document]
 */
export function weightedPlacements(
  scores: readonly number[],
  rankings: readonly (readonly number[])[],
  weights: readonly (readonly number[])[],
  k: number,
): { readonly value: number; readonly gradient: Float64Array } {
  const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
  const shares = Float64Array.from(scores, (score) => Math.exp(score - largest))
  const whole = shares.reduce((sum, share) => sum + share, 0)
  const gradient = new Float64Array(scores.length)
  let spread = 0 // Σ of w / (what remains) over all rankings: what a document loses that is never placed
  let value = 0
  for (const [at, ranking] of rankings.entries()) {
    const places = ranking.slice(0, k)
    let remaining = whole
    let passed = 0
    const own: number[] = []
    for (const [place, document] of places.entries()) {
      const weight = weights[at]![place]!
      if (remaining < LEAST_SHARE * whole) {
        // The leading documents are gone: from here on each place anew, with its own maximum.
        const rest = exactRest(scores, places, place, weights[at]!, k)
        value += rest.value
        for (const [index, one] of rest.gradient.entries()) gradient[index]! += one
        break
      }
      passed += weight / remaining
      own.push(passed)
      value += weight * (scores[document]! - largest - Math.log(remaining))
      gradient[document]! += weight
      remaining -= shares[document]!
    }
    spread += passed
    // A placed document is out of what remains after its place.
    for (const [place, share] of own.entries()) gradient[places[place]!]! += shares[places[place]!]! * (passed - share)
  }
  for (let index = 0; index < gradient.length; index += 1) gradient[index]! -= shares[index]! * spread
  return { value, gradient }
}

/** The same for the places from `start` on. */
function exactRest(
  scores: readonly number[],
  ranking: readonly number[],
  start: number,
  weights: readonly number[],
  k: number,
): { readonly value: number; readonly gradient: readonly number[] } {
  const remaining = [...scores]
  for (const document of ranking.slice(0, start)) remaining[document] = Number.NEGATIVE_INFINITY
  const tail = ranking.slice(start, k)
  const logProbs = placementLogProbsOf(remaining, tail, k)
  return {
    value: logProbs.reduce((sum, one, at) => sum + weights[start + at]! * one, 0),
    gradient: placementGradient(remaining, tail, weights.slice(start), k),
  }
}
