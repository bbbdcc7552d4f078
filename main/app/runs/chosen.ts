// Which checkpoint a run's validation side chose.
import { listCheckpoints, valuesAt } from '../store/metrics.ts'
import type { ReadableDb } from '../store/open.ts'
import type { RunEntry } from '../store/runs.ts'
import type { RunDetail, RunSummary } from '../../../shared/contract/runs.ts'

/** As its log says; null where none was chosen, and of runs from before their logs said it. */
export function chosenStep({ facts }: Pick<RunEntry, 'facts'>): number | null {
  const step = facts['bestStep']
  return typeof step === 'number' ? step : null
}

/** The same with its value. */
export function bestOf(run: Pick<RunEntry, 'facts'>): RunSummary['best'] {
  const step = chosenStep(run)
  const value = run.facts['bestValue']
  return step === null || typeof value !== 'number' ? null : { step, value }
}

/** The step of its best checkpoint; of earlier runs, whose logs do not say which was chosen, the one that was best when it was written. */
export function bestStepOf(db: ReadableDb, run: Pick<RunEntry, 'facts' | 'runNo'>): number | null {
  if (run.facts['bestStep'] !== undefined) return chosenStep(run)
  return listCheckpoints(db, run.runNo).find(({ best }) => best)?.step ?? null
}

export function describeChosen(db: ReadableDb, run: RunEntry): RunDetail['chosen'] {
  const step = bestStepOf(db, run)
  if (step === null) return null
  const by = run.facts['bestBy']
  return { step, by: typeof by === 'string' ? by : null, values: heldOutAt(db, run.runNo, step) }
}

/** What was measured on held-out data at exactly this step. */
export function heldOutAt(db: ReadableDb, runNo: number, step: number): Record<string, number | null> {
  return Object.fromEntries(Object.entries(valuesAt(db, runNo, step)).filter(([name]) => /^(eval|test)\//.test(name)))
}
