import { createInterface } from 'node:readline'
import { startProgram, type ProgramCommand } from '../../base/processes/program.ts'
import { AppError, fromWire, toWire, type WireError } from '../../../shared/errors.ts'
import {
  generateMessage,
  type GenerateCommand,
  type GenerateJob,
  type GenerateMessage,
  type GenerateStart,
} from '../../base/processes/generator-protocol.ts'

export type JobMessage = Extract<GenerateMessage, { type: 'begin' | 'token' | 'done' | 'error' }>

/** A child process with one model in it. */
export interface Generator {
  /** Null when it could not be started. */
  readonly pid: number | null
  /** Its device, once engine and model are open. Rejects with an AppError when they cannot be. */
  readonly ready: Promise<string>
  /** Hands a job over; the listener is told until `done` or `error`, one of which always comes. */
  submit(job: GenerateJob, listener: (message: JobMessage) => void): void
  cancel(id: string): void
  /** Closes its input, and ends it by force when that does not help. */
  stop(): Promise<void>
  kill(): void
  /** Settles when it is gone, for whatever reason. */
  readonly gone: Promise<void>
}

const STOP_MS = 2000
const COMPLAINT_CHARS = 4000

export function startGenerator(command: ProgramCommand, start: GenerateStart): Generator {
  const child = startProgram(command, { words: ['generate', JSON.stringify(start)], stdio: ['pipe', 'pipe', 'pipe'] })
  const listeners = new Map<string, (message: JobMessage) => void>()
  let complaint = ''
  let unfit: WireError | null = null
  let stopped = false
  const ready = Promise.withResolvers<string>()
  ready.promise.catch(() => undefined) // whoever waits is told; nobody may be waiting
  child.stdin.on('error', () => undefined) // it is gone: `close` tells
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARS)))
  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
    const message = readMessage(line)
    if (message === null) return
    if (message.type === 'ready') return ready.resolve(message.device)
    if (message.type === 'unfit') return void (unfit = message.error)
    const listener = listeners.get(message.id)
    if (message.type === 'done' || message.type === 'error') listeners.delete(message.id)
    listener?.(message)
  })
  const gone = new Promise<void>((resolve) => {
    const end = (error: AppError): void => {
      ready.reject(error)
      for (const [id, listener] of listeners) listener({ type: 'error', id, error: toWire(error) })
      listeners.clear()
      resolve()
    }
    child.once('error', (error) => end(deathError(`could not be started: ${error.message}`, complaint)))
    child.once('close', (code, signal) =>
      end(
        unfit !== null
          ? fromWire(unfit)
          : deathError(
              stopped
                ? 'was ended with the app'
                : signal === null
                  ? `ended by itself with status ${code}`
                  : `was ended by ${signal}`,
              complaint,
            ),
      ),
    )
  })
  const send = (line: GenerateCommand): void => {
    if (child.stdin.writable) child.stdin.write(`${JSON.stringify(line)}\n`)
  }
  return {
    pid: child.pid ?? null,
    ready: ready.promise,
    gone,
    submit(job, listener) {
      listeners.set(job.id, listener)
      send({ type: 'generate', ...job })
    },
    cancel: (id) => send({ type: 'cancel', id }),
    async stop() {
      stopped = true
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await gone
      clearTimeout(timer)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Native libraries may print on standard output too: what is no message is passed over. */
function readMessage(line: string): GenerateMessage | null {
  if (!line.startsWith('{"type":')) return null
  try {
    return generateMessage.parse(JSON.parse(line))
  } catch {
    return null
  }
}

function deathError(what: string, complaint: string): AppError {
  return new AppError({
    code: 'trainer-failed',
    message: `The process that writes text ${what}.`,
    hint: 'Run it again: a new process is started. If it ends again, the model may need more memory than there is, or another engine.',
    details: { output: complaint },
  })
}
