// Behaviour cloning (Pomerleau, 1991; Bain and Sammut, 1995): the baseline that looks at no preference.
import { z } from 'zod'
import { defineControlMethod } from '../control/control.ts'
import { cloneAll, CLONING_INFO, networkFields, PAPER_TRAINING, policyNetwork } from '../control/control-policy.ts'

export const bc = defineControlMethod({
  id: 'bc',
  name: 'BC',
  summary: 'Copies every segment, whoever was preferred',
  paper: { cite: 'Pomerleau, Neural Computation 1991', url: 'https://doi.org/10.1162/neco.1991.3.1.88' },
  vectors: ['gaussian_policy'],
  equation: 'L = −E log π(a|s)',
  deviations: ['log π is −‖a − μ(s)‖², as in CPL’s official code, so the loss is the mean squared error.'],
  config: z.strictObject({ ...networkFields }),
  metrics: CLONING_INFO,
  presets: [
    {
      id: 'small',
      title: 'Small',
      note: 'For the worlds that come with Pairlab, on a processor.',
      config: { width: 64 },
      training: {
        steps: 1500,
        batchSize: 32,
        learningRate: 1e-3,
        warmupFraction: 0.02,
        schedule: 'constant',
        clipNorm: 0,
      },
    },
    {
      id: 'paper',
      title: 'CPL’s baseline',
      note: 'As in Hejna et al. (2024): 500,000 steps at 1e-4 without a warm-up, batches of 96 pairs of 64 steps, two layers of 512 units, dropout 0.25.',
      config: {},
      training: PAPER_TRAINING,
    },
  ],
  networks: (settings, sizes) => ({ policy: policyNetwork(settings, sizes) }),
  stages: (_settings, steps) => [{ name: 'bc', steps }],
  pairing: () => 'any',
  update: (step) => step.minimize(['policy'], () => cloneAll(step)),
})
