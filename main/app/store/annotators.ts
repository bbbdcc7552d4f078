import type { Annotator } from '../../../shared/contract/labels.ts'
import type { AnnotatorId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { FILE_ANNOTATOR } from '../../core/formats/parsed-rows.ts'
import type { ReadableDb, WritableDb } from './open.ts'

/** A person or a word of a file, in full. The id is what files, flags and tables show. */
export interface Person extends Annotator {
  /** The name as it was given, in the form in which names are compared. */
  readonly nameKey: string
  /** The data set it came with; null for people of this machine, and where an older version did not write it down. */
  readonly datasetId: string | null
}

interface AnnotatorRow {
  readonly annotator_id: string
  readonly name: string
  readonly name_key: string
  readonly imported: number
  readonly dataset_id: string | null
  readonly created_at_ms: number
}

const COLUMNS = 'annotator_id, name, name_key, imported, dataset_id, created_at_ms'

/** As a name is shown: composed letters, single spaces, nothing that moves a cursor. */
function tidyName(name: string): string {
  return name
    .normalize('NFC')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}

/** As names are compared: case counts, how a letter is composed and what cannot be seen does not. */
export function nameKey(name: string): string {
  return tidyName(name.replace(/\p{Default_Ignorable_Code_Point}/gu, ''))
}

function toAnnotator(row: AnnotatorRow): Annotator {
  return {
    annotatorId: row.annotator_id as AnnotatorId,
    name: row.name,
    createdAtMs: row.created_at_ms,
    imported: row.imported === 1,
  } // an id by its column
}

export function listAnnotators(db: ReadableDb): Annotator[] {
  return db
    .prepare<[], AnnotatorRow>(`SELECT ${COLUMNS} FROM annotators ORDER BY imported, created_at_ms, annotator_id`)
    .all()
    .map(toAnnotator)
}

/** The same with what annotators.json keeps beside. */
export function listPeople(db: ReadableDb): Person[] {
  return db
    .prepare<[], AnnotatorRow>(`SELECT ${COLUMNS} FROM annotators ORDER BY imported, created_at_ms, annotator_id`)
    .all()
    .map((row) => ({ ...toAnnotator(row), nameKey: row.name_key, datasetId: row.dataset_id }))
}

/**
 * A person on this machine. The name is the id too, unless somebody who came with a file has it.
 * @throws AppError `label-conflict` when a person here has the name, `input-invalid` when nothing of it can be seen
 */
export function addAnnotator(db: WritableDb, given: string, createdAtMs: number): Annotator {
  const name = tidyName(given)
  const key = nameKey(given)
  if (key === '')
    throw new AppError({
      code: 'input-invalid',
      message: 'A name needs at least one letter that can be seen.',
      hint: 'Write another name.',
    })
  const taken = db
    .prepare<[string], AnnotatorRow>(`SELECT ${COLUMNS} FROM annotators WHERE name_key = ? AND imported = 0`)
    .get(key)
  if (taken !== undefined)
    throw new AppError({
      code: 'label-conflict',
      message: `There is an annotator "${taken.name}" already.`,
      hint: 'Choose that annotator, or another name.',
    })
  const annotatorId = freeId(db, name, 'this machine')
  insertPerson(db, { annotatorId, name, nameKey: key, imported: false, datasetId: null, createdAtMs })
  return { annotatorId, name, createdAtMs, imported: false }
}

/**
 * A name that came with a file: a person of that file, who is nobody on this machine and nobody of another file,
 * whatever their names are. Where the name is taken, the data set's stands behind it: "Bob (survey)".
 */
export function ensureImportedAnnotator(
  db: WritableDb,
  datasetId: string,
  given: string,
  createdAtMs: number,
): AnnotatorId {
  const key = nameKey(given) === '' ? 'unnamed' : nameKey(given)
  const known = db
    .prepare<[string, string], string>(
      'SELECT annotator_id FROM annotators WHERE dataset_id = ? AND name_key = ? AND imported = 1',
    )
    .pluck()
    .get(datasetId, key)
  if (known !== undefined) return known as AnnotatorId // an id by its column
  const isFile = key === FILE_ANNOTATOR
  if (isFile && findPerson(db, FILE_ANNOTATOR)?.imported === true) return FILE_ANNOTATOR as AnnotatorId // just found
  const datasetName =
    db.prepare<[string], string>('SELECT name FROM datasets WHERE dataset_id = ?').pluck().get(datasetId) ?? datasetId
  const annotatorId = freeId(db, nameKey(given) === '' ? key : tidyName(given), datasetName)
  insertPerson(db, {
    annotatorId,
    name: annotatorId,
    nameKey: key,
    imported: true,
    datasetId: annotatorId === FILE_ANNOTATOR ? null : datasetId,
    createdAtMs,
  })
  return annotatorId
}

/** The name, or the name with where it is from behind it; never one that looks like somebody else's. */
function freeId(db: ReadableDb, name: string, from: string): AnnotatorId {
  const taken = db.prepare<[string, string]>('SELECT 1 FROM annotators WHERE annotator_id = ? OR name_key = ?')
  for (let number = 0; ; number += 1) {
    const id = number === 0 ? name : number === 1 ? `${name} (${from})` : `${name} (${from} ${number})`
    if (taken.get(id, nameKey(id)) === undefined) return id as AnnotatorId // made here
  }
}

/**
 * What people are called beside the labels of one data set: those who came with it by the name in the file, as long as
 * nobody on this machine has it.
 */
export function shownNames(db: ReadableDb, datasetId: string): (annotatorId: string) => string {
  const names = db
    .prepare<
      [string],
      [string, string]
    >(`SELECT annotator_id, name_key FROM annotators p WHERE dataset_id = ? AND annotator_id <> name_key
    AND NOT EXISTS (SELECT 1 FROM annotators q WHERE q.imported = 0 AND (q.name_key = p.name_key OR q.annotator_id = p.name_key))`)
    .raw()
    .all(datasetId)
  const shown = new Map(names)
  return (annotatorId) => shown.get(annotatorId) ?? annotatorId
}

/**
 * Whether somebody is among those asked for, by id or as they are shown, compared as names are; nobody asked for: everybody is.
 * @param shown of the data set's `shownNames`
 */
export function isAmong(
  asked: readonly string[],
  shown: (annotatorId: string) => string,
): (annotatorId: string) => boolean {
  if (asked.length === 0) return () => true
  const keys = new Set(asked.map(nameKey))
  const known = new Map<string, boolean>() // few people give millions of answers
  return (annotatorId) => {
    const found = known.get(annotatorId) ?? (keys.has(nameKey(annotatorId)) || keys.has(nameKey(shown(annotatorId))))
    known.set(annotatorId, found)
    return found
  }
}

export function insertPerson(db: WritableDb, person: Person): void {
  db.prepare(`INSERT INTO annotators (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`).run(
    person.annotatorId,
    person.name,
    person.nameKey,
    person.imported ? 1 : 0,
    person.imported ? person.datasetId : null,
    person.createdAtMs,
  )
}

/** Puts people back under the ids that events name. One whose name now belongs to another keeps the id and is told apart by it. */
export function restorePeople(db: WritableDb, people: readonly Person[]): void {
  for (const person of people) {
    if (findPerson(db, person.annotatorId) !== null) continue
    const clash = person.imported
      ? db
          .prepare('SELECT 1 FROM annotators WHERE imported = 1 AND dataset_id = ? AND name_key = ?')
          .get(person.datasetId, person.nameKey)
      : db.prepare('SELECT 1 FROM annotators WHERE imported = 0 AND name_key = ?').get(person.nameKey)
    insertPerson(
      db,
      clash === undefined
        ? person
        : { ...person, name: person.annotatorId, nameKey: `${person.nameKey} ${person.annotatorId}` },
    )
  }
}

/** Takes the people away who came with a data set that is gone for good; their names are free again. */
export function forgetPeopleOf(db: WritableDb, datasetId: string): void {
  db.prepare(
    'DELETE FROM annotators WHERE dataset_id = ? AND NOT EXISTS (SELECT 1 FROM label_events e WHERE e.annotator_id = annotators.annotator_id)',
  ).run(datasetId)
}

/** @throws AppError `not-found`, or `forbidden` for one that came with a file and cannot be labeled as. */
export function requireLabeler(db: ReadableDb, annotatorId: string): void {
  const person = requireAnnotator(db, annotatorId)
  if (!person.imported) return
  throw new AppError({
    code: 'forbidden',
    message: `"${person.name}" came with a file; nobody can label in that name.`,
    hint: 'Choose or add your own annotator name.',
  })
}

function findPerson(db: ReadableDb, annotatorId: string): Annotator | null {
  const row = db
    .prepare<[string], AnnotatorRow>(`SELECT ${COLUMNS} FROM annotators WHERE annotator_id = ?`)
    .get(annotatorId)
  return row === undefined ? null : toAnnotator(row)
}

/** @throws AppError `not-found` */
export function requireAnnotator(db: ReadableDb, annotatorId: string): Annotator {
  const person = findPerson(db, annotatorId)
  if (person === null)
    throw new AppError({
      code: 'not-found',
      message: `There is no annotator "${annotatorId}".`,
      hint: 'Add the name first, or choose one that is there.',
    })
  return person
}
