// Makes dpo-norm.json: node test/golden/make-dpo-norm.ts > test/golden/dpo-norm.json. Written out from Lambert et al. 2024 (arXiv 2411.15124).
import { minusLogSigmoid, number, printVectors, sigmoid } from './pair-losses.ts'

printVectors('make-dpo-norm.ts', {
  hasReference: true,
  spec: 'Length-normalized DPO, Lambert et al. 2024',
  defaults: { beta: 5, useStrength: true },
  variants: { small_beta: { beta: 0.5 }, larger_beta: { beta: 50 } },
  methods: {
    'dpo-norm': {
      oneWay(winner, loser, settings) {
        const beta = number(settings, 'beta')
        const lead = beta * (winner.ratio / winner.length - loser.ratio / loser.length)
        return {
          value: minusLogSigmoid(lead),
          winner: { ratio: (-beta * sigmoid(-lead)) / winner.length },
          loser: { ratio: (beta * sigmoid(-lead)) / loser.length },
        }
      },
      reward: ({ ratio, length }, settings) => (number(settings, 'beta') * ratio) / length,
    },
  },
})
