import { ensureImportedAnnotator, insertAnnotator, listAnnotators } from './annotators.ts'
import { readAnnotatorsFile, writeAnnotatorsFile } from './annotators-file.ts'
import { listDatasets } from './datasets.ts'
import { journalPath } from './datasets-folder.ts'
import { addEvent } from './labels-fold.ts'
import { dropLabelIndex } from './labels-index.ts'
import { appendToJournal, cutAndReadLast, iterateEvents, readJournal, type JournalEvent } from './labels-journal.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'

export interface Reconciled {
  readonly datasetId: string
  /** Events that the journal had and the database did not, as after an older database was put back. */
  readonly replayed: number
  /** Whether the journal lacked events, as after a crash between the two. */
  readonly caughtUp: boolean
  /** What could not be brought together, in words. */
  readonly problems: readonly string[]
}

/**
 * Brings the database and the journals to the same events; looks only at their ends, so it costs nothing when they
 * agree. Returns the data sets where something had to be done.
 */
export function reconcileJournals(db: WritableDb, dataFolder: string): Reconciled[] {
  const done: Reconciled[] = []
  for (const { datasetId } of listDatasets(db)) {
    const inDatabase = lastEventId(db, datasetId)
    const inJournal = cutAndReadLast(journalPath(dataFolder, datasetId))
    if (inDatabase === inJournal) continue
    const replay = inJournal > inDatabase ? replayJournal(db, dataFolder, datasetId) : { replayed: 0, problems: [] }
    if (inDatabase > inJournal) appendToJournal(db, dataFolder, datasetId)
    done.push({ datasetId, ...replay, caughtUp: inDatabase > inJournal })
  }
  return done
}

/** One look into the index for each annotator, however many events there are. */
function lastEventId(db: ReadableDb, datasetId: string): number {
  return db.prepare<[string], number | null>(`SELECT max((SELECT max(e.label_id) FROM label_events e INDEXED BY label_events_by_annotator
    WHERE e.dataset_id = ? AND e.annotator_id = a.annotator_id)) FROM annotators a`).pluck().get(datasetId) ?? 0
}

/**
 * Adds the journal's events that the database does not have, in their order and under their numbers.
 * A number that stands for something else in the database is left alone and reported.
 */
export function replayJournal(db: WritableDb, dataFolder: string, datasetId: string, extra: readonly JournalEvent[] = []): { replayed: number; problems: string[] } {
  const problems: string[] = []
  const events = [...readJournal(dataFolder, datasetId, (line, reason) => problems.push(`${journalPath(dataFolder, datasetId)} line ${line}: ${reason}`))]
  const ordered = [...new Map([...extra, ...events].map((event) => [event.labelId, event])).values()].sort((x, y) => x.labelId - y.labelId)
  let replayed = 0
  restoreAnnotators(db, dataFolder, ordered)
  const existing = db.prepare<[number], { dataset_id: string; kind: string; pair_idx: number; annotator_id: string }>('SELECT dataset_id, kind, pair_idx, annotator_id FROM label_events WHERE label_id = ?')
  const known = db.prepare<[string, number, string]>('SELECT 1 FROM pairs WHERE dataset_id = ? AND idx = ? AND pair_id = ?')
  inTransaction(db, () => {
    for (const event of ordered) {
      const same = existing.get(event.labelId)
      if (same !== undefined) {
        const agrees = same.dataset_id === datasetId && same.kind === event.kind && same.pair_idx === event.pairIndex && same.annotator_id === event.annotatorId
        if (!agrees) problems.push(`label event ${event.labelId} of the journal stands for another event in the database`)
      } else if (known.get(datasetId, event.pairIndex, event.pairId) === undefined) {
        problems.push(`label event ${event.labelId} is about pair "${event.pairId}", which the records do not have`)
      } else {
        addEvent(db, datasetId, event)
        replayed += 1
      }
    }
  })
  dropLabelIndex(db, datasetId)
  return { replayed, problems }
}

/** Names of the events come from annotators.json; one that is not there is taken for a name that came with a file. */
function restoreAnnotators(db: WritableDb, dataFolder: string, events: readonly JournalEvent[]): void {
  const present = new Set(listAnnotators(db).map((annotator) => annotator.annotatorId as string)) // to compare with plain text
  const wanted = new Set(events.map((event) => event.annotatorId))
  const saved = new Map(readAnnotatorsFile(dataFolder).annotators.map((annotator) => [annotator.annotatorId as string, annotator]))
  let changed = false
  for (const name of wanted) {
    if (present.has(name)) continue
    const entry = saved.get(name)
    if (entry !== undefined) insertAnnotator(db, entry)
    else ensureImportedAnnotator(db, name, events.find((event) => event.annotatorId === name)?.createdAtMs ?? 0)
    changed = true
  }
  if (changed) writeAnnotatorsFile(db, dataFolder)
}

/** Compares every event of a data set with its journal. Empty: they are the same. For checks; reads everything. */
export function compareWithJournal(db: ReadableDb, dataFolder: string, datasetId: string): string[] {
  const problems: string[] = []
  const journal = new Map<number, string>()
  for (const event of readJournal(dataFolder, datasetId, (line, reason) => problems.push(`journal line ${line}: ${reason}`))) {
    if (journal.has(event.labelId)) problems.push(`label event ${event.labelId} stands in the journal twice`)
    journal.set(event.labelId, JSON.stringify(event))
  }
  for (const event of iterateEvents(db, datasetId)) {
    const written = journal.get(event.labelId)
    journal.delete(event.labelId)
    if (written === undefined) problems.push(`label event ${event.labelId} is missing from the journal`)
    else if (written !== JSON.stringify(event)) problems.push(`label event ${event.labelId} differs between journal and database`)
  }
  for (const labelId of journal.keys()) problems.push(`label event ${labelId} is missing from the database`)
  return problems
}
