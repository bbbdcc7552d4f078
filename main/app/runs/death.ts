import type { RunState } from '../../../shared/domain.ts'
import type { WireError } from '../../../shared/errors.ts'
import { TRAINER_EXIT } from '../../base/run-folder/protocol.ts'
import type { ProcessEnd } from './executors/local.ts'
import { readTail } from '../../base/files/tail.ts'
import { runPaths } from '../../base/run-folder/paths.ts'

export interface Death {
  readonly state: Extract<RunState, 'failed' | 'cancelled' | 'lost'>
  readonly error: WireError | null
}

const LOG_LINES = 40

/**
 * Names the cause of a training process that ended without a last event.
 * @param end null when it was no child of this process: then only the log can tell
 */
export function explainDeath(folder: string, end: ProcessEnd | null, stopRequested: boolean): Death {
  if (stopRequested) return { state: 'cancelled', error: null }
  const lines = readTail(runPaths(folder).log, LOG_LINES)
  const details = { exitCode: end?.code ?? null, signal: end?.signal ?? null, log: [...lines] }
  if (end?.startError != null) {
    return {
      state: 'failed',
      error: {
        code: 'trainer-failed',
        message: `The training process could not be started: ${end.startError}.`,
        hint: 'Reinstall the app, or run "pairlab doctor".',
        details,
      },
    }
  }
  if (saysOutOfMemory(lines) || end?.code === TRAINER_EXIT.outOfMemory) {
    return {
      state: 'failed',
      error: {
        code: 'out-of-memory',
        message: 'The training process ran out of memory.',
        hint: 'Lower the micro-batch, the longest sequence or the model size, then resume or start again.',
        details,
      },
    }
  }
  if (end?.signal === 'SIGKILL') {
    return {
      state: 'lost',
      error: {
        code: 'trainer-failed',
        message:
          'The training process was killed from outside (SIGKILL): by a person, or by the system because memory ran out.',
        hint: 'Resume it: it goes on from its last checkpoint. If it happens again, lower the micro-batch or the model size.',
        details,
      },
    }
  }
  if (end?.signal != null) {
    return {
      state: 'lost',
      error: {
        code: 'trainer-failed',
        message: `The training process was ended by ${end.signal}.`,
        hint: 'Resume it: it goes on from its last checkpoint. Its last output is in the details.',
        details,
      },
    }
  }
  if (end?.code != null && end.code !== 0) {
    return {
      state: 'failed',
      error: {
        code: 'trainer-failed',
        message: `The training process ended with status ${end.code}${lastWords(lines)}.`,
        hint: 'Read its last output in the details; resume the run when the cause is gone.',
        details,
      },
    }
  }
  return {
    state: 'lost',
    error: {
      code: 'trainer-failed',
      message: 'The training process went away without a word: it was killed, or the computer was switched off.',
      hint: 'Resume it: it goes on from its last checkpoint.',
      details,
    },
  }
}

/** V8 prints this and aborts; there is no event for it. */
function saysOutOfMemory(lines: readonly string[]): boolean {
  return lines.some(
    (line) =>
      line.includes('heap out of memory') ||
      line.includes('Cannot enlarge memory') ||
      line.includes('Array buffer allocation failed'),
  )
}

function lastWords(lines: readonly string[]): string {
  const words = lines.findLast((line) => /error/i.test(line))
  return words === undefined ? '' : ` (${words.trim().slice(0, 200)})`
}
