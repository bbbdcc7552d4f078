import type { SampleItem } from '../../../shared/contract/runs.ts'
import { assertNever } from '../../../shared/assert.ts'
import { canMove, isLive, type RunState } from '../../../shared/domain.ts'
import type { CurveChange } from '../../../shared/metric-columns.ts'
import { discardAfter, insertCheckpoint, insertMetrics, insertSamples } from '../store/metrics.ts'
import { inTransaction, type WritableDb } from '../store/open.ts'
import { requireRun, updateRun, type RunChanges, type RunEntry } from '../store/runs.ts'
import type { TrainerEvent } from '../../base/run-folder/protocol.ts'
import type { EventBatch } from '../../base/run-folder/events.ts'
import { writePhase } from './phase-text.ts'
import { addTime } from './trained-time.ts'

/** What a batch of events meant, for those who watch. */
export interface FoldResult {
  readonly run: RunEntry
  readonly stateChanged: boolean
  readonly curves: readonly CurveChange[]
  readonly samples: readonly { readonly step: number; readonly items: readonly SampleItem[] }[]
  readonly savedCheckpoint: boolean
}

type Draft = { -readonly [K in keyof RunEntry]: RunEntry[K] }

/**
 * Brings the index up to a batch of the event log, in one transaction with the cursor: after a crash the same bytes
 * are read again or not at all. Events that the cursor has passed are skipped.
 * @param bytes counts what the run keeps on the disk, asked where the batch saves or ends: counted later, a run whose app dies in between
 *   would never be counted again
 */
export function foldEvents(db: WritableDb, runId: string, batch: EventBatch, bytes?: () => number): FoldResult {
  return inTransaction(db, () => {
    const before = requireRun(db, runId)
    const draft: Draft = { ...before }
    const result: Collected = { curves: [], samples: [], savedCheckpoint: false }
    for (const event of batch.events) {
      if (event.seq <= draft.cursorSeq) continue
      draft.cursorSeq = event.seq
      draft.lastEventAtMs = event.atMs
      Object.assign(draft, addTime({ trainedMs: draft.trainedMs ?? 0, trainedToMs: draft.trainedToMs }, event))
      if (draft.state === 'lost' && event.type !== 'ready') takeBack(draft)
      foldOne(db, draft, event, result)
    }
    draft.cursorOffset = batch.offset
    if (bytes !== undefined && (result.savedCheckpoint || !isLive(draft.state))) draft.diskBytes = bytes()
    if (batch.damagedLines > 0) {
      draft.warnings = [
        ...draft.warnings,
        {
          message: `${batch.damagedLines} lines of the event log could not be read.`,
          hint: 'Points of the curves may be missing; check the disk.',
        },
      ]
    }
    updateRun(db, runId, changes(before, draft))
    return { run: draft, stateChanged: draft.state !== before.state || draft.phase !== before.phase, ...result }
  })
}

function changes(before: RunEntry, after: RunEntry): RunChanges {
  return Object.fromEntries(Object.entries(after).filter(([field, value]) => before[field as keyof RunEntry] !== value)) // keys of a RunEntry
}

interface Collected {
  readonly curves: CurveChange[]
  readonly samples: { step: number; items: readonly SampleItem[] }[]
  savedCheckpoint: boolean
}

function foldOne(db: WritableDb, draft: Draft, event: TrainerEvent, collected: Collected): void {
  switch (event.type) {
    case 'ready':
      return foldReady(db, draft, event, collected)
    case 'phase':
      draft.phase = writePhase(event)
      if (event.phase === 'training' || event.phase === 'evaluating') move(draft, event.phase)
      return
    case 'fact':
      draft.facts = { ...draft.facts, ...event.facts }
      if (typeof event.facts['mainMetric'] === 'string') draft.mainMetric = event.facts['mainMetric'] // it has seen the data
      return
    case 'metrics':
      insertMetrics(db, draft.runNo, draft.branch, event.columns)
      draft.step = Math.max(draft.step, ...event.columns.step)
      collected.curves.push({ type: 'points', seq: event.seq, columns: event.columns })
      return
    case 'heartbeat':
      draft.step = event.step
      draft.stepsPerSec = event.stepsPerSec
      draft.rssBytes = event.rssBytes
      draft.tensorCount = event.tensorCount
      return
    case 'sample':
      insertSamples(db, draft.runNo, draft.branch, event.step, event.items)
      collected.samples.push({ step: event.step, items: event.items })
      return
    case 'checkpoint':
      insertCheckpoint(db, draft.runNo, {
        step: event.step,
        path: event.path,
        sizeBytes: event.sizeBytes,
        sha256: event.sha256,
        best: event.best,
        atMs: event.atMs,
      })
      collected.savedCheckpoint = true
      return
    case 'warning':
      // A process that goes on finds what the one before it found.
      if (!draft.warnings.some(({ message, hint }) => message === event.message && hint === event.hint))
        draft.warnings = [...draft.warnings, { message: event.message, hint: event.hint }]
      return
    case 'done':
      draft.summary = event.summary
      return end(draft, event.outcome, event.atMs)
    case 'failed':
      draft.error = event.error
      return end(draft, 'failed', event.atMs)
    default:
      return assertNever(event)
  }
}

/** A trainer begins, or begins again: a branch of its own from the step it went back to. */
function foldReady(
  db: WritableDb,
  draft: Draft,
  event: Extract<TrainerEvent, { type: 'ready' }>,
  collected: Collected,
): void {
  draft.stepsPerSec = null // the speed of the process before says nothing of this one
  const from = event.resumedFromStep ?? 0
  draft.branch += 1
  const toStep = event.resumedFromStep ?? -1
  const last = discardAfter(db, draft.runNo, toStep)
  if (last !== null) {
    draft.discarded = [...draft.discarded, { fromStep: from + 1, toStep: last }]
    collected.curves.push({ type: 'back', seq: event.seq, toStep })
  }
  draft.step = from
  draft.error = null
  draft.endedAtMs = null
  draft.startedAtMs ??= event.startedAtMs
  draft.engine = event.engine
  // It says itself what it goes on with, and how it ends.
  const { bestStep: _step, bestValue: _value, bestBy: _by, stopped: _stopped, ...facts } = draft.facts
  draft.facts = { ...facts, device: event.device }
  draft.pid = event.pid
  draft.phase = 'loading'
  draft.queueOrder = null
  // The log alone does not say that the run was queued in between; the table of legal moves wants it.
  if (draft.state !== 'starting' && canMove(draft.state, 'queued')) draft.state = 'queued'
  move(draft, 'starting')
}

/** It was only silent. */
function takeBack(draft: Draft): void {
  draft.phase = 'training'
  move(draft, 'training')
  draft.error = null
  draft.endedAtMs = null
}

/** Along the legal moves only: an event that would break them changes nothing. */
function move(draft: Draft, to: RunState): void {
  if (canMove(draft.state, to)) draft.state = to
}

function end(draft: Draft, state: RunState, atMs: number): void {
  move(draft, state)
  if (isLive(draft.state)) return
  draft.phase = 'ended'
  draft.endedAtMs = atMs
  draft.pid = null
  draft.pidStarted = null
}
