import type { ReaderJobName, ReaderJobs } from '../../main/core/formats/reader-protocol.ts'
import { readerJobs } from '../../main/workers/reader/jobs.ts'
import type { Reader } from '../../main/app/reading/reader.ts'

/** The reader's jobs in this process: for tests of what is read, which need no process to be started each time. */
export function readHere(): Reader {
  async function* stream<N extends ReaderJobName>(
    name: N,
    input: ReaderJobs[N]['input'],
  ): AsyncGenerator<ReaderJobs[N]['piece'], ReaderJobs[N]['result']> {
    let piece: { readonly value: ReaderJobs[N]['piece'] } | null = null
    let taken = Promise.withResolvers<void>()
    let given = Promise.withResolvers<void>()
    const ended = readerJobs[name](input, async (value) => {
      piece = { value }
      given.resolve()
      await taken.promise
    })
    ended.then(
      () => given.resolve(),
      () => given.resolve(),
    )
    try {
      for (;;) {
        await given.promise
        if (piece === null) return ended
        const { value } = piece as { readonly value: ReaderJobs[N]['piece'] }
        piece = null
        given = Promise.withResolvers()
        yield value
        taken.resolve()
        taken = Promise.withResolvers()
      }
    } finally {
      taken.promise.catch(() => undefined)
      taken.reject(new Error('nobody reads on')) // ends the job, which closes its file
    }
  }
  return {
    stream,
    async ask(name, input) {
      const pieces = stream(name, input)
      for (;;) {
        const next = await pieces.next()
        if (next.done === true) return next.value
      }
    },
    close: () => Promise.resolve(),
  }
}
