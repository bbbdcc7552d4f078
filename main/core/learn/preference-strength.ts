// How strong a preference was, where a person said so.
import { z } from 'zod'
import type { PairBatch } from './define.ts'
import { tf } from './tf.ts'

/** The setting of every method on pairs. @param help where a method makes something else of it than a softer label */
export function useStrength(
  help = 'A weak preference becomes a softer label: ½ + (p − ½) · strength.',
): z.ZodDefault<z.ZodBoolean> {
  return z.boolean().default(true).meta({ title: 'Use strength', help, group: 'expert' })
}

/** A weak preference is a soft one: ½ + (p − ½) · strength [pair]. */
export function softPreference(batch: PairBatch, isUsed: boolean): tf.Tensor1D {
  if (!isUsed) return batch.preference
  return tf.add(tf.mul(tf.sub(batch.preference, 0.5), batch.strength), 0.5) as tf.Tensor1D
}

/**
 * What a soft label makes of a loss on two sides: p·L(chosen wins) + (1 − p)·L(rejected wins).
 * @param preference p [pair]   @returns [pair]
 */
export function overLabel(preference: tf.Tensor1D, chosenWins: tf.Tensor1D, rejectedWins: tf.Tensor1D): tf.Tensor1D {
  return tf.add(tf.mul(preference, chosenWins), tf.mul(tf.sub(1, preference), rejectedWins)) as tf.Tensor1D
}
