// Presets for models that were trained elsewhere: rates and temperatures that people use on them, with their source.
import type { Preset } from './define.ts'

/** Of all weights, mostly those of the TRL library's trainers; with adapters ten times that ("LoRA Without Regret", Schulman et al., 2025). */
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

/**
 * Of every ranker on texts: an embedding model that was trained elsewhere goes on from what it can do.
 * @param batchSize Queries per update. One whose lists stand alone reads a list for each, and does with few.
 */
export function pretrainedEncoder(batchSize: number): readonly [Preset, Preset] {
  const training = { steps: 100, batchSize, warmupFraction: 0.1, schedule: 'linear' } as const
  return [
    {
      id: 'pretrained',
      title: 'Pre-trained',
      suits: ['pretrained', 'adapters'],
      note: 'For an encoder that was trained elsewhere: cosine at 0.05 (SimCSE, Gao et al., 2021) and 2e-5, the rate of BERT (Devlin et al., 2019) and of sentence-transformers’ recipes.',
      config: { similarity: 'cosine', temperature: 0.05 },
      training: { ...training, learningRate: 2e-5 },
    },
    {
      id: 'adapters',
      title: 'LoRA',
      suits: ['adapters'],
      note: 'Adapters beside an encoder that was trained elsewhere: rank 16 on every linear layer at 2e-4, ten times the rate of all weights (“LoRA Without Regret”, Schulman et al., 2025); Hu et al. (2022) take 2e-4 to 5e-4 for encoders of this kind.',
      config: { similarity: 'cosine', temperature: 0.05 },
      training: { ...training, adapt: 'lora', learningRate: 2e-4 },
    },
  ]
}
