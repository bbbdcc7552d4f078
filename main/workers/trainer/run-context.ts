import type { EngineName } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { RunSpec } from '../../../shared/run-spec.ts'
import { tf } from '../../core/learn/tf.ts'
import type { EventBody, EventLog } from '../../base/run-folder/events.ts'
import { readControl } from '../../base/run-folder/control.ts'
import type { MachineWatch } from './machine-watch.ts'
import type { TrainerEvent } from '../../base/run-folder/protocol.ts'

export type Phase = Extract<TrainerEvent, { type: 'phase' }>['phase']
export type Command = 'stop' | 'stop-and-save' | 'checkpoint' | 'terminate'

/** Ends a phase that cannot be interrupted half-way in any other manner. Not an error: somebody asked for it. */
export class StopRequest extends Error {
  readonly command: Exclude<Command, 'checkpoint'>

  constructor(command: Exclude<Command, 'checkpoint'>) {
    super(command)
    this.command = command
  }
}

/** Nobody waits for the work in hand any more. */
class Dropped extends Error {}

export interface RunContext {
  readonly spec: RunSpec
  /** What the process takes of the machine, as metrics; null while none is due. */
  machine(): Record<string, number> | null
  /** That was opened: not always the one that the specification names first. */
  readonly engine: EngineName
  readonly folder: string
  /** Of a dry run nothing is kept, and work that is the same over and over may be done in part. */
  readonly dry: boolean
  emit(body: EventBody, durable?: boolean): void
  syncLog(): void
  readonly lastSeq: number
  phase(phase: Phase, done?: number, total?: number): void
  /** How far the phase is, in items. It is told now and then, of phases that take a while. */
  progress(done: number, total: number): void
  warn(message: string, hint: string): void
  /** The step in hand, for heartbeats. `trainMs` is the time of that one update. */
  stepDone(step: number, trainMs: number): void
  /** Lets signals in, gives a sign of life when one is due. Call it between any two pieces of work. */
  breathe(): Promise<void>
  /** @throws AppError what the engine met behind the program's back: a lost device, no memory left */
  checkEngine(): void
  /** A command that was not obeyed yet; null when there is none. `checkpoint` is handed out once. */
  command(): Command | null
  /** What the work gives; null as soon as it takes a breath in a hurry, and it is dropped there. For what a run can do without. */
  unlessHurried<T>(work: () => Promise<T>): Promise<T | null>
  /** The same, as soon as somebody said stop: of such a run nothing more is kept. */
  unlessStopped<T>(work: () => Promise<T>): Promise<T | null>
  /** @throws StopRequest when the run is to end. For work before and after the training loop. */
  breatheOrStop(): Promise<void>
}

export const HEARTBEAT_MS = 2000
const CONTROL_MS = 200
/** Between two words on how far a phase is. */
const PROGRESS_MS = 700
/** Weight of the newest step in the running mean of step times. */
const RATE_WEIGHT = 0.2

export interface RunContextOptions {
  readonly engine: EngineName
  /** False for a dry run, which nobody commands. */
  readonly obeys: boolean
  readonly dry?: boolean
  engineTrouble?(): AppError | null
  /** Default: none. */
  readonly machine?: MachineWatch
}

export function createRunContext(
  spec: RunSpec,
  folder: string,
  log: EventLog,
  { engine, obeys, dry = false, engineTrouble = () => null, machine }: RunContextOptions,
): RunContext {
  let obeyedSeq = 0
  let terminated = false
  let mayDrop: 'hurried' | 'stopped' | null = null
  let controlReadAtMs = -Infinity
  let pending: Command | null = null
  let beatAtMs = performance.now()
  let step = 0
  let phase: Phase | null = null
  let toldAtMs = 0
  let stepMs: number | null = null
  if (obeys)
    process.on('SIGTERM', () => {
      terminated = true
    })

  function beat(): void {
    const now = performance.now()
    if (now - beatAtMs < HEARTBEAT_MS) return
    beatAtMs = now
    log.append({
      type: 'heartbeat',
      step,
      totalSteps: spec.training.steps,
      stepsPerSec: stepMs === null ? 0 : 1000 / stepMs,
      rssBytes: process.memoryUsage.rss(),
      tensorCount: tf.memory().numTensors,
    })
  }

  function readCommand(): void {
    const now = performance.now()
    if (!obeys || now - controlReadAtMs < CONTROL_MS) return
    controlReadAtMs = now
    const control = readControl(folder)
    if (control === null || control.seq <= obeyedSeq) return
    obeyedSeq = control.seq
    pending = control.command
  }

  function command(): Command | null {
    readCommand()
    if (pending === 'stop' || pending === 'stop-and-save') return pending
    if (terminated) return 'terminate'
    const once = pending
    pending = null
    return once
  }

  async function breathe(): Promise<void> {
    beat()
    await new Promise((resolve) => setImmediate(resolve))
    if (mayDrop === null) return
    readCommand()
    if (pending === 'stop' || (mayDrop === 'hurried' && terminated)) throw new Dropped()
  }

  async function unless<T>(what: 'hurried' | 'stopped', work: () => Promise<T>): Promise<T | null> {
    mayDrop = what
    try {
      return await work()
    } catch (error) {
      if (error instanceof Dropped) return null
      throw error
    } finally {
      mayDrop = null
    }
  }

  return {
    spec,
    machine: () => machine?.due() ?? null,
    engine,
    folder,
    dry,
    emit: (body, durable) => void log.append(body, durable),
    syncLog: () => log.sync(),
    get lastSeq() {
      return log.lastSeq
    },
    phase(next, done, total) {
      phase = next
      toldAtMs = performance.now()
      log.append({ type: 'phase', phase, done: done ?? null, total: total ?? null })
    },
    progress(done, total) {
      const now = performance.now()
      if (phase === null || now - toldAtMs < PROGRESS_MS) return
      toldAtMs = now
      log.append({ type: 'phase', phase, done, total })
    },
    warn(message, hint) {
      log.append({ type: 'warning', message, hint })
      console.warn(`${message} ${hint}`)
    },
    stepDone(doneStep, trainMs) {
      step = doneStep
      stepMs = stepMs === null ? trainMs : (1 - RATE_WEIGHT) * stepMs + RATE_WEIGHT * trainMs
    },
    breathe,
    checkEngine() {
      const trouble = engineTrouble()
      if (trouble !== null) throw trouble
    },
    command,
    unlessHurried: (work) => unless('hurried', work),
    unlessStopped: (work) => unless('stopped', work),
    async breatheOrStop() {
      await breathe()
      const asked = command()
      // A wish for a checkpoint stays until there is something to save.
      if (asked === 'checkpoint') pending = asked
      else if (asked !== null) throw new StopRequest(asked)
    },
  }
}

/** A loss that is not a number ends the run: every weight it touched would be lost. */
export function notFiniteError(step: number, what: string, checkpointStep: number | null): AppError {
  return new AppError({
    code: 'loss-not-finite',
    message: `At step ${step} ${what} was not a finite number, so training stopped.`,
    hint: `Lower the learning rate, turn gradient clipping on, or look for extreme rewards or weights in the data.${checkpointStep === null ? '' : ` The checkpoint of step ${checkpointStep} is kept.`}`,
    details: { step, lastCheckpoint: checkpointStep },
  })
}
