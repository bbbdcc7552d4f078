// What pages of methods on pairs say in the same words.
import { z } from 'zod'

/** β, above 0. @param help where it does something else than hold the policy to its reference */
export function distancePenalty(
  initial = 0.1,
  help = 'Larger keeps the policy closer to the reference.',
  most = 100,
): z.ZodDefault<z.ZodNumber> {
  return z
    .number()
    .positive()
    .max(most)
    .default(initial)
    .meta({ title: 'Distance penalty', symbol: 'β', help, group: 'main' })
}

/** Deviations: no paper has labels with a strength, or pairs with a weight. */
export const BY_STRENGTH = 'A weak preference is softened toward ½ by its strength (can be turned off).'
export const BY_WEIGHT = 'Each pair’s loss is multiplied by its weight and divided by the batch’s total weight.'
export const WITH_END = 'The length |y| counts the end-of-turn token, whose log-prob is in the sum.'

/** For Pairlab's own models of up to a few million parameters. */
export const SMALL_MODEL = {
  steps: 200,
  batchSize: 16,
  learningRate: 3e-4,
  warmupFraction: 0.1,
  schedule: 'cosine',
} as const

/** The same where the policy writes its completions: fewer steps, of which each costs more. */
export const SMALL_WRITER = {
  steps: 100,
  batchSize: 8,
  learningRate: 3e-4,
  warmupFraction: 0.1,
  schedule: 'constant',
} as const
