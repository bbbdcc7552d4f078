// Makes orpo.json: node test/golden/make-orpo.ts > test/golden/orpo.json. Written out from Hong et al. 2024 (arXiv 2403.07691), Eq. 6 and 7.
import { minusLogSigmoid, number, printVectors, sigmoid, type Side } from './pair-losses.ts'

/** Certainty has infinite odds; the page says how it is kept from that. */
const held = (mean: number): number => Math.min(mean, -1e-6)
const logOdds = ({ mean }: Side): number => mean - Math.log(-Math.expm1(held(mean)))
/** d log odds / d mean = 1 + P/(1 − P), and 1 where the mean is held. */
const oddsSlope = ({ mean }: Side): number => (mean > -1e-6 ? 1 : 1 - Math.exp(mean) / Math.expm1(mean))

printVectors('make-orpo.ts', {
  hasReference: false,
  spec: 'ORPO, Hong et al. 2024, Eq. 6 and 7',
  defaults: { oddsWeight: 0.1, useStrength: true },
  variants: { larger_weight: { oddsWeight: 1 }, small_weight: { oddsWeight: 0.01 } },
  methods: {
    orpo: {
      oneWay(winner, loser, settings) {
        const lambda = number(settings, 'oddsWeight')
        const z = logOdds(winner) - logOdds(loser)
        const byZ = -lambda * sigmoid(-z)
        return {
          value: -winner.mean + lambda * minusLogSigmoid(z),
          winner: { mean: -1 + byZ * oddsSlope(winner) },
          loser: { mean: -byZ * oddsSlope(loser) },
        }
      },
      reward: ({ mean }, settings) => number(settings, 'oddsWeight') * mean,
      more: {
        nll_loss: (chosen) => -chosen.mean,
        log_odds: (chosen, rejected) => logOdds(chosen) - logOdds(rejected),
      },
    },
  },
})
