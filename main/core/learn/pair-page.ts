// What pages of methods on pairs say in the same words.
import { z } from 'zod'
import type { Preset } from './define.ts'

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

/**
 * Presets for models that were trained elsewhere: rates that people use on them, with their source. Of all weights they are
 * those of the TRL library's trainers; with adapters ten times that ("LoRA Without Regret", Schulman et al., 2025).
 */
const RATES = {
  imitation: { all: 2e-5, lora: 2e-4, said: 'TRL’s SFT' },
  preference: { all: 1e-6, lora: 1e-5, said: 'TRL’s DPO and KTO' },
  'policy-gradient': { all: 1e-6, lora: 1e-5, said: 'TRL’s GRPO and RLOO' },
  'reward-model': { all: 1e-5, lora: 1e-4, said: 'Touvron et al. (2023) and Ouyang et al. (2022)' },
  embedding: { all: 1e-5, lora: 1e-4, said: 'Gao et al. (2021); with adapters 1e-4, Wang et al. (2024)' },
} as const satisfies Record<string, { all: number; lora: number; said: string }>

export function forPretrained(kind: keyof typeof RATES, config: Preset['config'] = {}): readonly [Preset, Preset] {
  const { all, lora, said } = RATES[kind]
  const training = { steps: 200, batchSize: 16, warmupFraction: 0.1, schedule: 'cosine', maxLength: 512 } as const
  return [
    {
      id: 'adapters',
      title: 'LoRA',
      suits: ['adapters'],
      note: `For a model that was trained elsewhere: rank 16 on every linear layer, at ten times the rate of all weights, which is that of ${said}.`,
      config,
      training: { ...training, adapt: 'lora', learningRate: lora },
    },
    {
      id: 'pretrained',
      title: 'Pre-trained',
      suits: ['pretrained'],
      note: `For all weights of a model that was trained elsewhere: the rate of ${said}.`,
      config,
      training: { ...training, learningRate: all },
    },
  ]
}
