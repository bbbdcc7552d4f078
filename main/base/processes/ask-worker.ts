import { createInterface } from 'node:readline'
import { AppError, fromWire } from '../../../shared/errors.ts'
import { startProgram, type ProgramCommand } from './program.ts'
import {
  workerMessage,
  workerQuestions,
  type AnswerOf,
  type QuestionOf,
  type WorkerMessage,
  type WorkerQuestion,
} from './worker-questions.ts'

const COMPLAINT_CHARS = 4000

export interface AskOptions {
  /** Progress in words, a line at a time. */
  readonly onNote?: (text: string) => void
  /** Of a question that counts what is done. */
  readonly onProgress?: (phase: string, done: number) => void
  /** Ends the worker. */
  readonly signal?: AbortSignal
}

/**
 * One question to a worker of its own, which ends with the answer.
 * @throws AppError of the worker; `trainer-failed` when it ended without an answer; the signal's reason
 */
export async function askWorker<N extends WorkerQuestion>(
  command: ProgramCommand,
  name: N,
  question: QuestionOf<N>,
  { onNote, onProgress, signal }: AskOptions = {},
): Promise<AnswerOf<N>> {
  signal?.throwIfAborted()
  const child = startProgram(command, { words: ['ask', name], stdio: ['pipe', 'pipe', 'pipe'] })
  const stop = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', stop)
  let complaint = ''
  let last: WorkerMessage | null = null
  child.stdin.on('error', () => undefined) // it is gone: `close` tells
  child.stdin.write(`${JSON.stringify(question)}\n`)
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARS)))
  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
    const message = readMessage(line)
    if (message?.type === 'note') onNote?.(message.text)
    else if (message?.type === 'progress') onProgress?.(message.phase, message.done)
    else last = message ?? last
  })
  const end = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('close', (code, killed) =>
      resolve(killed === null ? `ended by itself with status ${code}` : `was ended by ${killed}`),
    )
  })
  signal?.removeEventListener('abort', stop)
  signal?.throwIfAborted()
  const said = last as WorkerMessage | null // set by the lines, which the compiler does not follow
  if (said?.type === 'failed') throw fromWire(said.error)
  if (said?.type === 'answer') return workerQuestions[name].answer.parse(said.answer) as AnswerOf<N> // by this very name
  throw new AppError({
    code: 'trainer-failed',
    message: `The process that computes this ${end}.`,
    hint: 'Try again. If it ends again, it may need more memory than there is, or another engine.',
    details: { output: complaint },
  })
}

/** Native libraries may print on standard output too: what is no message is passed over. */
function readMessage(line: string): WorkerMessage | null {
  if (!line.startsWith('{"type":')) return null
  try {
    return workerMessage.parse(JSON.parse(line))
  } catch {
    return null
  }
}
