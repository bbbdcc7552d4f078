// Makes simpo.json: node test/golden/make-simpo.ts > test/golden/simpo.json. Written out from Meng et al. 2024 (arXiv 2405.14734), Eq. 6.
import { minusLogSigmoid, number, printVectors, sigmoid } from './pair-losses.ts'

printVectors('make-simpo.ts', {
  hasReference: false,
  spec: 'SimPO, Meng et al. 2024, Eq. 6',
  defaults: { beta: 2, gammaRatio: 0.5, labelSmoothing: 0, useStrength: true },
  variants: {
    paper_instruct: { beta: 2.5, gammaRatio: 0.55 },
    no_target: { gammaRatio: 0 },
    large_beta: { beta: 10, gammaRatio: 1 },
    label_smoothing: { labelSmoothing: 0.1 },
  },
  methods: {
    simpo: {
      oneWay(winner, loser, settings) {
        const [beta, epsilon] = [number(settings, 'beta'), number(settings, 'labelSmoothing')]
        const z = beta * (winner.mean - loser.mean - number(settings, 'gammaRatio'))
        const byZ = epsilon * sigmoid(z) - (1 - epsilon) * sigmoid(-z)
        return {
          value: (1 - epsilon) * minusLogSigmoid(z) + epsilon * minusLogSigmoid(-z),
          winner: { mean: beta * byZ },
          loser: { mean: -beta * byZ },
        }
      },
      reward: ({ mean }, settings) => number(settings, 'beta') * mean,
    },
  },
  edges: [
    // z is exactly 0, where the derivative of −log σ is −½ and that of |z| has none.
    {
      name: 'exactly_at_the_target',
      inputs: {
        policy_chosen_token_logps: [[-1, -2], [-0.25]],
        policy_rejected_token_logps: [[-2], [-0.5, -1, -0.75]],
      },
      settings: {},
      tags: ['zero'],
    },
    {
      name: 'equally_likely_of_other_lengths',
      inputs: { policy_chosen_token_logps: [[-1, -1, -1]], policy_rejected_token_logps: [[-1]] },
      settings: {},
      tags: ['zero'],
    },
    {
      name: 'smoothed_soft_labels',
      inputs: {
        policy_chosen_token_logps: [[-1.25, -2.5], [-0.75], [-3, -0.5, -1.5]],
        policy_rejected_token_logps: [[-2], [-0.5, -4, -0.75], [-1]],
        preference: [1, 0.8, 0.5],
        strength: [0.3333, 0.5, 1],
        weight: [0.5, 2, 1],
      },
      settings: { labelSmoothing: 0.2 },
      tags: ['soft'],
    },
    {
      name: 'far_apart_at_a_large_beta',
      inputs: {
        policy_chosen_token_logps: [[-110.5, -97.25], [-0.125]],
        policy_rejected_token_logps: [[-0.25], [-118, -90.5, -104]],
      },
      settings: { beta: 10 },
      tags: ['extreme'],
    },
  ],
})
