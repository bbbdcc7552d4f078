import { mean } from '../../shared/statistics/intervals.ts'
import { BANDIT_METHODS, banditRegret, PAPER_BANDIT, trainBandit, type BanditMethod, type BanditResult } from '../learn/bandit.ts'
import { PAPER_SAMPLING, trainBanditOnSamples } from '../learn/bandit-sampled.ts'
import { createRandom } from '../learn/random.ts'
import { COPG_BANDIT, COPG_BANDIT_SAMPLED } from './thresholds.ts'

export interface Gate {
  readonly claim: string
  readonly measured: string
  readonly required: string
  readonly holds: boolean
}

export interface MethodRow {
  readonly method: string
  readonly policy: readonly number[]
  readonly regret: number
}

export interface Reproduction {
  readonly title: string
  readonly setup: string
  readonly rows: readonly MethodRow[]
  readonly gates: readonly Gate[]
  /** True only if every gate holds. */
  readonly holds: boolean
}

const NAMES: Readonly<Record<BanditMethod, string>> = { copg: 'CoPG', ipo: 'IPO', dpo: 'DPO', pg_none: 'policy gradient, no baseline', pg_value: 'policy gradient, value baseline' }

/** The bandit of the paper's §5.1 with exact population gradients. Under a second, no randomness. */
export function reproduceCopgBandit(): Reproduction {
  const results = Object.fromEntries(BANDIT_METHODS.map((method) => [method, trainBandit(PAPER_BANDIT, method, { learningRate: 0.2, steps: 20_000 })])) as Record<BanditMethod, BanditResult> // one entry a method
  const initial = banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference)
  const gates = [
    gate('every method starts at the same regret', initial, `${COPG_BANDIT.initialRegret} ± ${COPG_BANDIT.initialRegretTolerance}`, Math.abs(initial - COPG_BANDIT.initialRegret) <= COPG_BANDIT.initialRegretTolerance),
    gate('CoPG reaches the optimum', results.copg.regret, `regret < ${COPG_BANDIT.copgRegretBelow}`, Math.abs(results.copg.regret) < COPG_BANDIT.copgRegretBelow),
    policyGate('CoPG ends at π*', results.copg, COPG_BANDIT.copgPolicy),
    policyGate('IPO ends elsewhere, at its own target', results.ipo, COPG_BANDIT.ipoPolicy),
    policyGate('policy gradient without a baseline follows the data', results.pg_none, COPG_BANDIT.pgNonePolicy),
    gate('and ends worse than it began', results.pg_none.regret, `regret > ${shown(initial)}`, results.pg_none.regret > initial),
    policyGate('a value baseline leaves a bias', results.pg_value, COPG_BANDIT.pgValuePolicy),
  ]
  return {
    title: 'CoPG bandit (arXiv 2406.19185, §5.1), exact gradients',
    setup: `rewards ${list(PAPER_BANDIT.rewards)}, μ₁ ${list(PAPER_BANDIT.mu1)}, μ₂ ${list(PAPER_BANDIT.mu2)}, β ${PAPER_BANDIT.beta}, uniform reference, 20,000 steps`,
    rows: BANDIT_METHODS.map((method) => ({ method: NAMES[method], policy: results[method].policy, regret: results[method].regret })),
    gates,
    holds: gates.every((one) => one.holds),
  }
}

/** The same as printed: sampled pairs, Adam, five seeds. A few seconds. */
export function reproduceCopgBanditSampled(): Reproduction {
  const rows = BANDIT_METHODS.map((method) => meanOverSeeds(method))
  const regret = (method: BanditMethod): number => rows[BANDIT_METHODS.indexOf(method)]!.regret
  const limits = COPG_BANDIT_SAMPLED
  const initial = banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference)
  const gates = [
    gate('CoPG is on its way to 0', regret('copg'), `< ${limits.copgBelow}`, regret('copg') < limits.copgBelow),
    rangeGate('a value baseline stays above CoPG', regret('pg_value'), limits.pgValue),
    rangeGate('IPO is biased', regret('ipo'), limits.ipo),
    gate('and yet better than the reference', regret('ipo'), `< ${shown(initial)}`, regret('ipo') < initial),
    gate('without a baseline regret grows', regret('pg_none'), `> ${limits.pgNoneAbove}`, regret('pg_none') > limits.pgNoneAbove),
  ]
  return {
    title: 'CoPG bandit (arXiv 2406.19185, §5.1, figure 1), sampled pairs',
    setup: `10,000 pairs, Adam at 10⁻³, batch 512, 100 epochs; mean over ${limits.seeds.length} seeds`,
    rows,
    gates,
    holds: gates.every((one) => one.holds),
  }
}

function meanOverSeeds(method: BanditMethod): MethodRow {
  const runs = COPG_BANDIT_SAMPLED.seeds.map((seed) => trainBanditOnSamples(PAPER_BANDIT, method, PAPER_SAMPLING, createRandom(seed)))
  return {
    method: NAMES[method],
    policy: PAPER_BANDIT.rewards.map((_, arm) => mean(runs.map((run) => run.policy[arm]!))),
    regret: mean(runs.map((run) => run.regret)),
  }
}

function gate(claim: string, measured: number, required: string, holds: boolean): Gate {
  return { claim, measured: shown(measured), required, holds }
}

function rangeGate(claim: string, measured: number, [low, high]: readonly [number, number]): Gate {
  return gate(claim, measured, `${low} to ${high}`, measured >= low && measured <= high)
}

function policyGate(claim: string, { policy }: BanditResult, expected: readonly number[]): Gate {
  const gap = Math.max(...policy.map((share, arm) => Math.abs(share - expected[arm]!)))
  return { claim, measured: list(policy.map(shown)), required: `${list(expected)} ± ${COPG_BANDIT.policyTolerance}`, holds: gap <= COPG_BANDIT.policyTolerance }
}

/** Five decimals, or powers of ten for what they would hide. */
function shown(value: number): string {
  return Math.abs(value) < 5e-6 && value !== 0 ? value.toExponential(1) : value.toFixed(5)
}

function list(values: readonly (number | string)[]): string {
  return `(${values.join(', ')})`
}

/** A table of what was measured, and a line for each claim with "holds" or "does not hold". */
export function formatReproduction(report: Reproduction): string {
  const widest = Math.max(...report.rows.map((row) => row.method.length), 6)
  const rows = report.rows.map((row) => `  ${row.method.padEnd(widest)}  ${row.policy.map((share) => share.toFixed(5)).join('  ')}  ${shown(row.regret).padStart(9)}`)
  const head = `  ${'method'.padEnd(widest)}  ${report.rows[0]!.policy.map((_, arm) => `π(${arm + 1})   `).join('  ')}  ${'regret'.padStart(9)}`
  const claims = report.gates.map((one) => `  ${one.holds ? 'holds' : 'does not hold'}: ${one.claim}: ${one.measured}, required ${one.required}`)
  return [report.title, report.setup, '', head, ...rows, '', ...claims, '', report.holds ? 'All claims hold.' : 'Not all claims hold.'].join('\n')
}
