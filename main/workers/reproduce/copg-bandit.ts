import { mean } from '../../../shared/statistics/intervals.ts'
import {
  BANDIT_METHODS,
  banditRegret,
  PAPER_BANDIT,
  trainBandit,
  type BanditMethod,
  type BanditResult,
} from '../../core/learn/bandit/bandit.ts'
import { PAPER_SAMPLING, trainBanditOnSamples } from '../../core/learn/bandit/bandit-sampled.ts'
import { createRandom } from '../../core/learn/random.ts'
import { banditFigures, knownData, missingArm, otherData } from './bandit-theory.ts'
import { verdictOf, type Gate, type Report, type Reproduction, type ResultTable } from './define.ts'
import { COPG_BANDIT, COPG_BANDIT_SAMPLED } from './thresholds.ts'

const NAMES: Readonly<Record<BanditMethod, string>> = {
  copg: 'CoPG',
  ipo: 'IPO',
  dpo: 'DPO',
  pg_none: 'policy gradient, no baseline',
  pg_value: 'policy gradient, value baseline',
  pg_importance: 'policy gradient, importance weights',
}

/** Theorem 1 and Figure 1 of the paper, with exact gradients and with sampled pairs. */
export const copgBandit: Reproduction = {
  async run({ form, seedCount, say }) {
    say('exact gradients')
    const exact = exactBandit()
    const seeds = seedsOf(seedCount)
    say(`sampled pairs, ${seeds.length} seeds`)
    const sampled = sampledBandit(seeds)
    say('other data, and data that never shows an arm')
    const theory = [otherData(), missingArm(), knownData()]
    const gates = [...exact.gates, ...sampled.gates, ...theory.flatMap((part) => part.gates)]
    return {
      id: 'copg-bandit',
      title: 'CoPG on a three-arm bandit (arXiv 2406.19185, §5.1)',
      form,
      seeds,
      setup: `${exact.setup}; sampled: ${sampled.setup}; ${theory.map((part) => part.setup).join('; ')}`,
      tables: [exact.table, sampled.table, ...theory.map((part) => part.table)],
      figures: banditFigures(NAMES),
      gates,
      verdict: verdictOf(gates),
      notes: [
        'DPO is not gated: on this bandit its labels follow Bradley–Terry on the rewards, so that it is nearly unbiased here.',
        'Importance weights are given the μ that drew the pairs, which logged data seldom tells; CoPG does without it.',
        'At the printed learning rate CoPG is still on its way to 0 after 100 epochs; that it gets there is shown by the exact gradients.',
      ],
    } satisfies Report
  },
}

interface Part {
  readonly setup: string
  readonly table: ResultTable
  readonly gates: readonly Gate[]
}

interface MethodRow {
  readonly method: string
  readonly policy: readonly number[]
  readonly regret: number
}

/** The bandit of the paper's §5.1 with exact population gradients. Under a second, no randomness. */
export function exactBandit(): Part {
  const results = Object.fromEntries(
    BANDIT_METHODS.map((method) => [method, trainBandit(PAPER_BANDIT, method, { learningRate: 0.2, steps: 20_000 })]),
  ) as Record<BanditMethod, BanditResult> // one entry a method
  const initial = banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference)
  const gates = [
    gate(
      'every method starts at the same regret',
      initial,
      `${COPG_BANDIT.initialRegret} ± ${COPG_BANDIT.initialRegretTolerance}`,
      Math.abs(initial - COPG_BANDIT.initialRegret) <= COPG_BANDIT.initialRegretTolerance,
    ),
    gate(
      'CoPG reaches the optimum',
      results.copg.regret,
      `regret < ${COPG_BANDIT.copgRegretBelow}`,
      Math.abs(results.copg.regret) < COPG_BANDIT.copgRegretBelow,
    ),
    policyGate('CoPG ends at π*', results.copg, COPG_BANDIT.copgPolicy),
    policyGate('IPO ends elsewhere, at its own target', results.ipo, COPG_BANDIT.ipoPolicy),
    policyGate('policy gradient without a baseline follows the data', results.pg_none, COPG_BANDIT.pgNonePolicy),
    gate(
      'and ends worse than it began',
      results.pg_none.regret,
      `regret > ${shown(initial)}`,
      results.pg_none.regret > initial,
    ),
    policyGate('a value baseline leaves a bias', results.pg_value, COPG_BANDIT.pgValuePolicy),
  ]
  const rows = BANDIT_METHODS.map((method) => ({
    method: NAMES[method],
    policy: results[method].policy,
    regret: results[method].regret,
  }))
  return {
    setup: `rewards ${list(PAPER_BANDIT.rewards)}, μ₁ ${list(PAPER_BANDIT.mu1)}, μ₂ ${list(PAPER_BANDIT.mu2)}, β ${PAPER_BANDIT.beta}, uniform reference, 20,000 steps`,
    table: tableOf('Exact gradients', rows),
    gates,
  }
}

/** The same as printed: sampled pairs, Adam, five seeds. A few seconds. */
export function sampledBandit(seeds: readonly number[]): Part {
  const rows = BANDIT_METHODS.map((method) => meanOverSeeds(method, seeds))
  const regret = (method: BanditMethod): number => rows[BANDIT_METHODS.indexOf(method)]!.regret
  const limits = COPG_BANDIT_SAMPLED
  const initial = banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference)
  const gates = [
    gate('CoPG is on its way to 0', regret('copg'), `< ${limits.copgBelow}`, regret('copg') < limits.copgBelow),
    rangeGate('a value baseline stays above CoPG', regret('pg_value'), limits.pgValue),
    rangeGate('IPO is biased', regret('ipo'), limits.ipo),
    gate('and yet better than the reference', regret('ipo'), `< ${shown(initial)}`, regret('ipo') < initial),
    gate(
      'without a baseline regret grows',
      regret('pg_none'),
      `> ${limits.pgNoneAbove}`,
      regret('pg_none') > limits.pgNoneAbove,
    ),
  ]
  return {
    setup: `10,000 pairs, Adam at 10⁻³, batch 512, 100 epochs; mean over ${seeds.length} seeds`,
    table: tableOf('Sampled pairs', rows),
    gates,
  }
}

function meanOverSeeds(method: BanditMethod, seeds: readonly number[]): MethodRow {
  const runs = seeds.map((seed) => trainBanditOnSamples(PAPER_BANDIT, method, PAPER_SAMPLING, createRandom(seed)))
  return {
    method: NAMES[method],
    policy: PAPER_BANDIT.rewards.map((_, arm) => mean(runs.map((run) => run.policy[arm]!))),
    regret: mean(runs.map((run) => run.regret)),
  }
}

function gate(claim: string, measured: number, required: string, holds: boolean): Gate {
  return { claim, measured: shown(measured), required, verdict: holds ? 'holds' : 'does not hold' }
}

function rangeGate(claim: string, measured: number, [low, high]: readonly [number, number]): Gate {
  return gate(claim, measured, `${low} to ${high}`, measured >= low && measured <= high)
}

function policyGate(claim: string, { policy }: BanditResult, expected: readonly number[]): Gate {
  const gap = Math.max(...policy.map((share, arm) => Math.abs(share - expected[arm]!)))
  return {
    claim,
    measured: list(policy.map(shown)),
    required: `${list(expected)} ± ${COPG_BANDIT.policyTolerance}`,
    verdict: gap <= COPG_BANDIT.policyTolerance ? 'holds' : 'does not hold',
  }
}

/** Five decimals, or powers of ten for what they would hide. */
function shown(value: number): string {
  return Math.abs(value) < 5e-6 && value !== 0 ? value.toExponential(1) : value.toFixed(5)
}

function list(values: readonly (number | string)[]): string {
  return `(${values.join(', ')})`
}

function seedsOf(count: number | null): number[] {
  return Array.from({ length: count ?? COPG_BANDIT_SAMPLED.seeds.length }, (_none, at) => at + 1)
}

function tableOf(title: string, rows: readonly MethodRow[]): ResultTable {
  return {
    title,
    columns: ['method', ...(rows[0]?.policy ?? []).map((_share, arm) => `π(${arm + 1})`), 'regret'],
    rows: rows.map(({ method, policy, regret }) => [method, ...policy, regret]),
  }
}
