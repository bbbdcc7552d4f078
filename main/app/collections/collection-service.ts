import { totalmem } from 'node:os'
import { AppError } from '../../../shared/errors.ts'
import type { CollectionAnswer, CollectionAsk, CollectionQuestion } from '../../base/processes/collection-protocol.ts'
import type { ProgramCommand } from '../../base/processes/program.ts'
import type { EventBus } from '../events.ts'
import { startCollection, type CollectionProcess } from './collection-process.ts'

/** Of a data set of judged lists, whose collection may be larger than the app's process should read. */
export interface CollectionPlace {
  readonly datasetId: string
  readonly fingerprint: string
  readonly records: string
  /** Bytes that hold queries. */
  readonly queriesEnd: number
}

/** Collections, each in a process of its own that keeps what it has read. */
export interface CollectionService {
  ask<N extends CollectionQuestion>(
    place: CollectionPlace,
    name: N,
    question: CollectionAsk<N>,
  ): Promise<CollectionAnswer<N>>
  /** Ends what is being read of a data set: its questions are answered with `cancelled`. */
  cancel(datasetId: string): Promise<void>
  close(): Promise<void>
}

interface Kept {
  readonly place: CollectionPlace
  readonly process: CollectionProcess
  timer: NodeJS.Timeout | null
}

/** Read anew after that: an index of words takes memory that training may need. */
const IDLE_MS = 5 * 60_000
/** A person looks at one data set, and sometimes at another beside it. */
const MOST_KEPT = 2
const MOST_MEMORY_BYTES = 8 * 2 ** 30
const LEAST_MEMORY_BYTES = 2 ** 30

export function createCollectionService({
  command,
  events,
}: {
  readonly command: ProgramCommand
  readonly events: EventBus
}): CollectionService {
  const kept = new Map<string, Kept>()
  const memoryBytes = Math.max(LEAST_MEMORY_BYTES, Math.min(MOST_MEMORY_BYTES, Math.floor(totalmem() / 2)))

  function open(place: CollectionPlace): Kept {
    const { datasetId } = place
    const known = kept.get(datasetId)
    if (known?.place.fingerprint === place.fingerprint) {
      kept.delete(datasetId)
      kept.set(datasetId, known) // the last one used stands last
      return known
    }
    if (known !== undefined) void letGo(known, replaced())
    const process = startCollection(
      command,
      { records: place.records, queriesEnd: place.queriesEnd, memoryBytes },
      (progress) => events.emit('rankings.progress', { datasetId, ...progress }),
    )
    const made: Kept = { place, process, timer: null }
    kept.set(datasetId, made)
    void process.gone.then(() => {
      if (kept.get(datasetId) === made) kept.delete(datasetId)
    })
    for (const old of [...kept.values()].slice(0, -MOST_KEPT))
      if (old.process.waiting === 0) void letGo(old, replaced())
    return made
  }

  async function letGo(one: Kept, reason: AppError): Promise<void> {
    if (one.timer !== null) clearTimeout(one.timer)
    if (kept.get(one.place.datasetId) === one) kept.delete(one.place.datasetId)
    await one.process.end(reason)
  }

  return {
    async ask(place, name, question) {
      const one = open(place)
      if (one.timer !== null) clearTimeout(one.timer)
      try {
        return await one.process.ask(name, question)
      } finally {
        if (one.process.waiting === 0 && kept.get(place.datasetId) === one) {
          if (one.timer !== null) clearTimeout(one.timer)
          one.timer = setTimeout(() => void letGo(one, replaced()), IDLE_MS).unref()
        }
      }
    },
    async cancel(datasetId) {
      const one = kept.get(datasetId)
      if (one === undefined) return
      await letGo(
        one,
        new AppError({
          code: 'cancelled',
          message: 'Reading the collection was cancelled.',
          hint: 'Ask again to begin anew.',
        }),
      )
    },
    async close() {
      await Promise.all([...kept.values()].map((one) => letGo(one, replaced())))
    },
  }
}

function replaced(): AppError {
  return new AppError({
    code: 'cancelled',
    message: 'The collection was let go.',
    hint: 'Ask again; it is read anew.',
  })
}
