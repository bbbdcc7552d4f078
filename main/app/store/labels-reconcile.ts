import { existsSync, statSync } from 'node:fs'
import type { AnnotatorId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { moveDurably } from '../../base/files/durable.ts'
import { listPeople, nameKey, restorePeople } from './annotators.ts'
import { readAnnotatorsFile, writeAnnotatorsFile } from './annotators-file.ts'
import { listDatasets } from './datasets.ts'
import { journalPath } from './datasets-folder.ts'
import { addEvent, type NewEvent } from './labels-fold.ts'
import { dropLabelIndex } from './labels-index.ts'
import {
  appendToJournal,
  cutAndReadLast,
  forgetJournal,
  iterateEvents,
  readJournal,
  tryAppendToJournal,
  type JournalEvent,
} from './labels-journal.ts'
import { inTransaction, isMisfit, type ReadableDb, type WritableDb } from './open.ts'

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
 * agree. Returns the data sets where something had to be done. A journal that cannot be read or written is a problem
 * of its data set alone.
 */
export function reconcileJournals(db: WritableDb, dataFolder: string): Reconciled[] {
  const done: Reconciled[] = []
  for (const { datasetId } of listDatasets(db)) {
    try {
      const found = reconcile(db, dataFolder, datasetId)
      if (found !== null) done.push(found)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      done.push({
        datasetId,
        replayed: 0,
        caughtUp: false,
        problems: [
          error instanceof AppError
            ? error.message
            : `${journalPath(dataFolder, datasetId)} cannot be read (${error.message})`,
        ],
      })
      tryAppendToJournal(db, dataFolder, datasetId) // notes the trouble, which every label of the data set then says
    }
  }
  return done
}

function reconcile(db: WritableDb, dataFolder: string, datasetId: string): Reconciled | null {
  const inDatabase = lastEventId(db, datasetId)
  const inJournal = cutAndReadLast(journalPath(dataFolder, datasetId))
  if (inDatabase === inJournal) return null
  if (inDatabase > inJournal) {
    appendToJournal(db, dataFolder, datasetId)
    return { datasetId, replayed: 0, problems: [], caughtUp: true }
  }
  const { replayed, problems } = replayJournal(db, dataFolder, datasetId)
  // A last line that is no event of ours would hide every later one from the journal.
  if (lastEventId(db, datasetId) !== inJournal) problems.push(...mendJournal(db, dataFolder, datasetId, Date.now()))
  return { datasetId, replayed, problems, caughtUp: false }
}

/** One look into the index for each annotator, however many events there are. */
function lastEventId(db: ReadableDb, datasetId: string): number {
  return (
    db
      .prepare<
        [string],
        number | null
      >(`SELECT max((SELECT max(e.label_id) FROM label_events e INDEXED BY label_events_by_annotator
    WHERE e.dataset_id = ? AND e.annotator_id = a.annotator_id)) FROM annotators a`)
      .pluck()
      .get(datasetId) ?? 0
  )
}

type Replay = { readonly replayed: number; readonly problems: string[] }

/**
 * Adds the journal's events that the database does not have, in their order and under their numbers.
 * A number that stands for something else in the database is left alone and reported.
 * @param extra events from elsewhere, for what the journal does not have
 */
export function replayJournal(
  db: WritableDb,
  dataFolder: string,
  datasetId: string,
  extra: readonly JournalEvent[] = [],
): Replay {
  const { events, problems } = gatherEvents(db, dataFolder, datasetId, extra)
  restoreAnnotators(db, dataFolder, events)
  const existing = db.prepare<[number], { dataset_id: string; kind: string; pair_idx: number; annotator_id: string }>(
    'SELECT dataset_id, kind, pair_idx, annotator_id FROM label_events WHERE label_id = ?',
  )
  const known = knownPair(db, datasetId)
  let replayed = 0
  inTransaction(db, () => {
    for (const event of events) {
      const same = existing.get(event.labelId)
      if (same !== undefined) {
        const agrees =
          same.dataset_id === datasetId &&
          same.kind === event.kind &&
          same.pair_idx === event.pairIndex &&
          same.annotator_id === event.annotatorId
        if (!agrees)
          problems.push(`label event ${event.labelId} of the journal stands for another event in the database`)
      } else if (!known(event)) {
        problems.push(`label event ${event.labelId} is about pair "${event.pairId}", which the records do not have`)
      } else if (addOrReport(db, datasetId, event, problems) !== null) {
        replayed += 1
      }
    }
  })
  dropLabelIndex(db, datasetId)
  return { replayed, problems }
}

/**
 * The same for a data set that this database never had: a folder that was copied here may carry numbers that stand for
 * events of others by now. All its events then get new numbers, in the same order.
 */
export function replayForeignJournal(db: WritableDb, dataFolder: string, datasetId: string): Replay {
  const taken = db.prepare<[number], number>('SELECT 1 FROM label_events WHERE label_id = ?').pluck()
  const { events, problems } = gatherEvents(db, dataFolder, datasetId, [])
  if (!events.some((event) => taken.get(event.labelId) !== undefined)) return replayJournal(db, dataFolder, datasetId)
  restoreAnnotators(db, dataFolder, events)
  const known = knownPair(db, datasetId)
  const numbers = new Map<number, number>()
  inTransaction(db, () => {
    for (const { labelId, ...event } of events) {
      if (!known(event)) {
        problems.push(`label event ${labelId} is about pair "${event.pairId}", which the records do not have`)
        continue
      }
      const targetId = event.targetId === null ? null : (numbers.get(event.targetId) ?? null)
      const added = addOrReport(db, datasetId, { ...event, targetId }, problems)
      if (added !== null) numbers.set(labelId, added)
    }
  })
  dropLabelIndex(db, datasetId)
  return { replayed: numbers.size, problems }
}

/** In the order of their numbers. Where two sources differ on a number, the one whose pair the records have counts. */
function gatherEvents(
  db: ReadableDb,
  dataFolder: string,
  datasetId: string,
  extra: readonly JournalEvent[],
): { readonly events: JournalEvent[]; readonly problems: string[] } {
  const problems: string[] = []
  const file = journalPath(dataFolder, datasetId)
  const known = knownPair(db, datasetId)
  const byNumber = new Map(extra.map((event) => [event.labelId, event]))
  try {
    for (const event of readJournal(dataFolder, datasetId, (line, reason) =>
      problems.push(`${file} line ${line}: ${reason}`),
    )) {
      if (!byNumber.has(event.labelId) || known(event)) byNumber.set(event.labelId, event)
    }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    problems.push(`${file} cannot be read (${error.message})`)
  }
  return { events: [...byNumber.values()].sort((x, y) => x.labelId - y.labelId), problems }
}

function knownPair(db: ReadableDb, datasetId: string): (event: Pick<JournalEvent, 'pairIndex' | 'pairId'>) => boolean {
  const find = db.prepare<[string, number, string]>(
    'SELECT 1 FROM pairs WHERE dataset_id = ? AND idx = ? AND pair_id = ?',
  )
  return (event) => find.get(datasetId, event.pairIndex, event.pairId) !== undefined
}

/** One garbled event must not cost the others. @returns its number, null when it does not fit the others */
function addOrReport(db: WritableDb, datasetId: string, event: NewEvent, problems: string[]): number | null {
  try {
    return inTransaction(db, () => addEvent(db, datasetId, event))
  } catch (error) {
    if (!isMisfit(error)) throw error
    problems.push(
      `a label event of ${event.annotatorId} on pair ${event.pairIndex + 1} does not fit the others (${error.message})`,
    )
    return null
  }
}

/** Names of the events come from annotators.json. One that is not there is a person's where the events have keys, else came with the file. */
function restoreAnnotators(db: WritableDb, dataFolder: string, events: readonly JournalEvent[]): void {
  const present = new Set(listPeople(db).map((person) => person.annotatorId as string)) // to compare with plain text
  const missing = new Map<string, JournalEvent>()
  for (const event of events) {
    const before = missing.get(event.annotatorId)
    if (!present.has(event.annotatorId) && (before === undefined || before.clientKey === null))
      missing.set(event.annotatorId, event)
  }
  if (missing.size === 0) return
  const saved = readAnnotatorsFile(dataFolder).annotators.filter((person) => missing.has(person.annotatorId))
  restorePeople(db, saved)
  restorePeople(
    db,
    [...missing.values()]
      .filter((event) => !saved.some((person) => person.annotatorId === event.annotatorId))
      .map((event) => ({
        annotatorId: event.annotatorId as AnnotatorId, // as the event names it
        name: event.annotatorId,
        nameKey: nameKey(event.annotatorId),
        imported: event.clientKey === null,
        datasetId: null,
        createdAtMs: event.createdAtMs,
      })),
  )
  writeAnnotatorsFile(db, dataFolder)
}

/** A journal with gaps or damaged lines is written anew from the database; the old one is kept beside it. @returns what was done */
export function mendJournal(db: WritableDb, dataFolder: string, datasetId: string, nowMs: number): string[] {
  const file = journalPath(dataFolder, datasetId)
  const differences = isFile(file) ? compareWithJournal(db, dataFolder, datasetId) : ['there is none']
  if (differences.length === 0 || (!existsSync(file) && lastEventId(db, datasetId) === 0)) return []
  const aside = `${file}.before-${nowMs}`
  const isThere = existsSync(file)
  if (isThere) moveDurably(file, aside)
  forgetJournal(db, datasetId)
  appendToJournal(db, dataFolder, datasetId)
  return isThere
    ? [
        `the journal was written anew (${differences.length} differences, first: ${differences[0] ?? ''}); the old one is ${aside}`,
      ]
    : []
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true
}

/** Compares every event of a data set with its journal. Empty: they are the same. For checks; reads everything. */
export function compareWithJournal(db: ReadableDb, dataFolder: string, datasetId: string): string[] {
  const problems: string[] = []
  const journal = new Map<number, string>()
  for (const event of readJournal(dataFolder, datasetId, (line, reason) =>
    problems.push(`journal line ${line}: ${reason}`),
  )) {
    if (journal.has(event.labelId)) problems.push(`label event ${event.labelId} stands in the journal twice`)
    journal.set(event.labelId, JSON.stringify(event))
  }
  for (const event of iterateEvents(db, datasetId)) {
    const written = journal.get(event.labelId)
    journal.delete(event.labelId)
    if (written === undefined) problems.push(`label event ${event.labelId} is missing from the journal`)
    else if (written !== JSON.stringify(event))
      problems.push(`label event ${event.labelId} differs between journal and database`)
  }
  for (const labelId of journal.keys()) problems.push(`label event ${labelId} is missing from the database`)
  return problems
}
