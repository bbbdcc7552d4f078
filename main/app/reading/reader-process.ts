import { AppError, fromWire } from '../../../shared/errors.ts'
import { formatBytes } from '../../../shared/units.ts'
import { startProgram, type ProgramCommand } from '../../base/processes/program.ts'
import {
  OVER_MEMORY,
  type ReaderJobName,
  type ReaderMessage,
  type ReaderOrder,
} from '../../core/formats/reader-protocol.ts'

export interface ReaderLimits {
  /** Of the whole process. */
  readonly memoryBytes: number
  /** How long it may be busy without once coming up for air. */
  readonly silentMs: number
}

/** A child that does one job at a time. */
export interface ReaderProcess {
  /**
   * Pieces in their order, then the result. Leaving early ends the process: what it was at cannot be interrupted.
   * @param subject the path, for the error   @throws AppError; the signal's reason
   */
  run(
    name: ReaderJobName,
    input: unknown,
    options: { readonly subject: string; readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<unknown, unknown>
  /** Null when it could not be started. */
  readonly pid: number | null
  /** False once it ended. */
  readonly alive: boolean
  kill(): void
  readonly gone: Promise<void>
}

const TICK_MS = 500
/** Until its first word: a machine under load may take its time to start a program. */
const START_MS = 60_000
const COMPLAINT_CHARS = 4000
/** All that a reader needs to know of its surroundings. */
const ENVIRONMENT = [
  'PATH',
  'SystemRoot',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LANG',
  'LC_ALL',
  'TZ',
  'NODE_COMPILE_CACHE',
] as const

export function startReader(command: ProgramCommand, limits: ReaderLimits): ReaderProcess {
  const heapMb = Math.floor(limits.memoryBytes / 2 ** 20)
  const child = startProgram(command, {
    nodeArgs: [`--max-old-space-size=${heapMb}`],
    words: [String(limits.memoryBytes)],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    environment: environment(),
  })
  let alive = true
  let complaint = ''
  let silentMs = 0
  let started = false
  let overtime = false
  const waiting: ReaderMessage[] = []
  let wake: (() => void) | null = null
  const awaken = (): void => {
    wake?.()
    wake = null
  }
  child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARS)))
  child.on('message', (message) => {
    silentMs = 0
    started = true
    const found = message as ReaderMessage // our own program
    if (found.type === 'ready' || found.type === 'alive') return
    waiting.push(found)
    awaken()
  })
  // Counted in steps of this process, so that one that was held up, or a machine that slept, blames nobody.
  const clock = setInterval(() => {
    silentMs += TICK_MS
    if (silentMs <= (started ? limits.silentMs : START_MS)) return
    overtime = true
    child.kill('SIGKILL')
  }, TICK_MS)
  const gone = new Promise<void>((resolve) => {
    const end = (): void => {
      alive = false
      clearInterval(clock)
      awaken()
      resolve()
    }
    child.once('error', end)
    child.once('close', end)
  })
  // Nothing of it keeps the app's process: whoever waits for a piece does.
  const hold = (held: boolean): void => {
    for (const one of [child, child.channel, child.stderr as { ref?(): void; unref?(): void } | null, clock])
      if (held) one?.ref?.()
      else one?.unref?.()
  }
  hold(false)
  const order = (message: ReaderOrder): void => {
    if (child.connected) child.send(message, () => undefined) // it is gone: `close` tells
  }

  async function* run(
    name: ReaderJobName,
    input: unknown,
    { subject, signal }: { readonly subject: string; readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<unknown, unknown> {
    signal?.throwIfAborted()
    const stop = (): void => void child.kill('SIGKILL')
    signal?.addEventListener('abort', stop)
    let ended = false
    hold(true)
    silentMs = 0
    try {
      order({ type: 'job', name, input })
      for (;;) {
        while (waiting.length === 0 && alive) await new Promise<void>((resolve) => (wake = resolve))
        signal?.throwIfAborted()
        const message = waiting.shift()
        if (message === undefined) throw deathError(subject, { limits, overtime, complaint })
        if (message.type === 'piece') {
          yield message.piece
          order({ type: 'more' })
          continue
        }
        ended = true
        if (message.type === 'failed') throw fromWire(message.error)
        if (message.type === 'done') return message.result
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      hold(false)
      if (!ended) stop()
    }
  }

  return {
    run,
    pid: child.pid ?? null,
    get alive() {
      return alive
    },
    kill() {
      hold(true) // whoever waits for its end would otherwise not be waited for
      child.kill('SIGKILL')
    },
    gone,
  }
}

function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    ENVIRONMENT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}

function deathError(
  subject: string,
  {
    limits,
    overtime,
    complaint,
  }: { readonly limits: ReaderLimits; readonly overtime: boolean; readonly complaint: string },
): AppError {
  const output = { details: { output: complaint } }
  if (overtime) {
    return new AppError({
      code: 'input-invalid',
      message: `Reading ${subject} was ended: something in it kept the reader busy for more than ${Math.round(limits.silentMs / 1000)} seconds.`,
      hint: 'Check where the file is from. If it is what it should be, divide it, or take out what is unusually long in it.',
      ...output,
    })
  }
  if (complaint.includes(OVER_MEMORY) || /heap out of memory|heap limit/i.test(complaint)) {
    return new AppError({
      code: 'out-of-memory',
      message: `Reading ${subject} was ended: it took more than ${formatBytes(limits.memoryBytes)} of memory.`,
      hint: 'Check where the file is from. If it is what it should be, divide it into smaller ones.',
      ...output,
    })
  }
  return new AppError({
    code: 'input-invalid',
    message: `Reading ${subject} failed: the process that reads it ended.`,
    hint: 'Try again. If it happens again, the file is damaged in a way that is not known yet: check where it is from.',
    ...output,
  })
}
