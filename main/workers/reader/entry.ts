// The process in which files of strangers are opened and parsed: whatever they do to it, the app goes on. It reads, and
// answers over the channel to the app; it never writes.
import { toWire } from '../../../shared/errors.ts'
import { systemError } from '../../base/files/system-error.ts'
import { readerJobs } from './jobs.ts'
import {
  ALIVE_INTERVAL_MS,
  PIECES_AHEAD,
  type ReaderMessage,
  type ReaderOrder,
} from '../../core/formats/reader-protocol.ts'
import { watchSelf } from './watch.ts'

const limitBytes = Number(process.argv[2])
if (process.send === undefined || !(limitBytes > 0)) {
  console.error('usage: entry <most bytes of memory>, with a channel to the app')
  process.exit(2)
}

let room = PIECES_AHEAD
let wake: (() => void) | null = null

function tell(message: ReaderMessage): void {
  process.send!(message, (error: Error | null) => {
    if (error !== null) process.exit(1) // the app is gone
  })
}

async function emit(piece: unknown): Promise<void> {
  tell({ type: 'piece', piece })
  room -= 1
  while (room <= 0) await new Promise<void>((resolve) => (wake = resolve))
}

async function work(order: Extract<ReaderOrder, { type: 'job' }>): Promise<void> {
  room = PIECES_AHEAD
  try {
    const job = readerJobs[order.name] as (input: unknown, emit: (piece: unknown) => Promise<void>) => Promise<unknown> // the app's side is typed by the same table
    tell({ type: 'done', result: await job(order.input, emit) })
  } catch (error) {
    tell({ type: 'failed', error: toWire(systemError(error)) })
  }
}

process.on('message', (order: ReaderOrder) => {
  if (order.type === 'job') return void work(order)
  room += 1
  wake?.()
  wake = null
})
process.on('disconnect', () => process.exit(0))
watchSelf(limitBytes)
setInterval(() => tell({ type: 'alive' }), ALIVE_INTERVAL_MS)
tell({ type: 'ready' })
