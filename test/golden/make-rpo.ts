// Makes rpo.json: node test/golden/make-rpo.ts > test/golden/rpo.json. Written out from Pang et al. 2024 (arXiv 2404.19733), Eq. 1.
import { minusLogSigmoid, number, printVectors, sigmoid } from './pair-losses.ts'

printVectors('make-rpo.ts', {
  hasReference: true,
  spec: 'DPO + NLL, Pang et al. 2024, Eq. 1',
  defaults: { beta: 0.1, likelihoodWeight: 1, useStrength: true },
  variants: { only_dpo: { likelihoodWeight: 0 }, larger_weights: { beta: 0.5, likelihoodWeight: 5 } },
  methods: {
    rpo: {
      oneWay(winner, loser, settings) {
        const [beta, alpha] = [number(settings, 'beta'), number(settings, 'likelihoodWeight')]
        const lead = beta * (winner.ratio - loser.ratio)
        return {
          value: minusLogSigmoid(lead) - alpha * winner.mean,
          winner: { ratio: -beta * sigmoid(-lead), mean: -alpha },
          loser: { ratio: beta * sigmoid(-lead) },
        }
      },
      reward: ({ ratio }, settings) => number(settings, 'beta') * ratio,
      more: { nll_loss: (chosen) => -chosen.mean },
    },
  },
})
