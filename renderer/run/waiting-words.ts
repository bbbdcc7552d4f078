import type { RunSummary } from '../../shared/contract/runs.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount, formatPercent } from '../../shared/units.ts'

type Waiting = Pick<RunSummary, 'state' | 'phase' | 'step' | 'startedAtMs' | 'queuePosition'>
interface Words {
  readonly title: string
  readonly text: string
}

const PHASES: Readonly<Record<string, string>> = {
  loading: 'Reading the data',
  tokenizer: 'Training the tokenizer',
  reference: 'Scoring the data with the reference',
  rewards: 'Scoring the data with the reward',
  saving: 'Saving',
}

function sayEvaluating(total: number | null, kind: DataKind | null): string {
  if (total === null || kind === null) return 'Evaluating on held-out data'
  if (kind === 'segment-pairs') return `Evaluating in ${formatCount(total)} episodes` // the policy acts
  return `Evaluating on ${formatCount(total)} held-out ${KIND_WORDS[kind].items}`
}

/** The phase as work in hand: "Evaluating on 197 held-out pairs, 40 %". */
export function sayPhase(
  { phase, phaseProgress }: Pick<RunSummary, 'phase' | 'phaseProgress'>,
  kind: DataKind | null,
): string {
  const words = phase === 'evaluating' ? sayEvaluating(phaseProgress?.total ?? null, kind) : (PHASES[phase] ?? phase)
  return phaseProgress === null || phaseProgress.total === 0
    ? words
    : `${words}, ${formatPercent(phaseProgress.done / phaseProgress.total)}`
}

/** What is so while a run has no point to draw, in every state it can be in. */
export function waitingWords(run: Waiting, queuePaused: boolean): Words {
  switch (run.state) {
    case 'queued':
      if (queuePaused) return { title: 'The queue is paused', text: 'No run starts before it goes on.' }
      return {
        title: `Waiting, place ${run.queuePosition ?? 1} in the queue`,
        text: 'It starts by itself when a slot is free.',
      }
    case 'starting':
      return {
        title: PHASES[run.phase] ?? 'Starting',
        text: 'The curves appear with the first step. The log below tells what happens.',
      }
    case 'evaluating':
      if (run.step > 0) return { title: 'Evaluating', text: 'The curves appear with its result.' }
      return {
        title: 'Evaluating for the first time',
        text: 'It is measured before its first step; training comes next. The curves appear with the result.',
      }
    case 'training':
      return {
        title: PHASES[run.phase] ?? 'Training',
        text: run.step > 0 ? 'The curves appear with the next points.' : 'The curves appear with the first step.',
      }
    case 'finished':
    case 'failed':
    case 'cancelled':
    case 'interrupted':
    case 'lost':
      return { title: 'This run has no curves', text: endedWords(run) }
  }
}

function endedWords({ state, step, startedAtMs }: Waiting): string {
  if (step > 0) return 'It ended without a point that could be drawn.'
  if (startedAtMs === null)
    return state === 'cancelled' ? 'It was taken out of the queue before it began.' : 'It ended before it could begin.'
  return 'It ended before its first step.'
}
