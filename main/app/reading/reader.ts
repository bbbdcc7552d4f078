import { totalmem } from 'node:os'
import type { ProgramCommand } from '../../base/processes/program.ts'
import type { ReaderJobName, ReaderJobs } from '../../core/formats/reader-protocol.ts'
import { startReader, type ReaderLimits, type ReaderProcess } from './reader-process.ts'

/** Files of strangers, read in a process of its own. Every call may end in `out-of-memory`, or `input-invalid` where a file kept the reader too long. */
export interface Reader {
  /** A job that delivers nothing on the way. */
  ask<N extends ReaderJobName>(
    name: N,
    input: ReaderJobs[N]['input'],
    options?: AskOptions<N>,
  ): Promise<ReaderJobs[N]['result']>
  /** The pieces of a job, no more than a few ahead of whoever takes them. */
  stream<N extends ReaderJobName>(
    name: N,
    input: ReaderJobs[N]['input'],
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<ReaderJobs[N]['piece'], ReaderJobs[N]['result']>
  /** Ends whatever is being read. */
  close(): Promise<void>
}

export interface AskOptions<N extends ReaderJobName> {
  readonly signal?: AbortSignal | undefined
  onPiece?(piece: ReaderJobs[N]['piece']): void
}

const MOST_MEMORY_BYTES = 4 * 2 ** 30
const LEAST_MEMORY_BYTES = 2 ** 30
/** Nothing that is read here takes a second of computing at a stretch. */
const SILENT_MS = 8000
/** A reader that has nothing to do is kept for the next question: the Import page asks at every change. */
const IDLE_MS = 15_000

export function defaultLimits(): ReaderLimits {
  return {
    memoryBytes: Math.max(LEAST_MEMORY_BYTES, Math.min(MOST_MEMORY_BYTES, Math.floor(totalmem() / 2))),
    silentMs: SILENT_MS,
  }
}

/** One process a job, as many as are asked for at once; the last one waits a while for the next. */
export function createReader(command: ProgramCommand, limits: ReaderLimits = defaultLimits()): Reader {
  const running = new Set<ReaderProcess>()
  let idle: { readonly process: ReaderProcess; readonly timer: NodeJS.Timeout } | null = null

  function take(): ReaderProcess {
    const kept = idle
    idle = null
    if (kept !== null) clearTimeout(kept.timer)
    if (kept?.process.alive === true) return kept.process
    const made = startReader(command, limits)
    running.add(made)
    void made.gone.then(() => running.delete(made))
    return made
  }

  function giveBack(process: ReaderProcess): void {
    if (!process.alive) return
    if (idle !== null) return process.kill()
    const timer = setTimeout(() => {
      if (idle?.process === process) idle = null
      process.kill()
    }, IDLE_MS).unref()
    idle = { process, timer }
  }

  async function* stream<N extends ReaderJobName>(
    name: N,
    input: ReaderJobs[N]['input'],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<ReaderJobs[N]['piece'], ReaderJobs[N]['result']> {
    const process = take()
    let whole = false
    try {
      const subject = 'path' in input ? input.path : input.folder
      const result = yield* process.run(name, input, { subject, signal }) as AsyncGenerator<
        ReaderJobs[N]['piece'],
        ReaderJobs[N]['result']
      > // as the table says
      whole = true
      return result
    } finally {
      if (whole) giveBack(process)
      else process.kill()
    }
  }

  return {
    stream,
    async ask(name, input, { signal, onPiece } = {}) {
      const pieces = stream(name, input, { signal })
      for (;;) {
        const next = await pieces.next()
        if (next.done === true) return next.value
        onPiece?.(next.value)
      }
    },
    async close() {
      const ending = [...running]
      for (const process of ending) process.kill()
      await Promise.all(ending.map((process) => process.gone))
    },
  }
}
