import type { Random } from '../random.ts'
import { tf } from '../tf.ts'

/**
 * 0 with probability `rate`, else 1 / (1 − rate), so that the mean stays 1 (Srivastava et al., 2014). One draw from
 * `random` seeds a fast generator of its own (Marsaglia's xorshift), since a mask takes half a million bits a layer.
 */
export function dropMask(shape: readonly [number, number], rate: number, random: Random): tf.Tensor2D {
  const [rows, columns] = shape
  const values = new Float32Array(rows * columns)
  const kept = 1 / (1 - rate)
  const threshold = Math.floor(rate * 4_294_967_296)
  let word = random.int(4_294_967_295) + 1
  for (let index = 0; index < values.length; index += 1) {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    if (word >>> 0 >= threshold) values[index] = kept
  }
  return tf.tensor2d(values, [rows, columns])
}
