import { createInterface } from 'node:readline'
import type { ActedSteps } from '../../../shared/contract/watch.ts'
import type { EngineName } from '../../../shared/domain.ts'
import { AppError, fromWire } from '../../../shared/errors.ts'
import {
  actorMessage,
  type ActorCommand,
  type ActorMessage,
  type ActorStart,
} from '../../base/processes/actor-protocol.ts'
import { startProgram, type ProgramCommand } from '../../base/processes/program.ts'

export interface Acted {
  readonly steps: ActedSteps
  readonly engine: EngineName | null
}

/** A child process in which policies act. */
export interface Actor {
  /** @throws AppError of the process; `trainer-failed` when it ended before it answered */
  ask(command: Omit<ActorCommand, 'id'>): Promise<Acted>
  /** Closes its input, and ends it by force when that does not help. */
  stop(): Promise<void>
  /** Settles when it is gone, for whatever reason. */
  readonly gone: Promise<void>
}

const STOP_MS = 1000
const COMPLAINT_CHARS = 4000

export function startActor(command: ProgramCommand, start: ActorStart): Actor {
  const child = startProgram(command, { words: ['act', JSON.stringify(start)], stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting = new Map<number, PromiseWithResolvers<Acted>>()
  let complaint = ''
  let nextId = 1
  let end: AppError | null = null
  child.stdin.on('error', () => undefined) // it is gone: `close` tells
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARS)))
  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
    const message = readMessage(line)
    if (message === null) return
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.type === 'error') asked?.reject(fromWire(message.error))
    else asked?.resolve({ steps: message.steps, engine: message.engine })
  })
  const gone = new Promise<void>((resolve) => {
    const over = (what: string): void => {
      end = new AppError({
        code: 'trainer-failed',
        message: `The process in which policies act ${what}.`,
        hint: 'Watch again: a new process is started.',
        details: { output: complaint },
      })
      for (const asked of waiting.values()) asked.reject(end)
      waiting.clear()
      resolve()
    }
    child.once('error', (error) => over(`could not be started: ${error.message}`))
    child.once('close', (code, signal) =>
      over(signal === null ? `ended by itself with status ${code}` : `was ended by ${signal}`),
    )
  })
  return {
    gone,
    ask(question) {
      if (end !== null) return Promise.reject(end)
      const id = nextId
      nextId += 1
      const asked = Promise.withResolvers<Acted>()
      waiting.set(id, asked)
      child.stdin.write(`${JSON.stringify({ ...question, id })}\n`)
      return asked.promise
    },
    async stop() {
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await gone
      clearTimeout(timer)
    },
  }
}

/** Native libraries may print on standard output too: what is no message is passed over. */
function readMessage(line: string): ActorMessage | null {
  if (!line.startsWith('{"type":')) return null
  try {
    return actorMessage.parse(JSON.parse(line))
  } catch {
    return null
  }
}
