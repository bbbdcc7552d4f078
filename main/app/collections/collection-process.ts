import { createInterface } from 'node:readline'
import { AppError, fromWire } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import {
  collectionMessage,
  collectionQuestions,
  type CollectionAnswer,
  type CollectionAsk,
  type CollectionMessage,
  type CollectionProgress,
  type CollectionQuestion,
  type CollectionStart,
} from '../../base/processes/collection-protocol.ts'
import { startProgram, type ProgramCommand } from '../../base/processes/program.ts'
import { OVER_MEMORY } from '../../core/formats/reader-protocol.ts'

/** A child process with one collection in it. */
export interface CollectionProcess {
  /** @throws AppError of the process, or why it ended */
  ask<N extends CollectionQuestion>(name: N, question: CollectionAsk<N>): Promise<CollectionAnswer<N>>
  /** Questions that have no answer yet. */
  readonly waiting: number
  /** Ends it; what waits is answered with the reason. */
  end(reason: AppError): Promise<void>
  /** Settles when it is gone, for whatever reason. */
  readonly gone: Promise<void>
}

interface Waiting {
  readonly name: CollectionQuestion
  resolve(answer: unknown): void
  reject(error: unknown): void
}

const COMPLAINT_CHARS = 4000

export function startCollection(
  command: ProgramCommand,
  start: CollectionStart,
  onProgress: (progress: CollectionProgress) => void,
): CollectionProcess {
  const child = startProgram(command, {
    nodeArgs: [`--max-old-space-size=${Math.floor(start.memoryBytes / 2 ** 20)}`],
    words: ['collection', JSON.stringify(start)],
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const waiting = new Map<number, Waiting>()
  let last = 0
  let complaint = ''
  let reason: AppError | null = null
  child.stdin.on('error', () => undefined) // it is gone: `close` tells
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARS)))
  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
    const message = readMessage(line)
    if (message === null) return
    if (message.type === 'progress') {
      const { type: _type, ...progress } = message
      return onProgress(progress)
    }
    const one = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.type === 'failed') return one?.reject(fromWire(message.error))
    try {
      one?.resolve(collectionQuestions[one.name].answer.parse(message.answer))
    } catch (error) {
      one?.reject(error)
    }
  })
  const gone = new Promise<void>((resolve) => {
    const end = (error: AppError): void => {
      for (const one of waiting.values()) one.reject(error)
      waiting.clear()
      resolve()
    }
    child.once('error', (error) => end(deathError(`could not be started: ${error.message}`, complaint, start)))
    child.once('close', (code, signal) =>
      end(
        reason ??
          deathError(signal === null ? `ended with status ${code}` : `was ended by ${signal}`, complaint, start),
      ),
    )
  })
  return {
    gone,
    get waiting() {
      return waiting.size
    },
    ask: (name, question) =>
      new Promise((resolve, reject) => {
        if (!child.stdin.writable) {
          reject(deathError('is not there', complaint, start))
          return
        }
        const id = (last += 1)
        waiting.set(id, { name, resolve: resolve as (answer: unknown) => void, reject }) // parsed by this very name's schema
        child.stdin.write(`${JSON.stringify({ id, name, question })}\n`)
      }),
    async end(why) {
      reason ??= why
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** Native libraries may print on standard output too: what is no message is passed over. */
function readMessage(line: string): CollectionMessage | null {
  if (!line.startsWith('{"type":')) return null
  try {
    return collectionMessage.parse(JSON.parse(line))
  } catch {
    return null
  }
}

function deathError(what: string, complaint: string, { memoryBytes }: CollectionStart): AppError {
  const details = { output: complaint }
  if (complaint.includes(OVER_MEMORY) || /heap out of memory|heap limit/i.test(complaint))
    return new AppError({
      code: 'out-of-memory',
      message: `The collection was let go: reading it took more than ${formatBytes(memoryBytes)} of memory.`,
      hint: 'Import a part of it: a corpus cut to what is judged, and some more.',
      details,
    })
  return new AppError({
    code: 'trainer-failed',
    message: `The process that reads the collection ${what}.`,
    hint: 'Try again: a new one is started.',
    details,
  })
}
