// CPL on the linear-quadratic regulator, with labels from the exact advantage.
import { mean } from '../../../shared/statistics/intervals.ts'
import { bc } from '../../core/learn/algorithms/bc.ts'
import { cpl } from '../../core/learn/algorithms/cpl.ts'
import { percentBc } from '../../core/learn/algorithms/percent-bc.ts'
import { sftPref } from '../../core/learn/algorithms/sft-pref.ts'
import { collectSegments, type CollectedSegments } from '../../core/worlds/collect.ts'
import { exactRegretScores } from '../../core/worlds/label.ts'
import { lqr } from '../../core/worlds/lqr.ts'
import { eachOf, noisy, type Outcome } from '../../core/worlds/roll-out.ts'
import { asControl, evaluatePolicy, runStudy, type Contestant, type Measured } from './control-study.ts'
import { verdictOf, type Gate, type Report, type Reproduction } from './define.ts'
import { cellOf, curveOf, meanGate, overSeeds, pairedGate, shownMean } from './means.ts'
import { CPL_LQR } from './thresholds.ts'

export const FORMS = {
  quick: { seeds: 5, steps: 1200, pairs: 16, segments: 2500, episodes: 128, measureEvery: 400 },
  full: { seeds: 5, steps: 4500, pairs: 48, segments: 2500, episodes: 256, measureEvery: 500 },
} as const
const SEGMENT_STEPS = 64
export const CLONING_SHARE = 1 / 3
const LEARNING_RATE = 1e-3
const NOISE = 0.3
const BEHAVIOUR = eachOf(noisy(lqr.weak, NOISE), lqr.info)
/** Settings were chosen on seed 1; no seed that was seen then is run. */
const FIRST_SEED = 11

const CONTESTANTS: readonly Contestant[] = [
  { name: 'BC', method: asControl(bc), config: {}, branches: true },
  { name: 'SFT', method: asControl(sftPref), config: { pairing: 'rank', bcShare: CLONING_SHARE }, branches: true },
  { name: '10 % BC', method: asControl(percentBc), config: { topShare: 0.1 }, branches: false },
  {
    name: 'CPL λ = 0.5',
    method: asControl(cpl),
    config: { pairing: 'rank', lambda: 0.5, bcShare: CLONING_SHARE },
    branches: true,
  },
  {
    name: 'CPL λ = 0.75',
    method: asControl(cpl),
    config: { pairing: 'rank', lambda: 0.75, bcShare: CLONING_SHARE },
    branches: true,
  },
  {
    name: 'CPL λ = 1',
    method: asControl(cpl),
    config: { pairing: 'rank', lambda: 1, bcShare: CLONING_SHARE },
    branches: true,
  },
]

export const discounted = (outcomes: readonly Outcome[]): number => mean(outcomes.map((outcome) => outcome.discounted))

/** Segments of the weak policy, noisy, scored by Σ A*. */
export async function regulatorSegments(seed: number, segments: number): Promise<CollectedSegments> {
  const set = await collectSegments(lqr, [{ name: 'weak, noisy', policy: BEHAVIOUR }], {
    segments,
    length: SEGMENT_STEPS,
    seed,
  })
  set.scores.set(exactRegretScores(lqr, set))
  return set
}

/** Sizes of a study of the regulator. */
export type RegulatorForm = Readonly<Record<'steps' | 'pairs' | 'episodes' | 'measureEvery', number>>

/** The contestants, trained on these segments and acted out. */
export function studyRegulator(
  contestants: readonly Contestant[],
  set: CollectedSegments,
  seed: number,
  form: RegulatorForm,
  say: (text: string) => void,
): Promise<Measured[]> {
  return runStudy(contestants, {
    kind: lqr,
    set,
    seed,
    steps: form.steps,
    cloningShare: CLONING_SHARE,
    training: { batchSize: form.pairs, learningRate: LEARNING_RATE },
    shared: { width: 64, squash: false },
    episodes: form.episodes,
    measureEvery: form.measureEvery,
    say,
  })
}

interface SeedResult {
  readonly measured: readonly Measured[]
  readonly optimal: number
  readonly behaviour: number
  /** The same without its noise: what cloning should arrive at. */
  readonly quiet: number
}

async function runSeed(
  seed: number,
  form: (typeof FORMS)[keyof typeof FORMS],
  say: (text: string) => void,
): Promise<SeedResult> {
  const measured = await studyRegulator(CONTESTANTS, await regulatorSegments(seed, form.segments), seed, form, say)
  return {
    measured,
    optimal: discounted(await evaluatePolicy(lqr, eachOf(lqr.expert, lqr.info), form.episodes, seed)),
    behaviour: discounted(await evaluatePolicy(lqr, BEHAVIOUR, form.episodes, seed)),
    quiet: discounted(await evaluatePolicy(lqr, eachOf(lqr.weak, lqr.info), form.episodes, seed)),
  }
}

function gatesOf(last: (name: string) => number[], optimal: readonly number[], quiet: readonly number[]): Gate[] {
  const [bcReturns, sft, best, half, threeQuarters, one] = CONTESTANTS.map(({ name }) => last(name)) as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ]
  const worst = Math.max(...one.map((value, seed) => optimal[seed]! - value))
  return [
    pairedGate('CPL (λ = 0.5) is better than 10 % BC', half, best),
    pairedGate('CPL (λ = 0.75) is better than 10 % BC', threeQuarters, best),
    pairedGate(
      'the optimal policy is better than both',
      optimal,
      half.map((value, seed) => Math.max(value, threeQuarters[seed]!)),
    ),
    pairedGate('10 % BC is better than SFT', best, sft),
    pairedGate('SFT is better than BC', sft, bcReturns),
    meanGate(
      'BC is what the data’s policy is without its noise',
      bcReturns.map((value, seed) => (value - quiet[seed]!) / (optimal[seed]! - quiet[seed]!)),
      `difference in return less than ${CPL_LQR.cloningGapBelow} of what there is to gain`,
      (gap) => Math.abs(gap) < CPL_LQR.cloningGapBelow,
    ),
    {
      claim: 'λ = 1 is unstable',
      measured: `largest loss of return against the optimum ${worst > 1e4 ? worst.toExponential(1) : worst.toFixed(3)}, CPL (λ = 0.5) ${shownMean(overSeeds(half.map((value, seed) => optimal[seed]! - value)))}`,
      required: `in at least one seed ${CPL_LQR.unstableTimes} times the loss at λ = 0.5`,
      verdict:
        !Number.isFinite(worst) ||
        worst > CPL_LQR.unstableTimes * mean(half.map((value, seed) => optimal[seed]! - value))
          ? 'holds'
          : 'does not hold',
    },
  ]
}

export const cplLqr: Reproduction = {
  async run({ form, seedCount, say }): Promise<Report> {
    const settings = FORMS[form]
    const seeds = Array.from({ length: seedCount ?? settings.seeds }, (_, seed) => seed + FIRST_SEED)
    const runs: SeedResult[] = []
    for (const seed of seeds) runs.push(await runSeed(seed, settings, say))
    const ofMethod = (name: string): Measured[] =>
      runs.map(({ measured }) => measured.find((one) => one.name === name)!)
    const last = (name: string): number[] => ofMethod(name).map(({ outcomes }) => discounted(outcomes.at(-1)!))
    const optimal = runs.map((one) => one.optimal)
    const behaviour = runs.map((one) => one.behaviour)
    const quiet = runs.map((one) => one.quiet)
    const gates = gatesOf(last, optimal, quiet)
    return {
      id: 'cpl-lqr',
      title: 'CPL on the linear-quadratic regulator, exact regret labels',
      form,
      seeds,
      setup: `${settings.segments.toLocaleString('en')} segments of ${SEGMENT_STEPS} steps from half of the best gains, turned by 40°, with noise ${NOISE}; pairs ranked by Σ A*, which is known in closed form; two layers of 64 units, ${settings.steps} steps of ${settings.pairs} pairs at ${LEARNING_RATE}, a third of them cloning; α 0.1; discounted return over ${settings.episodes} starts`,
      tables: [
        {
          title: 'Discounted return',
          columns: ['policy', 'return'],
          rows: [
            ['optimal, in closed form', cellOf(optimal)],
            ['behaviour in the data', cellOf(behaviour)],
            ['the same without noise', cellOf(quiet)],
            ...CONTESTANTS.map(({ name }) => [name, cellOf(last(name))]),
          ],
        },
      ],
      figures: [
        {
          kind: 'curves',
          title: 'Return while training',
          x: 'steps',
          y: 'discounted return',
          series: CONTESTANTS.filter(({ name }) => name !== 'CPL λ = 1').map(({ name }) =>
            curveOf(
              name,
              ofMethod(name)[0]!.steps,
              ofMethod(name).map(({ outcomes }) => outcomes.map(discounted)),
            ),
          ),
        },
      ],
      gates,
      verdict: verdictOf(gates),
      notes: [
        'Intervals are Student’s t over seeds; differences are paired, since all methods of a seed meet the same data and the same starts.',
        `Seed 1 served to choose the weak policy of the data and the range of starts. The quick form was first run with three seeds, where “SFT is better than BC” was inconclusive, and then given five. The seeds here, from ${FIRST_SEED} on, were run only after that.`,
        'The regulator’s forces are not bounded, so a policy that leaves the data can make it diverge: that is what λ = 1 shows. Its curve is left out of the figure.',
      ],
    }
  },
}
