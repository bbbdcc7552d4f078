import {
  BANDIT_METHODS,
  banditRegret,
  optimalPolicy,
  PAPER_BANDIT,
  trainBandit,
  unsupportedArms,
  type Bandit,
  type BanditMethod,
} from '../../core/learn/bandit/bandit.ts'
import { createRandom, type Random } from '../../core/learn/random.ts'
import type { Figure, Gate, ResultTable } from './define.ts'
import { COPG_BANDIT, COPG_BANDIT_DATA } from './thresholds.ts'

// What Theorem 1 of arXiv 2406.19185 says beyond the printed experiment: any data will do, as long as it shows every arm.

export interface TheoryPart {
  readonly setup: string
  readonly table: ResultTable
  readonly gates: readonly Gate[]
}

const TRAINING = { learningRate: 0.2, steps: 20_000 } as const
const METHODS = ['copg', 'pg_value'] as const satisfies readonly BanditMethod[]

/** Five pairs of data distributions drawn at random: CoPG ends at one place, the value baseline at five. */
export function otherData(): TheoryPart {
  const limits = COPG_BANDIT_DATA
  const random = createRandom(limits.seed)
  const bandits = Array.from({ length: limits.distributions }, (): Bandit => ({
    ...PAPER_BANDIT,
    mu1: distribution(random),
    mu2: distribution(random),
  }))
  const ends = bandits.map((bandit) => METHODS.map((method) => trainBandit(bandit, method, TRAINING).policy))
  const [copg, value] = METHODS.map((_method, at) => spread(ends.map((one) => one[at]!)))
  return {
    setup: `${limits.distributions} random pairs of data distributions (seed ${limits.seed}, every arm at least 4 %), ${TRAINING.steps} steps`,
    table: {
      title: 'The same bandit, other data',
      columns: ['μ₁', 'μ₂', 'CoPG ends at', 'its regret', 'value baseline ends at'],
      rows: bandits.map((bandit, at) => [
        listed(bandit.mu1, 2),
        listed(bandit.mu2, 2),
        listed(ends[at]![0]!, 5),
        banditRegret(bandit, ends[at]![0]!),
        listed(ends[at]![1]!, 5),
      ]),
    },
    gates: [
      {
        claim: 'CoPG ends at the same policy whatever the data',
        measured: `shares differ by at most ${shown(copg!)}`,
        required: `< ${limits.copgSpreadBelow}`,
        verdict: copg! < limits.copgSpreadBelow ? 'holds' : 'does not hold',
      },
      {
        claim: 'the value baseline follows the data',
        measured: `shares differ by up to ${shown(value!)}`,
        required: `> ${limits.pgValueSpreadAbove}`,
        verdict: value! > limits.pgValueSpreadAbove ? 'holds' : 'does not hold',
      },
    ],
  }
}

/** Data without the third arm: the other two stand to each other as in π*, the third stays where training began. */
export function missingArm(): TheoryPart {
  const limits = COPG_BANDIT_DATA
  const bandit: Bandit = { ...PAPER_BANDIT, mu1: [1 / 3, 2 / 3, 0], mu2: [0.5, 0.5, 0] }
  const starts = [
    [1 / 3, 1 / 3, 1 / 3],
    [0.45, 0.45, 0.1],
    [0.15, 0.15, 0.7],
  ]
  const ends = starts.map((start) => trainBandit(bandit, 'copg', { ...TRAINING, start }).policy)
  const optimum = optimalPolicy(bandit)
  const wanted = optimum[0]! / optimum[1]!
  const ratios = ends.map((policy) => policy[0]! / policy[1]!)
  const gap = Math.max(...ratios.map((ratio) => Math.abs(ratio - wanted) / wanted))
  const third = ends.map((policy) => policy[2]!)
  const moves = Math.max(...third) - Math.min(...third)
  const unseen = unsupportedArms(bandit)
  return {
    setup: 'μ₁ (1/3, 2/3, 0), μ₂ (1/2, 1/2, 0): arm 3 never occurs; three starts',
    table: {
      title: 'Data that never shows arm 3',
      columns: ['start', 'CoPG ends at', 'π(1)/π(2)', 'regret'],
      rows: starts.map((start, at) => [
        listed(start, 2),
        listed(ends[at]!, 5),
        ratios[at]!,
        banditRegret(bandit, ends[at]!),
      ]),
    },
    gates: [
      {
        claim: 'the arms that occur stand as in π*',
        measured: `π₁/π₂ off by at most ${shown(gap)} of ${wanted.toFixed(5)}`,
        required: `< ${limits.ratioTolerance}`,
        verdict: gap < limits.ratioTolerance ? 'holds' : 'does not hold',
      },
      {
        claim: 'the arm that does not is left to chance',
        measured: `π₃ from ${Math.min(...third).toFixed(3)} to ${Math.max(...third).toFixed(3)}, by the start`,
        required: `apart by > ${limits.thirdArmMovesAbove}`,
        verdict: moves > limits.thirdArmMovesAbove ? 'holds' : 'does not hold',
      },
      {
        claim: 'the check of the data names it',
        measured: `arms without data: ${unseen.map((arm) => arm + 1).join(', ') || 'none'}`,
        required: '3',
        verdict: unseen.length === 1 && unseen[0] === 2 ? 'holds' : 'does not hold',
      },
    ],
  }
}

/** The other way to be off-policy: π/μ, which takes that μ is known, and that no weight is cut off. */
export function knownData(): TheoryPart {
  const limits = COPG_BANDIT_DATA
  const { mu1, mu2, rewards } = PAPER_BANDIT
  const even = rewards.map(() => 1 / rewards.length)
  const all = Number.POSITIVE_INFINITY
  const cases = [
    { name: 'μ as it is', importance: { mu1, mu2, most: all } },
    { name: 'μ taken for uniform', importance: { mu1: even, mu2: even, most: all } },
    { name: 'μ as it is, weights at most 1', importance: { mu1, mu2, most: 1 } },
  ].map(({ name, importance }) => ({
    name,
    ...trainBandit({ ...PAPER_BANDIT, importance }, 'pg_importance', TRAINING),
  }))
  const [known, ...others] = cases
  const least = Math.min(...others.map(({ regret }) => regret))
  return {
    setup: 'policy gradient with value baseline and weights π/μ, exact gradients',
    table: {
      title: 'Importance weights',
      columns: ['weights', 'ends at', 'regret'],
      rows: cases.map(({ name, policy, regret }) => [name, listed(policy, 5), regret]),
    },
    gates: [
      {
        claim: 'with μ known, importance weights end at π* too',
        measured: `regret ${shown(Math.abs(known!.regret))}`,
        required: `< ${COPG_BANDIT.copgRegretBelow}`,
        verdict: Math.abs(known!.regret) < COPG_BANDIT.copgRegretBelow ? 'holds' : 'does not hold',
      },
      {
        claim: 'with another μ, or cut off, they end elsewhere',
        measured: `regret ${others.map(({ regret }) => shown(regret)).join(', ')}`,
        required: `> ${limits.biasedRegretAbove}`,
        verdict: least > limits.biasedRegretAbove ? 'holds' : 'does not hold',
      },
    ],
  }
}

/** Paths of every method over the simplex, and their regret by step. */
export function banditFigures(names: Readonly<Record<BanditMethod, string>>): Figure[] {
  const steps = 20_000
  const reportAt = [...new Set(Array.from({ length: 61 }, (_none, at) => Math.round(steps ** (at / 60))))]
  const paths = BANDIT_METHODS.map((method) => ({
    name: names[method],
    ...trainBandit(PAPER_BANDIT, method, { learningRate: 0.2, steps, reportAt }),
  }))
  const start = banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference)
  return [
    {
      kind: 'simplex',
      title: 'From the reference to where each method ends',
      arms: PAPER_BANDIT.rewards.map((reward) => `R = ${reward}`),
      optimum: optimalPolicy(PAPER_BANDIT),
      paths: paths.map(({ name, policyByStep }) => ({ name, points: [PAPER_BANDIT.reference, ...policyByStep] })),
    },
    {
      kind: 'curves',
      title: 'Regret by step',
      x: 'step',
      y: 'regret',
      series: paths.map(({ name, regretByStep }) => ({
        name,
        x: [0, ...regretByStep.map(([step]) => step)],
        mean: [start, ...regretByStep.map(([, regret]) => regret)],
        low: null,
        high: null,
        n: 1,
      })),
    },
  ]
}

function distribution(random: Random): number[] {
  const weights = PAPER_BANDIT.rewards.map(() => 0.1 + random.uniform())
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/** Largest difference of one share between any two of the policies. */
function spread(policies: readonly (readonly number[])[]): number {
  return Math.max(
    ...policies[0]!.map(
      (_share, arm) =>
        Math.max(...policies.map((policy) => policy[arm]!)) - Math.min(...policies.map((policy) => policy[arm]!)),
    ),
  )
}

function listed(values: readonly number[], digits: number): string {
  return `(${values.map((value) => value.toFixed(digits)).join(', ')})`
}

function shown(value: number): string {
  return value < 1e-3 ? value.toExponential(1) : value.toFixed(4)
}
