import type { Annotator } from '../../shared/contract/labels.ts'
import type { AnnotatorId } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import type { ReadableDb, WritableDb } from './open.ts'

interface AnnotatorRow {
  readonly annotator_id: string
  readonly name: string
  readonly imported: number
  readonly created_at_ms: number
}

function toAnnotator(row: AnnotatorRow): Annotator {
  return { annotatorId: row.annotator_id as AnnotatorId, name: row.name, createdAtMs: row.created_at_ms, imported: row.imported === 1 } // an id by its column
}

export function listAnnotators(db: ReadableDb): Annotator[] {
  return db.prepare<[], AnnotatorRow>('SELECT * FROM annotators ORDER BY imported, created_at_ms, annotator_id').all().map(toAnnotator)
}

/**
 * A person on this machine. The name is the id too: it is what files, flags and tables show.
 * @throws AppError `label-conflict` when the name is taken.
 */
export function addAnnotator(db: WritableDb, name: string, createdAtMs: number): Annotator {
  const taken = db.prepare<[string], AnnotatorRow>('SELECT * FROM annotators WHERE name = ?').get(name)
  if (taken !== undefined) {
    throw new AppError({
      code: 'label-conflict',
      message: taken.imported === 1 ? `"${taken.name}" came with an imported file.` : `There is an annotator "${taken.name}" already.`,
      hint: taken.imported === 1 ? 'Choose another name, so that your labels can be told from the file’s.' : 'Choose that annotator, or another name.',
    })
  }
  insertAnnotator(db, { annotatorId: name, name, imported: false, createdAtMs })
  return { annotatorId: name as AnnotatorId, name, createdAtMs, imported: false } // inserted above
}

/** A name that came with a file. One that is there already, of either sort, is left as it is. */
export function ensureImportedAnnotator(db: WritableDb, name: string, createdAtMs: number): AnnotatorId {
  const taken = db.prepare<[string], AnnotatorRow>('SELECT * FROM annotators WHERE name = ?').get(name)
  if (taken !== undefined) return taken.annotator_id as AnnotatorId // an id by its column
  insertAnnotator(db, { annotatorId: name, name, imported: true, createdAtMs })
  return name as AnnotatorId // inserted above
}

export function insertAnnotator(db: WritableDb, annotator: { readonly annotatorId: string; readonly name: string; readonly imported: boolean; readonly createdAtMs: number }): void {
  db.prepare('INSERT INTO annotators (annotator_id, name, imported, created_at_ms) VALUES (?, ?, ?, ?)').run(annotator.annotatorId, annotator.name, annotator.imported ? 1 : 0, annotator.createdAtMs)
}

/** @throws AppError `not-found`, or `forbidden` for one that came with a file and cannot be labeled as. */
export function requireLabeler(db: ReadableDb, annotatorId: string): void {
  const row = requireAnnotator(db, annotatorId)
  if (!row.imported) return
  throw new AppError({ code: 'forbidden', message: `"${row.name}" came with a file; nobody can label in that name.`, hint: 'Choose or add your own annotator name.' })
}

/** @throws AppError `not-found` */
export function requireAnnotator(db: ReadableDb, annotatorId: string): Annotator {
  const row = db.prepare<[string], AnnotatorRow>('SELECT * FROM annotators WHERE annotator_id = ?').get(annotatorId)
  if (row === undefined) throw new AppError({ code: 'not-found', message: `There is no annotator "${annotatorId}".`, hint: 'Add the name first, or choose one that is there.' })
  return toAnnotator(row)
}
