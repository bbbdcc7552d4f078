import { mean } from '../../../shared/statistics/intervals.ts'
import { graceRound, type GraceOptions } from '../../core/learn/embed/grace-rollouts.ts'
import { createRandom } from '../../core/learn/random.ts'
import { verdictOf, type Gate, type Report, type Reproduction } from './define.ts'
import { instancesOf, MINI_GRACE } from './grace-mini.ts'
import { GRACE_CANCELLATION } from './thresholds.ts'
import { topicWorld } from './topic-world.ts'
import { nextTurn, pretrain } from './train-decoder.ts'

const SIZES = {
  quick: { seeds: 3, pretrainSteps: 30, instances: 8 },
  full: { seeds: 10, pretrainSteps: 200, instances: 32 },
} as const

/** What of GRACE's reward reaches the gradient: on the same rationales, advantages with and without the hard term. */
export const graceCancellation: Reproduction = {
  async run({ form, seedCount, say }) {
    const size = SIZES[form]
    const seeds = Array.from({ length: seedCount ?? size.seeds }, (_none, at) => at + 1)
    const found: Found[] = []
    for (const seed of seeds) {
      say(`seed ${seed}`)
      found.push(await compare(seed, size))
    }
    const most = (pick: (one: Found) => number): number => Math.max(...found.map(pick))
    const least = (pick: (one: Found) => number): number => Math.min(...found.map(pick))
    const limits = GRACE_CANCELLATION
    const gates: Gate[] = [
      {
        claim: 'advantages with λ₂ = 0 and λ₂ = 0.2 are the same',
        measured: `differ by at most ${most((one) => one.printed).toExponential(1)}`,
        required: `< ${limits.differenceBelow}`,
        verdict: most((one) => one.printed) < limits.differenceBelow ? 'holds' : 'does not hold',
      },
      {
        claim: 'so are they without the similarity to the negatives',
        measured: `differ by at most ${most((one) => one.negatives).toExponential(1)}`,
        required: `< ${limits.differenceBelow}`,
        verdict: most((one) => one.negatives) < limits.differenceBelow ? 'holds' : 'does not hold',
      },
      {
        claim: 'a hard term of each rollout does reach them',
        measured: `moves them by at least ${least((one) => one.perRollout).toFixed(4)}`,
        required: `> ${limits.rolloutTermAbove}`,
        verdict: least((one) => one.perRollout) > limits.rolloutTermAbove ? 'holds' : 'does not hold',
      },
    ]
    return {
      id: 'grace-cancellation',
      title: 'GRACE: what cancels in the advantages (arXiv 2510.04506)',
      form,
      seeds,
      setup: `a nano decoder after ${size.pretrainSteps} steps, one round of ${size.instances} instances with ${MINI_GRACE.rollouts} rollouts each, the same random numbers in each column`,
      tables: [
        {
          title: 'Largest change of an advantage',
          columns: [
            'seed',
            'mean |advantage|',
            'λ₂ 0 → 0.2',
            'negatives left out',
            'λ₂ 0 → 0.2, unfinished rollouts at −1',
            'hard term of each rollout',
            'unfinished',
          ],
          rows: found.map((one, at) => [
            seeds[at]!,
            one.size,
            one.printed,
            one.negatives,
            one.withOverride,
            one.perRollout,
            one.unfinished,
          ]),
        },
      ],
      figures: [],
      gates,
      verdict: verdictOf(gates),
      notes: [
        'The paper’s ablation reports that λ₂ matters. With its printed reward and advantages it can matter only through rollouts that reach the longest length: their reward is −1 whatever the others have, so a shift of the group no longer cancels. The fifth column shows it.',
        'The term of each rollout is an extension of ours: −max over the other queries of their similarity to the rollout.',
      ],
    } satisfies Report
  },
}

interface Found {
  readonly size: number
  readonly printed: number
  readonly negatives: number
  readonly withOverride: number
  readonly perRollout: number
  readonly unfinished: number
}

async function compare(
  seed: number,
  size: { readonly pretrainSteps: number; readonly instances: number },
): Promise<Found> {
  const random = createRandom(seed)
  const world = topicWorld(seed, { pretraining: 600, triples: size.instances, queries: 1, documents: 1 })
  const decoder = await pretrain(
    'nano',
    world.tokenizer,
    world.pretraining,
    { steps: size.pretrainSteps, batchSize: 32, learningRate: 4e-3 },
    random.fork('pretrain'),
    nextTurn,
  )
  const instances = instancesOf(
    world,
    Array.from({ length: size.instances }, (_none, at) => at),
  )
  const free: GraceOptions = { ...MINI_GRACE, unfinishedReward: null }
  const advantages = async (options: GraceOptions, of = instances): Promise<number[]> => {
    const round = await graceRound(decoder, of, options, world.tokenizer, random.fork('round'), nextTurn)
    unfinished = round.metrics['rollout/unfinished'] ?? 0
    return round.rollouts.flat().map((one) => one.advantage)
  }
  let unfinished = 0
  const weighted = (hard: number, options: GraceOptions): GraceOptions => ({
    ...options,
    weights: { ...options.weights, hard },
  })
  const without = await advantages(weighted(0, free))
  const result = {
    size: mean(without.map(Math.abs)),
    printed: furthest(without, await advantages(weighted(0.2, free))),
    negatives: furthest(
      without,
      await advantages(
        weighted(0, free),
        instances.map((one) => ({ ...one, negatives: [] })),
      ),
    ),
    withOverride: furthest(await advantages(weighted(0, MINI_GRACE)), await advantages(weighted(0.2, MINI_GRACE))),
    perRollout: furthest(without, await advantages({ ...weighted(0.2, free), hardTerm: 'rollout' })),
    unfinished,
  }
  decoder.dispose()
  return result
}

function furthest(a: readonly number[], b: readonly number[]): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0)
}
