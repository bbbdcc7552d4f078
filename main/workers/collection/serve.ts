// `entry.ts collection <json>`: keeps the collection of one data set and answers questions about it for as long as standard
// input is open. See collection-protocol.ts. It opens no database and writes no file.
import { createInterface } from 'node:readline'
import { toWire } from '../../../shared/errors.ts'
import {
  collectionCommand,
  collectionQuestions,
  collectionStart,
  type CollectionMessage,
} from '../../base/processes/collection-protocol.ts'
import { watchSelf } from '../reader/watch.ts'
import { createCollection } from './collection.ts'

const TELL_INTERVAL_MS = 250

export async function serveCollection(text: string): Promise<number> {
  const start = collectionStart.parse(JSON.parse(text))
  watchSelf(start.memoryBytes)
  let told = { doing: '', ms: 0 }
  const collection = createCollection(start, (progress) => {
    const ms = performance.now()
    if (told.doing === progress.doing && ms - told.ms < TELL_INTERVAL_MS && progress.done < progress.total) return
    told = { doing: progress.doing, ms }
    tell({ type: 'progress', ...progress })
  })
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const { id, name, question } = collectionCommand.parse(JSON.parse(line))
    const ask = collection[name] as (asked: unknown) => Promise<unknown> // parsed by this very name's schema
    // Not one after the other: a document can be looked at while words are counted.
    Promise.resolve()
      .then(() => ask(collectionQuestions[name].question.parse(question)))
      .then(
        (answer) => tell({ type: 'answer', id, answer }),
        (error: unknown) => tell({ type: 'failed', id, error: toWire(error) }),
      )
  }
  return 0
}

function tell(message: CollectionMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
