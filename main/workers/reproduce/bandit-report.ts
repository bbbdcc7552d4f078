import type { BanditReport } from '../../../shared/contract/papers.ts'
import {
  banditRegret,
  optimalPolicy,
  PAPER_BANDIT,
  trainBandit,
  type BanditMethod,
} from '../../core/learn/bandit/bandit.ts'

const NAMES: Readonly<Record<BanditMethod, string>> = {
  copg: 'CoPG',
  dpo: 'DPO',
  ipo: 'IPO',
  pg_value: 'PG, value',
  pg_none: 'PG, none',
  pg_importance: 'PG, π/μ',
}
const METHODS = [
  'copg',
  'dpo',
  'ipo',
  'pg_value',
  'pg_none',
  'pg_importance',
] as const satisfies readonly BanditMethod[]
const LEARNING_RATE = 0.2
const STEPS = 20_000
/** Evenly spaced on a log axis. */
const SHOWN_STEPS = [...new Set(Array.from({ length: 61 }, (_none, at) => Math.round(STEPS ** (at / 60))))]

/** CoPG §5.1 with exact gradients, for every method. Takes well under a second. */
export function reportBandit(): BanditReport {
  return {
    setup: {
      rewards: [...PAPER_BANDIT.rewards],
      reference: [...PAPER_BANDIT.reference],
      mu1: [...PAPER_BANDIT.mu1],
      mu2: [...PAPER_BANDIT.mu2],
      beta: PAPER_BANDIT.beta,
      learningRate: LEARNING_RATE,
      steps: STEPS,
    },
    optimum: optimalPolicy(PAPER_BANDIT),
    startRegret: banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference),
    methods: METHODS.map(ascend),
  }
}

/** One ascent, looked at after each of the shown steps. */
function ascend(method: BanditMethod): BanditReport['methods'][number] {
  const start = {
    step: 0,
    policy: [...PAPER_BANDIT.reference],
    regret: banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference),
  }
  const { regretByStep, policyByStep } = trainBandit(PAPER_BANDIT, method, {
    learningRate: LEARNING_RATE,
    steps: STEPS,
    reportAt: SHOWN_STEPS,
  })
  const path = regretByStep.map(([step, regret], at) => ({
    step,
    policy: [...(policyByStep[at] ?? [])],
    regret: Math.max(0, regret),
  }))
  return { id: method, name: NAMES[method], path: [start, ...path], end: path.at(-1) ?? start }
}
