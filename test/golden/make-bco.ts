// Makes bco.json: node test/golden/make-bco.ts > test/golden/bco.json. Written out from Jung et al. 2024 (arXiv 2404.04656), Eq. 12,
// with the reward shift of the batch.
import { minusLogSigmoid, number, printVectors, sigmoid, sum } from './pair-losses.ts'

printVectors('make-bco.ts', {
  hasReference: true,
  judgesEach: true,
  spec: 'BCO, Jung et al. 2024, Eq. 12, δ of the batch',
  defaults: { beta: 0.1, useStrength: true },
  variants: { larger_beta: { beta: 0.5 }, small_beta: { beta: 0.01 } },
  methods: {
    bco: {
      fixed: (pairs, settings) => ({
        shift:
          (number(settings, 'beta') / 2) *
          sum(pairs.map(({ chosen, rejected, share }) => share * (chosen.ratio + rejected.ratio))),
      }),
      oneWay(winner, loser, settings) {
        const [beta, shift] = [number(settings, 'beta'), number(settings, 'shift')]
        const [good, bad] = [beta * winner.ratio - shift, shift - beta * loser.ratio]
        return {
          value: minusLogSigmoid(good) + minusLogSigmoid(bad),
          winner: { ratio: -beta * sigmoid(-good) },
          loser: { ratio: beta * sigmoid(-bad) },
        }
      },
      bad({ ratio }, settings) {
        const [beta, shift] = [number(settings, 'beta'), number(settings, 'shift')]
        const z = shift - beta * ratio
        return { value: minusLogSigmoid(z), ratio: beta * sigmoid(-z) }
      },
      line: (settings) => number(settings, 'shift'),
      reward: ({ ratio }, settings) => number(settings, 'beta') * ratio,
      more: { 'bco/delta': (_chosen, _rejected, settings) => number(settings, 'shift') },
    },
  },
})
