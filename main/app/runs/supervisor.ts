import path from 'node:path'
import type { EventPayload } from '../../../shared/contract.ts'
import { canMove, isLive, type RunState } from '../../../shared/domain.ts'
import type { WireError } from '../../../shared/errors.ts'
import type { Log } from '../../base/log.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import type { WritableDb } from '../store/open.ts'
import { requireRun, updateRun, type RunEntry } from '../store/runs.ts'
import { changeAppRecord } from './app-record.ts'
import { explainDeath } from './death.ts'
import { signalTrainer, startTrainer, type ProcessEnd } from './executors/local.ts'
import { foldEvents, type FoldResult } from './fold.ts'
import { readEvents } from '../../base/run-folder/events.ts'
import { isRunning, lockOwner, type ProcessIdentity } from '../../base/run-folder/lock.ts'
import { clearControl, writeControl } from '../../base/run-folder/control.ts'
import { runPaths } from '../../base/run-folder/paths.ts'
import { runBytes, summarizeRun } from './summary.ts'

type RunEventName = 'run.state' | 'run.metrics' | 'run.samples' | 'runs.changed'

/** The part of the event bus that runs speak to. */
export interface RunAudience {
  emit<N extends RunEventName>(name: N, payload: EventPayload<N>): void
}

export interface SupervisorOptions {
  readonly db: WritableDb
  readonly runsFolder: string
  readonly worker: ProgramCommand
  readonly audience: RunAudience
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Told of each trainer that was started. */
  readonly began?: (pid: number) => void
  /** Default: SILENCE_MS. */
  readonly silenceMs?: number
}

export type StopMode = 'stop' | 'stop-and-save'

export interface Supervisor {
  /** Starts a trainer for a queued run. */
  begin(runId: string): void
  /** Follows a run that an earlier app left running, or finds out how it ended. */
  attach(runId: string): void
  stop(runId: string, mode: StopMode): void
  checkpoint(runId: string): void
  /** Ends a process that was given up for lost, so that another may be started. */
  evict(runId: string): void
  /** True while a process of this run may exist. */
  holds(runId: string): boolean
  /** Reads what is new in every log and acts on it. Call it a few times a second. */
  poll(): void
  readonly watching: number
}

export const POLL_MS = 250
/** Silence after which a run counts as lost, unless its steps are slow: then ten of them. */
export const SILENCE_MS = 30_000
const SLOW_STEPS = 10
/** A process that was started a moment ago may not have taken the folder's lock yet. */
const UNSEEN_GRACE_MS = 5000
const PROBE_MS = 1000
const LADDER = { askMs: 10_000, terminateMs: 5000, saveMs: 60_000 } as const

interface Watch {
  readonly runId: string
  readonly folder: string
  identity: ProcessIdentity | null
  /** Undefined while it runs or is no child of ours. */
  end: ProcessEnd | undefined
  silentMs: number
  sincePollMs: number
  probeMs: number
  sinceMs: number
  stop: { readonly mode: StopMode | 'evict'; rung: 'asked' | 'terminated' | 'killed'; atMs: number } | null
  stateShownMs: number
}

/**
 * Watches over training processes through their folders. It never holds a pipe to one: a supervisor that dies and
 * comes back finds the same files and the same process.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const watches = new Map<string, Watch>()
  const watcher = createWatcher(options)

  function watch(runId: string): Watch {
    const now = performance.now()
    const entry: Watch = {
      runId,
      folder: path.join(options.runsFolder, runId),
      identity: null,
      end: undefined,
      silentMs: 0,
      sincePollMs: now,
      probeMs: -Infinity,
      sinceMs: now,
      stop: null,
      stateShownMs: 0,
    }
    watches.set(runId, entry)
    return entry
  }

  return {
    begin(runId) {
      const entry = watch(runId)
      updateRun(options.db, runId, {
        state: 'starting',
        phase: 'starting',
        queueOrder: null,
        error: null,
        endedAtMs: null,
      })
      clearControl(entry.folder) // a command to the process before this one
      const child = startTrainer(options.worker, entry.folder, 'train')
      entry.identity = child.identity
      if (child.identity !== null) options.began?.(child.identity.pid)
      updateRun(options.db, runId, { pid: child.identity?.pid ?? null, pidStarted: child.identity?.started ?? null })
      void child.ended.then((end) => {
        entry.end = end
      })
      watcher.show(entry)
    },
    attach(runId) {
      const run = requireRun(options.db, runId)
      const entry = watch(runId)
      const known = run.pid === null || run.pidStarted === null ? null : { pid: run.pid, started: run.pidStarted }
      // A known process that is gone is found out at the first look; an unknown one gets time to show itself.
      entry.identity = lockOwner(entry.folder) ?? known
    },
    stop(runId, mode) {
      const entry = watches.get(runId)
      if (entry === undefined) return
      writeControl(entry.folder, mode)
      entry.stop = { mode, rung: 'asked', atMs: performance.now() }
    },
    checkpoint(runId) {
      const entry = watches.get(runId)
      if (entry !== undefined) writeControl(entry.folder, 'checkpoint')
    },
    evict(runId) {
      const entry = watches.get(runId)
      if (entry === undefined || entry.stop?.mode === 'evict') return
      if (entry.identity !== null) signalTrainer(entry.identity, 'SIGTERM')
      entry.stop = { mode: 'evict', rung: 'terminated', atMs: performance.now() }
    },
    holds: (runId) => watches.has(runId),
    poll() {
      // One run's trouble is its own: the others are looked at all the same.
      for (const entry of [...watches.values()]) {
        try {
          if (watcher.look(entry)) watches.delete(entry.runId)
        } catch (error) {
          if (watcher.giveUp(entry, error)) watches.delete(entry.runId)
        }
      }
    },
    get watching() {
      return watches.size
    },
  }
}

/** Trouble of the machine, not of the run: a full disk, a busy database. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    !error.code.startsWith('SQLITE_CONSTRAINT') &&
    error.code !== 'SQLITE_MISMATCH' &&
    !error.code.startsWith('ERR_')
  )
}

interface Watcher {
  show(entry: Watch): void
  /** True when there is nothing left to watch. */
  look(entry: Watch): boolean
  /** After `look` threw. True where the run has failed by it; false where another look may succeed, as on a full disk. */
  giveUp(entry: Watch, error: unknown): boolean
}

function createWatcher({ db, audience, log, silenceMs = SILENCE_MS }: SupervisorOptions): Watcher {
  function show(entry: Watch, run: RunEntry = requireRun(db, entry.runId)): void {
    entry.stateShownMs = performance.now()
    audience.emit('run.state', summarizeRun(db, run))
  }

  /** What the index has taken in is told, also when what comes after it cannot be read: it is not read a second time. */
  function drain(entry: Watch): RunEntry {
    const results: FoldResult[] = []
    try {
      for (let run = requireRun(db, entry.runId); ; run = results.at(-1)!.run) {
        const batch = readEvents(runPaths(entry.folder).events, run.cursorOffset)
        if (batch.offset === run.cursorOffset) return run
        results.push(foldEvents(db, entry.runId, batch, () => runBytes(entry.folder)))
      }
    } finally {
      if (results.length > 0) announce(entry, results.at(-1)!.run, results)
    }
  }

  function announce(entry: Watch, run: RunEntry, results: readonly FoldResult[]): void {
    entry.silentMs = 0
    const changes = results.flatMap((result) => result.curves)
    if (changes.length > 0) audience.emit('run.metrics', { runId: run.runId, changes })
    for (const { step, items } of results.flatMap((result) => result.samples))
      audience.emit('run.samples', { runId: run.runId, step, items: [...items] })
    if (results.some((result) => result.stateChanged) || performance.now() - entry.stateShownMs >= 1000) show(entry)
  }

  function endRun(entry: Watch, state: RunState, error: WireError | null): void {
    const run = requireRun(db, entry.runId)
    if (!canMove(run.state, state)) return
    const atMs = Date.now()
    changeAppRecord(entry.folder, run, { ended: { state, atMs, afterSeq: run.cursorSeq, error } })
    updateRun(db, run.runId, {
      state,
      error,
      endedAtMs: atMs,
      phase: 'ended',
      pid: null,
      pidStarted: null,
      diskBytes: runBytes(entry.folder),
    })
    show(entry)
    audience.emit('runs.changed', {})
  }

  /** The process is gone. Its last events first; then the cause, if it named none itself. */
  function bury(entry: Watch): boolean {
    const owner = lockOwner(entry.folder)
    if (owner !== null) {
      // Another trainer has the folder: ours was turned away, or an earlier app started it a moment before it died.
      Object.assign(entry, { identity: owner, end: undefined } satisfies Partial<Watch>)
      return false
    }
    const run = drain(entry)
    if (run.state === 'starting' && run.pid === null && entry.end === undefined) {
      // The app that took it from the queue was gone before a process was there.
      updateRun(db, run.runId, { state: 'queued', phase: 'queued', queueOrder: 0 })
      audience.emit('runs.changed', {})
    } else if (isLive(run.state)) {
      const death = explainDeath(
        entry.folder,
        entry.end ?? null,
        entry.stop?.mode === 'stop' && entry.stop.rung !== 'asked',
      )
      log.warn(`run ${run.runId}: ${death.error?.message ?? 'stopped'}`)
      endRun(entry, death.state, death.error)
    } else {
      updateRun(db, run.runId, { diskBytes: runBytes(entry.folder) }) // with its last words
      audience.emit('runs.changed', {})
    }
    return true
  }

  function isGone(entry: Watch): boolean {
    if (entry.end !== undefined) return true
    const now = performance.now()
    if (entry.identity === null) {
      entry.identity = lockOwner(entry.folder)
      return entry.identity === null && now - entry.sinceMs > UNSEEN_GRACE_MS
    }
    if (now - entry.probeMs < PROBE_MS) return false
    entry.probeMs = now
    return !isRunning(entry.identity)
  }

  function climbLadder(entry: Watch, run: RunEntry): void {
    const stop = entry.stop
    if (stop === null || entry.identity === null) return
    const now = performance.now()
    const patienceMs =
      stop.rung === 'terminated' ? LADDER.terminateMs : stop.mode === 'stop-and-save' ? LADDER.saveMs : LADDER.askMs
    // Saving may take as long as it gives signs of life.
    const waitedMs =
      stop.mode === 'stop-and-save' && stop.rung === 'asked'
        ? Math.min(entry.silentMs, now - stop.atMs)
        : now - stop.atMs
    if (stop.rung === 'killed' || waitedMs < patienceMs) return
    const next = stop.rung === 'asked' ? 'terminated' : 'killed'
    log.info(
      `run ${run.runId}: still there after ${Math.round(waitedMs)} ms, sending ${next === 'terminated' ? 'SIGTERM' : 'SIGKILL'}`,
    )
    signalTrainer(entry.identity, next === 'terminated' ? 'SIGTERM' : 'SIGKILL')
    entry.stop = { ...stop, rung: next, atMs: now }
  }

  return {
    show,
    giveUp(entry, error) {
      const { events } = runPaths(entry.folder)
      log.warn(`run ${entry.runId}: ${events} cannot be followed`, error)
      if (isPassing(error)) return false
      endRun(entry, 'failed', {
        code: 'trainer-failed',
        message: `What the training process wrote cannot be read: ${events}, after byte ${requireRun(db, entry.runId).cursorOffset}: ${error instanceof Error ? error.message : String(error)}.`,
        hint: 'What was read before is kept. Start the run again from its request.',
      })
      if (entry.identity !== null) signalTrainer(entry.identity, 'SIGTERM')
      return true
    },
    look(entry) {
      const now = performance.now()
      // Counted in small pieces, so that a computer that slept does not find all its runs lost.
      entry.silentMs += Math.min(now - entry.sincePollMs, 4 * POLL_MS)
      entry.sincePollMs = now
      const gone = isGone(entry)
      const run = drain(entry)
      if (gone) return bury(entry)
      if (!isLive(run.state) && run.state !== 'lost') entry.stop ??= { mode: 'stop', rung: 'asked', atMs: now } // it has said its last word: see it out
      climbLadder(entry, run)
      const limitMs = Math.max(
        silenceMs,
        run.stepsPerSec === null || run.stepsPerSec <= 0 ? 0 : (SLOW_STEPS * 1000) / run.stepsPerSec,
      )
      if (isLive(run.state) && entry.silentMs > limitMs) {
        endRun(entry, 'lost', {
          code: 'trainer-failed',
          message: `The training process has said nothing for ${Math.round(entry.silentMs / 1000)} s, though it is still there.`,
          hint: 'Wait, in case the computer is busy; or resume the run: the silent process is ended first.',
        })
      }
      return false
    },
  }
}
