// Makes kto-pairs.json: node test/golden/make-kto-pairs.ts > test/golden/kto-pairs.json. Written out from Ethayarajh et al. 2024
// (arXiv 2402.01306), Eq. 8, on pairs: z₀ is the mean log-ratio of the prompts with completions of others, 0 at least.
import { type Settings } from './pair-cases.ts'
import { number, printVectors, ratiosOf, sigmoid, slope, sum, type Alone } from './pair-losses.ts'

/** λ (1 − σ(sign · β (r − z₀))) and its derivative by r. */
function example(ratio: number, isDesirable: boolean, settings: Settings): Alone {
  const [beta, z0] = [number(settings, 'beta'), number(settings, 'z0')]
  const [weight, sign] = isDesirable ? [number(settings, 'desirable'), 1] : [number(settings, 'undesirable'), -1]
  const z = sign * beta * (ratio - z0)
  return { value: weight * sigmoid(-z), ratio: -weight * sign * beta * slope(z) }
}

/** Of a pair's loss each answer is one half. */
function half({ value, ratio }: Alone): Alone {
  return { value: value / 2, ratio: ratio / 2 }
}

printVectors('make-kto-pairs.ts', {
  hasReference: true,
  hasMismatched: true,
  judgesEach: true,
  spec: 'KTO, Ethayarajh et al. 2024, Eq. 8, on pairs',
  defaults: { beta: 0.1, desirable: 1, undesirable: 1, useStrength: true },
  variants: { larger_beta: { beta: 0.5 }, weighted: { desirable: 1.33, undesirable: 0.7 } },
  methods: {
    kto: {
      fixed: (_pairs, _settings, inputs) => {
        const ratios = [
          ...ratiosOf(inputs.mismatched_policy_chosen_token_logps!, inputs.mismatched_ref_chosen_token_logps!),
          ...ratiosOf(inputs.mismatched_policy_rejected_token_logps!, inputs.mismatched_ref_rejected_token_logps!),
        ]
        return { z0: Math.max(0, sum(ratios) / ratios.length) }
      },
      oneWay(winner, loser, settings) {
        const [good, bad] = [half(example(winner.ratio, true, settings)), half(example(loser.ratio, false, settings))]
        return { value: good.value + bad.value, winner: { ratio: good.ratio }, loser: { ratio: bad.ratio } }
      },
      bad: ({ ratio }, settings) => half(example(ratio, false, settings)),
      line: (settings) => number(settings, 'beta') * number(settings, 'z0'),
      reward: ({ ratio }, settings) => number(settings, 'beta') * ratio,
      more: { 'kto/z0': (_chosen, _rejected, settings) => number(settings, 'z0') },
    },
  },
})
