// CPL against its baselines in MuJoCo, with regret labels from the value of a scripted expert.
import type { SegmentSet } from '../../../shared/segments.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import { bc } from '../../core/learn/algorithms/bc.ts'
import { cpl } from '../../core/learn/algorithms/cpl.ts'
import { piql } from '../../core/learn/algorithms/piql.ts'
import { sftPref } from '../../core/learn/algorithms/sft-pref.ts'
import { createRandom } from '../../core/learn/random.ts'
import { explainedVariance, fitValue } from '../../core/learn/control/fit-value.ts'
import { collectSegments } from '../../core/worlds/collect.ts'
import type { WorldKind } from '../../core/worlds/define.ts'
import { rollOutValues, telescopedRegretScores, type BoundaryValues } from '../../core/worlds/label.ts'
import { reach } from '../../core/worlds/reach.ts'
import { eachOf, noisy, type Outcome } from '../../core/worlds/roll-out.ts'
import {
  asControl,
  evaluatePolicy,
  runStudy,
  type Contestant,
  type Measured,
  type StudyOptions,
} from './control-study.ts'
import { verdictOf, type Gate, type Report, type Reproduction } from './define.ts'
import { aboveVerdict, cellOf, curveOf, overSeeds, pairedGate, shownMean } from './means.ts'
import { CPL_CONTROL } from './thresholds.ts'

const FORMS = {
  quick: {
    seeds: 3,
    steps: 1000,
    pairs: 16,
    iqlSteps: 2000,
    iqlPairs: 8,
    segments: 2000,
    episodes: 100,
    measureEvery: 350,
    width: 64,
  },
  full: {
    seeds: 5,
    steps: 6000,
    pairs: 48,
    iqlSteps: 18_000,
    iqlPairs: 16,
    segments: 4000,
    episodes: 250,
    measureEvery: 500,
    width: 128,
  },
} as const
type Form = (typeof FORMS)[keyof typeof FORMS]

const WORLD: WorldKind = reach
const SEGMENT_STEPS = 64
const NOISE = 0.4
const VALUE_STEPS = 60
const CLONING_SHARE = 0.3
const LEARNING_RATE = 1e-3
/** World and settings were chosen on seed 1, which is not among those that are run. */
const FIRST_SEED = 11

/** CPL again, on labels of a fitted value. */
const FITTED = 'CPL, labels by a fitted value'

const branching = { pairing: 'rank', bcShare: CLONING_SHARE }
/** P-IQL sees as many pairs as CPL, in smaller batches. */
const contestantsOf = ({ iqlSteps, iqlPairs }: Form): readonly Contestant[] => [
  { name: 'BC', method: asControl(bc), config: {}, branches: true },
  { name: 'SFT', method: asControl(sftPref), config: branching, branches: true },
  {
    name: 'P-IQL',
    method: asControl(piql),
    config: { pairing: 'rank', rewardShare: 0.3, temperature: 0.1, expectile: 0.7 },
    branches: false,
    training: { steps: iqlSteps, batchSize: iqlPairs, schedule: 'cosine', warmupFraction: 0 },
  },
  { name: 'CPL', method: asControl(cpl), config: { ...branching, lambda: 0.75, alpha: 0.2 }, branches: true },
  {
    name: 'CPL, λ and α as in the paper',
    method: asControl(cpl),
    config: { ...branching, lambda: 0.5, alpha: 0.1 },
    branches: true,
  },
]

const total = (outcomes: readonly Outcome[]): number => mean(outcomes.map((outcome) => outcome.total))
const success = (outcomes: readonly Outcome[]): number => mean(outcomes.map((outcome) => (outcome.success ? 1 : 0)))

interface SeedResult {
  readonly measured: readonly Measured[]
  /** Share of the value's variance that the fitted one explains, on states that it was not fitted to. */
  readonly explained: number
  /** Share of segment pairs that both scores order alike. */
  readonly agreement: number
  readonly expert: readonly Outcome[]
  readonly behaviour: readonly Outcome[]
}

/** The same sum with a value fitted to a quarter of the segments' ends, as a learned critic would give it. */
function scoreByFittedValue(
  set: SegmentSet,
  { first, last }: BoundaryValues,
  seed: number,
): { readonly scores: Float64Array; readonly explained: number } {
  const { observationSize: size, time, count } = set
  const ends = (segments: readonly number[]): Float32Array =>
    Float32Array.from(
      segments.flatMap((segment) =>
        [0, time - 1].flatMap((t) => [
          ...set.observations.subarray((segment * time + t) * size, (segment * time + t + 1) * size),
        ]),
      ),
    )
  const returnsOf = (segments: readonly number[]): Float64Array =>
    Float64Array.from(segments.flatMap((segment) => [first[segment]!, last[segment]!]))
  const all = Array.from({ length: count }, (_, segment) => segment)
  const [known, rest] = [all.filter((segment) => segment % 4 === 0), all.filter((segment) => segment % 4 !== 0)]
  const value = fitValue(
    { observationSize: size, observations: ends(known), returns: returnsOf(known) },
    { ...CPL_CONTROL.valueFit, random: createRandom(seed).fork('value') },
  )
  const [guessed, everywhere] = [value.values(ends(rest)), value.values(ends(all))]
  value.dispose()
  const scores = telescopedRegretScores(
    set,
    everywhere.filter((_, at) => at % 2 === 0),
    everywhere.filter((_, at) => at % 2 === 1),
  )
  return { scores, explained: explainedVariance(returnsOf(rest), guessed) }
}

/** Over as many pairs as there are segments, drawn by chance. */
function orderAgreement(one: Float64Array, other: Float64Array, seed: number): number {
  const random = createRandom(seed).fork('agreement')
  const alike = Array.from(one, () => {
    const [a, b] = [random.int(one.length), random.int(one.length)]
    return Math.sign(one[a]! - one[b]!) === Math.sign(other[a]! - other[b]!) ? 1 : 0
  })
  return mean(alike)
}

const behaviour = eachOf(noisy(WORLD.weak, NOISE), WORLD.info)

/** Segments of the weak and noisy script, scored by regret. */
async function scoredSegments(
  seed: number,
  segments: number,
): Promise<{ readonly set: SegmentSet; readonly values: BoundaryValues }> {
  const set = await collectSegments(WORLD, [{ name: 'weak, noisy', policy: behaviour }], {
    segments,
    length: SEGMENT_STEPS,
    seed,
  })
  const values = await rollOutValues(WORLD, set, { steps: VALUE_STEPS, discount: 1 })
  set.scores.set(telescopedRegretScores(set, values.first, values.last))
  return { set, values }
}

/** How every contestant of a form is trained. */
const trainingOf = (form: Form): Omit<StudyOptions, 'set' | 'seed' | 'say'> => ({
  kind: WORLD,
  steps: form.steps,
  cloningShare: CLONING_SHARE,
  training: { batchSize: form.pairs, learningRate: LEARNING_RATE },
  shared: { width: form.width },
  episodes: form.episodes,
  measureEvery: form.measureEvery,
})

/** CPL of the full form with other settings, on one seed: what it does after cloning, every so many steps. @param changes of each, by name */
export async function varyCpl(
  changes: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  seed: number,
  measureEvery: number,
): Promise<Measured[]> {
  const { set } = await scoredSegments(seed, FORMS.full.segments)
  const usual = contestantsOf(FORMS.full).find(({ name }) => name === 'CPL')!
  const contestants = Object.entries(changes).map(([name, change]) => ({
    ...usual,
    name,
    config: { ...usual.config, ...change },
  }))
  return runStudy(contestants, { ...trainingOf(FORMS.full), measureEvery, set, seed, say: () => undefined })
}

async function runSeed(seed: number, form: Form, say: (text: string) => void): Promise<SeedResult> {
  const { set, values } = await scoredSegments(seed, form.segments)
  say(`seed ${seed}: ${form.segments} segments collected and scored`)
  const fitted = scoreByFittedValue(set, values, seed)
  const contestants = [
    ...contestantsOf(form),
    { ...contestantsOf(form).find(({ name }) => name === 'CPL')!, name: FITTED, scores: fitted.scores },
  ]
  const measured = await runStudy(contestants, { ...trainingOf(form), set, seed, say })
  return {
    measured,
    explained: fitted.explained,
    agreement: orderAgreement(set.scores, fitted.scores, seed),
    expert: await evaluatePolicy(WORLD, eachOf(WORLD.expert, WORLD.info), form.episodes, seed),
    behaviour: await evaluatePolicy(WORLD, behaviour, form.episodes, seed),
  }
}

/** Steps of one world in a second, with the scripted expert acting. */
async function measureSpeed(kind: WorldKind): Promise<number> {
  const world = await kind.open()
  const random = createRandom(0)
  const play = (forMs: number): number => {
    const startedAtMs = performance.now()
    let steps = 0
    while (performance.now() - startedAtMs < forMs) {
      world.reset(random)
      for (let step = 0; step < kind.info.episodeSteps; step += 1) world.step(kind.expert(world.observe(), random))
      steps += kind.info.episodeSteps
    }
    return (1000 * steps) / (performance.now() - startedAtMs)
  }
  play(CPL_CONTROL.speedMs) // until the compiler is done
  const stepsPerSec = play(CPL_CONTROL.speedMs)
  world.dispose()
  return stepsPerSec
}

function gatesOf(last: (name: string, of: (outcomes: readonly Outcome[]) => number) => number[]): Gate[] {
  const difference = overSeeds(last('CPL', success).map((value, seed) => value - last('SFT', success)[seed]!))
  const iql = overSeeds(last('CPL', total).map((value, seed) => value - last('P-IQL', total)[seed]!))
  return [
    pairedGate('CPL is above SFT in return', last('CPL', total), last('SFT', total)),
    pairedGate('CPL is above BC in return', last('CPL', total), last('BC', total)),
    pairedGate('so it is where a fitted value gives the labels', last(FITTED, total), last('SFT', total)),
    {
      claim: 'CPL is not below P-IQL in return',
      measured: `difference ${shownMean(iql)}`,
      required: '95 % interval of the paired difference not below 0',
      verdict: iql.high < 0 ? 'does not hold' : iql.low > 0 ? 'holds' : 'inconclusive',
    },
    {
      claim: 'CPL is not below SFT in success',
      measured: `difference ${shownMean(difference)}`,
      required: `95 % interval of the paired difference above −${CPL_CONTROL.successGap}`,
      verdict: aboveVerdict(difference, -CPL_CONTROL.successGap),
    },
  ]
}

export const cplControl: Reproduction = {
  async run({ form, seedCount, say }): Promise<Report> {
    const settings = FORMS[form]
    const seeds = Array.from({ length: seedCount ?? settings.seeds }, (_, seed) => seed + FIRST_SEED)
    const stepsPerSec = await measureSpeed(WORLD)
    const runs: SeedResult[] = []
    for (const seed of seeds) runs.push(await runSeed(seed, settings, say))
    const names = [...contestantsOf(settings).map(({ name }) => name), FITTED]
    const ofMethod = (name: string): Measured[] =>
      runs.map(({ measured }) => measured.find((one) => one.name === name)!)
    const last = (name: string, of: (outcomes: readonly Outcome[]) => number): number[] =>
      ofMethod(name).map(({ outcomes }) => of(outcomes.at(-1)!))
    const gates = gatesOf(last)
    const row = (name: string, outcomes: readonly (readonly Outcome[])[], parameters: number | null) => [
      name,
      cellOf(outcomes.map(total)),
      cellOf(outcomes.map(success)),
      parameters,
    ]
    return {
      id: 'cpl-control',
      title: 'CPL in MuJoCo: reaching past a post',
      form,
      seeds,
      setup: `${settings.segments.toLocaleString('en')} segments of ${SEGMENT_STEPS} steps, one an episode, from a weak and askew script with noise ${NOISE}; any two ranked by Σ r + V(end) − V(start), V being the scripted expert's return over ${VALUE_STEPS} steps, acted out from that very state; two layers of ${settings.width} units, ${settings.steps} steps of ${settings.pairs} pairs at ${LEARNING_RATE}, ${CLONING_SHARE * 100} % of them cloning (P-IQL: ${settings.iqlSteps} of ${settings.iqlPairs}, the reward learned in the first 30 %, β 0.1); CPL with λ 0.75, α 0.2; ${settings.episodes} episodes a policy. Simulator: ${Math.round(stepsPerSec).toLocaleString('en')} steps/s of one world, ${(4 * Math.round(stepsPerSec)).toLocaleString('en')} of MuJoCo's own, with the rest of the machine as it was`,
      tables: [
        {
          title: 'At the end of training',
          columns: ['policy', 'return', 'success', 'parameters'],
          rows: [
            row(
              'expert script',
              runs.map(({ expert }) => expert),
              null,
            ),
            row(
              'behaviour in the data',
              runs.map(({ behaviour }) => behaviour),
              null,
            ),
            ...names.map((name) =>
              row(
                name,
                ofMethod(name).map(({ outcomes }) => outcomes.at(-1)!),
                ofMethod(name)[0]!.parameterCount,
              ),
            ),
          ],
        },
      ],
      figures: [
        {
          kind: 'curves',
          title: 'Return while training',
          x: 'steps',
          y: 'return',
          series: names.map((name) =>
            curveOf(
              name,
              ofMethod(name)[0]!.steps,
              ofMethod(name).map(({ outcomes }) => outcomes.map(total)),
            ),
          ),
        },
      ],
      gates,
      verdict: verdictOf(gates),
      notes: [
        'A stand-in for Meta-World, which needs assets that are not ours: another body, another task, a scripted expert in place of a trained one. The order of the methods is the claim, not the numbers.',
        'P-IQL sees as many pairs as CPL. Its β, expectile and share of reward learning are the best of twelve that were tried on seed 1 in the quick form (β 1/3, 0.1, 0.03; τ 0.7, 0.9; shares 0.1, 0.3): return −16.9 where SFT had −16.9 and CPL −13.1; with β 1/3 it had −17.6, with 0.03 it lost the goal. At the paper’s length it may do better.',
        `The fitted value, from a quarter of the states, explains ${(100 * mean(runs.map(({ explained }) => explained))).toFixed(1)} % of the variance elsewhere; with it ${(100 * mean(runs.map(({ agreement }) => agreement))).toFixed(0)} % of the pairs are ordered as with the value itself.`,
        `The world (the distance from start to goal, the noise) and λ and α were chosen on seed 1, until CPL learned at all; the paper’s own λ and α stand beside. Reacher and push were tried and did not work: what is shown is that there is such a world, not that any will do. The seeds here, from ${FIRST_SEED} on, served for none of these choices.`,
        'Intervals are Student’s t over seeds; differences are paired, since all methods of a seed meet the same data and the same starts.',
      ],
    }
  },
}
