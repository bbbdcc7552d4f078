import type { Outcome, Strength } from '../../../shared/data-kinds.ts'
import type { JournalEvent } from './labels-journal.ts'
import type { WritableDb } from './open.ts'

/** What an event is before it has a number. */
export type NewEvent = Omit<JournalEvent, 'labelId' | 'pairId'> & { readonly labelId?: number }

type Bind = string | number | null

/** Statements of one connection, prepared once: an import runs them a million times. */
function prepare(db: WritableDb) {
  return {
    insert: db.prepare<
      Bind[]
    >(`INSERT INTO label_events (label_id, dataset_id, annotator_id, kind, pair_idx, outcome, strength, comment, shown_order, duration_ms, target_id, client_key, created_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    putAnswer: db.prepare<
      Bind[]
    >(`INSERT INTO answers (dataset_id, pair_idx, annotator_id, label_id, outcome, strength) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (dataset_id, pair_idx, annotator_id) DO UPDATE SET label_id = excluded.label_id, outcome = excluded.outcome, strength = excluded.strength`),
    dropAnswer: db.prepare<Bind[]>('DELETE FROM answers WHERE dataset_id = ? AND pair_idx = ? AND annotator_id = ?'),
    endRedo: db.prepare<Bind[]>(
      'UPDATE undone_answers SET redoable = 0 WHERE dataset_id = ? AND annotator_id = ? AND redoable = 1',
    ),
    markUndone: db.prepare<Bind[]>(
      'INSERT INTO undone_answers (label_id, dataset_id, annotator_id, undo_id, redoable) VALUES (?, ?, ?, ?, 1)',
    ),
    unmarkUndone: db.prepare<Bind[]>('DELETE FROM undone_answers WHERE label_id = ?'),
    latest: db.prepare<
      [string, number, string],
      { label_id: number; outcome: Outcome; strength: Strength | null }
    >(`SELECT e.label_id, e.outcome, e.strength FROM label_events e
      WHERE e.dataset_id = ? AND e.pair_idx = ? AND e.annotator_id = ? AND e.kind = 'answer' AND NOT EXISTS (SELECT 1 FROM undone_answers u WHERE u.label_id = e.label_id)
      ORDER BY e.label_id DESC LIMIT 1`),
    flag: db.prepare<Bind[]>('INSERT OR IGNORE INTO flags (dataset_id, annotator_id, pair_idx) VALUES (?, ?, ?)'),
    unflag: db.prepare<Bind[]>('DELETE FROM flags WHERE dataset_id = ? AND annotator_id = ? AND pair_idx = ?'),
  }
}

const prepared = new WeakMap<WritableDb, ReturnType<typeof prepare>>()

function statements(db: WritableDb): ReturnType<typeof prepare> {
  const known = prepared.get(db)
  if (known !== undefined) return known
  const made = prepare(db)
  prepared.set(db, made)
  return made
}

/**
 * Adds one event and folds it into what is in force; the same way for a key press, an import and a rebuild. Runs
 * inside the caller's transaction.
 * @returns the event's number
 */
export function addEvent(db: WritableDb, datasetId: string, event: NewEvent): number {
  const { insert } = statements(db)
  const result = insert.run(
    event.labelId ?? null,
    datasetId,
    event.annotatorId,
    event.kind,
    event.pairIndex,
    event.outcome,
    event.strength,
    event.comment,
    event.shownOrder,
    event.durationMs,
    event.targetId,
    event.clientKey,
    event.createdAtMs,
  )
  const labelId = Number(result.lastInsertRowid)
  fold(db, datasetId, event, labelId)
  return labelId
}

function fold(db: WritableDb, datasetId: string, event: NewEvent, labelId: number): void {
  const { putAnswer, endRedo, markUndone, unmarkUndone, flag, unflag } = statements(db)
  switch (event.kind) {
    case 'answer':
      putAnswer.run(datasetId, event.pairIndex, event.annotatorId, labelId, event.outcome, event.strength)
      endRedo.run(datasetId, event.annotatorId)
      break
    case 'undo':
      markUndone.run(event.targetId, datasetId, event.annotatorId, labelId)
      refreshAnswer(db, datasetId, event.pairIndex, event.annotatorId)
      break
    case 'redo':
      unmarkUndone.run(event.targetId)
      refreshAnswer(db, datasetId, event.pairIndex, event.annotatorId)
      break
    case 'flag':
      flag.run(datasetId, event.annotatorId, event.pairIndex)
      break
    case 'unflag':
      unflag.run(datasetId, event.annotatorId, event.pairIndex)
      break
  }
}

/** The latest answer that was not undone is in force: undoing a correction brings the first answer back. */
function refreshAnswer(db: WritableDb, datasetId: string, pairIndex: number, annotatorId: string): void {
  const { latest, putAnswer, dropAnswer } = statements(db)
  const row = latest.get(datasetId, pairIndex, annotatorId)
  if (row === undefined) dropAnswer.run(datasetId, pairIndex, annotatorId)
  else putAnswer.run(datasetId, pairIndex, annotatorId, row.label_id, row.outcome, row.strength)
}
