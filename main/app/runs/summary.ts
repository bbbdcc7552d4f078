import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import type { RunDetail, RunSummary } from '../../../shared/contract/runs.ts'
import { ENDED_STATES, isLive, type RunState } from '../../../shared/domain.ts'
import { isErrno } from '../../base/files/system-error.ts'
import { runPaths } from '../../base/run-folder/paths.ts'
import { readPhase } from './phase-text.ts'
import { bestOf, bestStepOf, describeChosen } from './chosen.ts'
import { lastValue, listCheckpoints, listMetricNames, readSeries } from '../store/metrics.ts'
import type { ReadableDb } from '../store/open.ts'
import { listQueue, readRunSpec, type RunEntry } from '../store/runs.ts'

const SPARK_POINTS = 24

/** @param queue ids of the queued runs in order; looked up when a list is not at hand */
export function summarizeRun(
  db: ReadableDb,
  run: RunEntry,
  queue: readonly string[] = listQueue(db).map((queued) => queued.runId),
): RunSummary {
  const place = run.state === 'queued' ? queue.indexOf(run.runId) + 1 : 0
  const phase = readPhase(run.phase)
  return {
    runId: run.runId,
    name: run.name,
    method: run.method,
    methodName: run.methodName,
    datasetId: run.datasetId,
    datasetName: run.datasetName,
    state: run.state,
    seed: run.seed,
    groupHash: run.groupHash,
    engine: run.engine,
    pretrained: run.facts['pretrained'] === true,
    step: run.step,
    totalSteps: run.totalSteps,
    createdAtMs: run.createdAtMs,
    startedAtMs: run.startedAtMs,
    endedAtMs: run.endedAtMs,
    trainedMs: trained(run),
    remainingMs: remaining(run),
    queuePosition: place > 0 ? place : null,
    mainMetric: run.mainMetric,
    ...headlineOf(db, run),
    best: bestOf(run),
    resumable: isResumable(run.state),
    diskBytes: run.diskBytes,
    phase: phase.phase,
    phaseProgress: phase.progress,
    stopped: run.state === 'interrupted' && run.facts['stopped'] === true,
    error: run.error,
    note: run.note,
  }
}

type Headline = Pick<RunSummary, 'mainValue' | 'spark'>

/** By run and place in its log: a list of hundreds of runs is asked for all the time, and few of them move. */
const headlines = new WeakMap<ReadableDb, Map<string, { readonly at: string; readonly headline: Headline }>>()

function headlineOf(db: ReadableDb, run: RunEntry): Headline {
  if (run.mainMetric === null) return { mainValue: null, spark: [] }
  const known = headlines.get(db) ?? new Map<string, { readonly at: string; readonly headline: Headline }>()
  headlines.set(db, known)
  const at = `${run.runNo} ${run.cursorOffset} ${run.branch} ${run.mainMetric}`
  const kept = known.get(run.runId)
  if (kept?.at === at) return kept.headline
  const spark = readSeries(db, run.runNo, [run.mainMetric], SPARK_POINTS).flatMap((series) =>
    series.value.filter((value) => value !== null),
  )
  const headline = { mainValue: lastValue(db, run.runNo, run.mainMetric), spark }
  known.set(run.runId, { at, headline })
  return headline
}

/** Every end but the good one: without a checkpoint a resumed run starts over, which is the same run. */
export function isResumable(state: RunState): boolean {
  return ENDED_STATES.includes(state) && state !== 'finished'
}

function trained(run: RunEntry): number | null {
  if (run.startedAtMs === null || run.trainedMs === null) return null
  // A process that was only just begun has not said a word: the session in the index is that of the one before.
  const sessionGoesOn = isLive(run.state) && run.phase !== 'starting' && run.trainedToMs !== null
  return run.trainedMs + (sessionGoesOn ? Math.max(0, Date.now() - (run.trainedToMs ?? 0)) : 0)
}

/** Of the steps that are left; how long the evaluation after the last one takes, nobody knows before it. */
function remaining(run: RunEntry): number | null {
  if (!isLive(run.state) || run.step >= run.totalSteps || run.stepsPerSec === null || run.stepsPerSec <= 0) return null
  return ((run.totalSteps - run.step) / run.stepsPerSec) * 1000
}

/** All of it but what its method says. */
export function describeRun(db: ReadableDb, run: RunEntry, folder: string): Omit<RunDetail, 'command' | 'exportForms'> {
  const best = bestStepOf(db, run)
  return {
    ...summarizeRun(db, run),
    spec: readRunSpec(db, run.runId),
    folder,
    facts: { ...run.facts },
    summary: { ...run.summary },
    warnings: [...run.warnings],
    chosen: describeChosen(db, run),
    // Retention deletes folders without an event: the list shows what is there.
    checkpoints: listCheckpoints(db, run.runNo)
      .map((entry) => ({ ...entry, best: entry.step === best, path: path.join(folder, entry.path) }))
      .filter((entry) => existsSync(entry.path)),
    metricNames: listMetricNames(db, run.runNo),
    discarded: [...run.discarded],
    speed: { stepsPerSec: run.stepsPerSec, rssBytes: run.rssBytes, tensorCount: run.tensorCount },
  }
}

/** Bytes that a run keeps. Its lock is none of them: it goes with the process that holds it, which may be a moment later. */
export function runBytes(folder: string): number {
  return folderBytes(folder, runPaths(folder).lock)
}

/** Bytes of a folder's files. A file that vanishes while it is counted counts nothing: retention is at work. */
function folderBytes(folder: string, except = ''): number {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? []
  return entries.reduce((sum, entry) => {
    const place = path.join(folder, entry.name)
    if (place === except) return sum
    if (entry.isDirectory()) return sum + folderBytes(place)
    return sum + (entry.isFile() ? (statSync(place, { throwIfNoEntry: false })?.size ?? 0) : 0)
  }, 0)
}

/** A trainer removes its older checkpoints while somebody counts. */
function unlessGone<T>(look: () => T): T | null {
  try {
    return look()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}
