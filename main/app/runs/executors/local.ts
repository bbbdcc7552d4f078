import { closeSync, openSync } from 'node:fs'
import { startProgram, type ProgramCommand } from '../../../base/processes/program.ts'
import { identify, isProved, type ProcessIdentity } from '../../../base/run-folder/lock.ts'
import { isErrno } from '../../../base/files/system-error.ts'
import { runPaths } from '../../../base/run-folder/paths.ts'

export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** It could not be started at all. */
  readonly startError: string | null
}

export interface TrainerProcess {
  /** Null when it could not be started, or was gone before it could be looked at. */
  readonly identity: ProcessIdentity | null
  readonly ended: Promise<ProcessEnd>
}

/**
 * Left to itself, V8 lets some 300 MB gather of what the tape of each step leaves, where 60 MB live. Collected sooner, runs beside
 * SmolLM2 took 65 to 110 MB less, and no step of a small network longer.
 */
export const TRAINER_HEAP = ['--initial-old-space-size=64', '--heap-growing-percent=100'] as const

/**
 * A child of its own session: it goes on when the window, the app or the terminal goes. Its output is appended to
 * the run's log.txt, so that a crash of native code leaves its last words.
 */
export function startTrainer(command: ProgramCommand, folder: string, job: 'train' | 'estimate'): TrainerProcess {
  const log = openSync(runPaths(folder).log, 'a')
  try {
    const child = startProgram(command, {
      words: [job, folder],
      nodeArgs: TRAINER_HEAP,
      detached: true,
      stdio: ['ignore', log, log],
    })
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal, startError: null }))
      child.once('error', (error) => resolve({ code: null, signal: null, startError: error.message }))
    })
    child.unref()
    return { identity: child.pid === undefined ? null : identify(child.pid), ended }
  } finally {
    closeSync(log)
  }
}

/** False when the process is not there any more, or nothing proves that it is the one: a stranger may have its number. */
export function signalTrainer(identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (!isProved(identity)) return false
  try {
    process.kill(identity.pid, signal)
    return true
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false
    throw error
  }
}
