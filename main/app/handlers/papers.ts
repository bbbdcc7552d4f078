import type { BanditReport } from '../../../shared/contract/papers.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { readReport } from '../papers/report-files.ts'
import { inSlices, type Sliced } from '../store/slices.ts'
import type { HandlerDeps } from './deps.ts'
import { PAPER_BANDIT, banditRegret, climbBandit, optimalPolicy, type BanditMethod } from '../../core/learn/bandit/bandit.ts'

const NAMES: Readonly<Record<BanditMethod, string>> = { copg: 'CoPG', dpo: 'DPO', ipo: 'IPO', pg_value: 'PG, value', pg_none: 'PG, none' }
const METHODS = ['copg', 'dpo', 'ipo', 'pg_value', 'pg_none'] as const satisfies readonly BanditMethod[]
const LEARNING_RATE = 0.2
const STEPS = 20_000
/** Evenly spaced on a log axis. */
const SHOWN_STEPS = [...new Set(Array.from({ length: 61 }, (_none, at) => Math.round(STEPS ** (at / 60))))]

/** One ascent, looked at after each of the shown steps. */
function* pathOf(method: BanditMethod): Sliced<BanditReport['methods'][number]> {
  const start = { step: 0, policy: [...PAPER_BANDIT.reference], regret: banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference) }
  const { regretByStep, policyByStep } = yield* climbBandit(PAPER_BANDIT, method, { learningRate: LEARNING_RATE, steps: STEPS, reportAt: SHOWN_STEPS })
  const path = regretByStep.map(([step, regret], at) => ({ step, policy: [...(policyByStep[at] ?? [])], regret: Math.max(0, regret) }))
  return { id: method, name: NAMES[method], path: [start, ...path], end: path.at(-1) ?? start }
}

type PaperHandlers = Pick<Handlers, Extract<keyof Handlers, `papers.${string}`>>

export function paperHandlers({ papers, dataFolder }: Pick<HandlerDeps, 'papers' | 'dataFolder'>): PaperHandlers {
  let report: BanditReport | null = null
  return {
    'papers.list': () => papers.list(),
    'papers.report': ({ id, form }) => readReport(dataFolder, id, form),
    'papers.reproduce': ({ id, form, seeds }) => {
      papers.start(id, form, seeds)
      return null
    },
    'papers.cancel': ({ id }) => {
      papers.cancel(id)
      return null
    },
    'papers.bandit': async () => {
      const methods: BanditReport['methods'] = []
      for (const method of report === null ? METHODS : []) {
        methods.push(await inSlices(pathOf(method)))
      }
      report ??= {
        setup: { rewards: [...PAPER_BANDIT.rewards], reference: [...PAPER_BANDIT.reference], mu1: [...PAPER_BANDIT.mu1], mu2: [...PAPER_BANDIT.mu2], beta: PAPER_BANDIT.beta, learningRate: LEARNING_RATE, steps: STEPS },
        optimum: optimalPolicy(PAPER_BANDIT),
        startRegret: banditRegret(PAPER_BANDIT, PAPER_BANDIT.reference),
        methods,
      }
      return report
    },
  }
}
