import type { RunSummary } from '../../shared/contract/runs.ts'
import { ENDED_STATES, type RunState } from '../../shared/domain.ts'

/** Ends that nobody asked for; who stops a run knows that it ends. */
const TOLD: Readonly<
  Partial<Record<RunState, { readonly mark: string; readonly word: string; readonly good: boolean }>>
> = {
  finished: { mark: '✓', word: 'finished', good: true },
  failed: { mark: '✗', word: 'failed', good: false },
  lost: { mark: '✗', word: 'was lost', good: false },
}

/** How a run ended, where that is news; null for anything else. */
export function tellEnd(
  before: RunState | undefined,
  run: Pick<RunSummary, 'state' | 'runId' | 'seed' | 'error'>,
): { readonly title: string; readonly text: string; readonly short: string; readonly good: boolean } | null {
  const end = TOLD[run.state]
  if (end === undefined || before === undefined || ENDED_STATES.includes(before)) return null
  return {
    title: `${run.runId} ${end.word}`,
    text: run.error === null ? `Seed ${run.seed}.` : `${run.error.message} ${run.error.hint}`,
    short: `${end.mark} ${run.runId}`,
    good: end.good,
  }
}
