// The Plackett–Luce distribution over rankings (Plackett, 1975; Luce, 1959).
import { tf } from '../tf.ts'

const USED = -1e30 // below any score, and finite, so that no gradient turns into no number

/**
 * log π of each place of the first k of each ranking: s_{r_i} − logsumexp of the scores of all documents not yet
 * placed, those never placed among them. Each place has its own maximum, so that far-apart scores do not underflow.
 * @param scores [document]   @param rankings document indices, best first, host-side [ranking, ≥ k]   @returns [ranking, k]
 */
export function placementLogProbs(scores: tf.Tensor1D, rankings: readonly (readonly number[])[], k: number): tf.Tensor2D {
  const count = scores.shape[0]
  const places = Math.min(k, count)
  const used = new Float32Array(rankings.length * places * count)
  const chosen = new Float32Array(used.length)
  rankings.forEach((ranking, row) => {
    for (let place = 0; place < places; place += 1) {
      const at = (row * places + place) * count
      for (let before = 0; before < place; before += 1) used[at + ranking[before]!] = USED
      chosen[at + ranking[place]!] = 1
    }
  })
  return tf.tidy(() => {
    const shape: [number, number, number] = [rankings.length, places, count]
    const remaining = tf.add(scores, tf.tensor3d(used, shape))
    return tf.sum(tf.mul(tf.logSoftmax(remaining), tf.tensor3d(chosen, shape)), 2) as tf.Tensor2D
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
