// The Plackett–Luce distribution over rankings (Plackett, 1975; Luce, 1959).
import { tf } from '../tf.ts'

/** Below any score, and finite, so that no gradient turns into no number. */
export const PADDING = -1e30

/**
 * log π of each place of the first k of each ranking: s_{r_i} − logsumexp of the scores of all documents not yet
 * placed, those never placed among them. Each place has its own maximum, so that far-apart scores do not underflow.
 * @param scores [document]   @param rankings document indices, best first, host-side [ranking, ≥ k]   @returns [ranking, k]
 */
export function placementLogProbs(scores: tf.Tensor1D, rankings: readonly (readonly number[])[], k: number): tf.Tensor2D {
  return tf.tidy(() => tf.squeeze<tf.Tensor2D>(placementLogProbsOfLists(tf.expandDims(scores, 0), [rankings], k), [0]))
}

/**
 * The same for several lists at once, each with equally many rankings. Shorter lists are padded: a padded document's
 * score must be `PADDING`, and places past a list's end are 0.
 * @param scores [list, document]   @param rankings of the list's own documents [list, ranking, ≥ min(k, list)]
 * @returns [list, ranking, k or the longest list]
 */
export function placementLogProbsOfLists(scores: tf.Tensor2D, rankings: readonly (readonly (readonly number[])[])[], k: number): tf.Tensor3D {
  const [lists, count] = scores.shape
  const places = Math.min(k, count)
  const perList = rankings[0]?.length ?? 0
  const used = new Float32Array(lists * perList * places * count)
  const chosen = new Float32Array(used.length)
  let at = 0
  for (const ofList of rankings) {
    for (const ranking of ofList) {
      for (let place = 0; place < places; place += 1, at += count) {
        for (let before = 0; before < Math.min(place, ranking.length); before += 1) used[at + ranking[before]!] = PADDING
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
export function placementGradient(scores: readonly number[], ranking: readonly number[], weights: readonly number[], k: number): number[] {
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
