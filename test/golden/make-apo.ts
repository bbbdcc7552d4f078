// Makes apo.json: node test/golden/make-apo.ts > test/golden/apo.json. Written out from D’Oosterlinck et al. 2024 (arXiv 2408.06266).
import { number, printVectors, sigmoid, slope } from './pair-losses.ts'

printVectors('make-apo.ts', {
  hasReference: true,
  spec: 'APO-zero and APO-down, D’Oosterlinck et al. 2024, with TRL’s constant',
  defaults: { beta: 0.1, useStrength: true },
  variants: { larger_beta: { beta: 0.5 }, small_beta: { beta: 0.01 } },
  methods: {
    'apo-zero': {
      oneWay(winner, loser, settings) {
        const beta = number(settings, 'beta')
        return {
          value: 1 - sigmoid(beta * winner.ratio) + sigmoid(beta * loser.ratio),
          winner: { ratio: -beta * slope(beta * winner.ratio) },
          loser: { ratio: beta * slope(beta * loser.ratio) },
        }
      },
      reward: ({ ratio }, settings) => number(settings, 'beta') * ratio,
    },
    'apo-down': {
      oneWay(winner, loser, settings) {
        const beta = number(settings, 'beta')
        const lead = beta * (winner.ratio - loser.ratio)
        return {
          value: sigmoid(beta * winner.ratio) + 1 - sigmoid(lead),
          winner: { ratio: beta * slope(beta * winner.ratio) - beta * slope(lead) },
          loser: { ratio: beta * slope(lead) },
        }
      },
      reward: ({ ratio }, settings) => number(settings, 'beta') * ratio,
    },
  },
})
