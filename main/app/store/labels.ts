import { hash } from 'node:crypto'
import type { z } from 'zod'
import type { LabelProgress, shownOrder } from '../../../shared/contract/labels.ts'
import type { Outcome, Strength } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import type { ImportedLabel } from '../../core/formats/parsed-rows.ts'
import { ensureImportedAnnotator, listAnnotators, requireLabeler } from './annotators.ts'
import { writeAnnotatorsFile } from './annotators-file.ts'
import { requireDataset, type DatasetEntry } from './datasets.ts'
import { addEvent, type NewEvent } from './labels-fold.ts'
import { countLabels, dropLabelIndex, noteFlag, noteOutcome } from './labels-index.ts'
import { appendToJournal, journalTrouble, tryAppendToJournal } from './labels-journal.ts'
import {
  findByClientKey,
  findRedoable,
  findUndoable,
  isFlagged,
  readCurrent,
  readPaceMs,
  type AnswerRef,
  type KeyedEvent,
} from './labels-read.ts'
import { inTransaction, type ReadableDb, type WritableDb } from './open.ts'
import { findItemAt, requireItem } from './items.ts'

type ShownOrder = z.infer<typeof shownOrder>

/** Who labels what. */
export interface Labeler {
  readonly datasetId: string
  readonly annotatorId: string
}

export interface NewAnswer extends Labeler {
  readonly pairId: string
  readonly outcome: Outcome
  readonly strength: Strength | null
  readonly comment: string
  readonly shownOrder: ShownOrder
  readonly durationMs: number
  /** Chosen by the caller; the same key a second time adds nothing. */
  readonly clientKey: string
}

/** What a person does, under a key that the caller chose: the same key a second time adds nothing. */
export interface KeyedLabeler extends Labeler {
  readonly clientKey: string
}

/** A half-filled event: what most kinds leave empty. */
function blank(annotatorId: string, pairIndex: number, createdAtMs: number): Omit<NewEvent, 'kind'> {
  return {
    annotatorId,
    pairIndex,
    createdAtMs,
    outcome: null,
    strength: null,
    comment: '',
    shownOrder: null,
    durationMs: null,
    targetId: null,
    clientKey: null,
  }
}

/**
 * Adds an answer, over an earlier one where there is one: both stay in the log. Returns its number once the event is
 * on the disk, in the database and, unless `journalTrouble` says why not, in the journal.
 * @throws AppError `not-found`, `forbidden`, `label-conflict` when the key was used for something else, `disk-full`
 *   when nothing was stored
 */
export function addAnswer(db: WritableDb, dataFolder: string, answer: NewAnswer, createdAtMs: number): number {
  requireDataset(db, answer.datasetId)
  requireLabeler(db, answer.annotatorId)
  const pair = requireItem(db, answer.datasetId, answer.pairId)
  const repeated = findRepeated(
    db,
    dataFolder,
    answer,
    (event) => event.kind === 'answer' && event.pairIndex === pair.index && event.outcome === answer.outcome,
  )
  if (repeated !== null) return repeated.labelId
  const { outcome, strength, comment, durationMs, clientKey } = answer
  const event: NewEvent = {
    ...blank(answer.annotatorId, pair.index, createdAtMs),
    kind: 'answer',
    outcome,
    strength,
    comment,
    shownOrder: answer.shownOrder,
    durationMs,
    clientKey,
  }
  return record(db, dataFolder, answer.datasetId, event, () =>
    noteOutcome(db, answer.datasetId, answer.annotatorId, pair.index, outcome),
  )
}

/** The event that was stored under this key before, if it is the same. @throws AppError `label-conflict` when it is another */
function findRepeated(
  db: WritableDb,
  dataFolder: string,
  labeler: KeyedLabeler,
  isSame: (event: KeyedEvent) => boolean,
): KeyedEvent | null {
  const event = findByClientKey(db, labeler.datasetId, labeler.annotatorId, labeler.clientKey)
  if (event === null) return null
  if (!isSame(event))
    throw new AppError({
      code: 'label-conflict',
      message: 'The key of this step was used for another step already.',
      hint: 'Nothing was changed. Do it again.',
    })
  tryAppendToJournal(db, dataFolder, labeler.datasetId)
  return event
}

/** Database first, then the index in memory, then the journal: at every moment the journal holds what the database does, or less. */
function record(db: WritableDb, dataFolder: string, datasetId: string, event: NewEvent, note: () => void): number {
  const labelId = inTransaction(db, () => addEvent(db, datasetId, event))
  note()
  tryAppendToJournal(db, dataFolder, datasetId)
  return labelId
}

/** Takes back the latest answer that is not undone yet, however long ago it was given. Null when there is none. */
export function undoAnswer(
  db: WritableDb,
  dataFolder: string,
  labeler: KeyedLabeler,
  createdAtMs: number,
): AnswerRef | null {
  return reverse(db, dataFolder, labeler, 'undo', findUndoable, createdAtMs)
}

/** Restores the answer undone last. Null when there is none, or when an answer was given since. */
export function redoAnswer(
  db: WritableDb,
  dataFolder: string,
  labeler: KeyedLabeler,
  createdAtMs: number,
): AnswerRef | null {
  return reverse(db, dataFolder, labeler, 'redo', findRedoable, createdAtMs)
}

function reverse(
  db: WritableDb,
  dataFolder: string,
  labeler: KeyedLabeler,
  kind: 'undo' | 'redo',
  find: typeof findUndoable,
  createdAtMs: number,
): AnswerRef | null {
  requireDataset(db, labeler.datasetId)
  requireLabeler(db, labeler.annotatorId)
  const repeated = findRepeated(db, dataFolder, labeler, (event) => event.kind === kind)
  if (repeated !== null) return { labelId: repeated.targetId ?? repeated.labelId, pairIndex: repeated.pairIndex }
  const target = find(db, labeler.datasetId, labeler.annotatorId)
  if (target === null) return null
  record(
    db,
    dataFolder,
    labeler.datasetId,
    {
      ...blank(labeler.annotatorId, target.pairIndex, createdAtMs),
      kind,
      targetId: target.labelId,
      clientKey: labeler.clientKey,
    },
    () => {
      const current = readCurrent(db, labeler.datasetId, labeler.annotatorId, target.pairIndex)
      noteOutcome(db, labeler.datasetId, labeler.annotatorId, target.pairIndex, current?.outcome ?? null)
    },
  )
  return target
}

/** Marks a pair for later, or takes the mark away. Asking for what is so already adds nothing. */
export function setFlag(
  db: WritableDb,
  dataFolder: string,
  labeler: KeyedLabeler,
  pairId: string,
  flagged: boolean,
  createdAtMs: number,
): void {
  requireDataset(db, labeler.datasetId)
  requireLabeler(db, labeler.annotatorId)
  const pair = requireItem(db, labeler.datasetId, pairId)
  const kind = flagged ? 'flag' : 'unflag'
  if (findRepeated(db, dataFolder, labeler, (event) => event.kind === kind && event.pairIndex === pair.index) !== null)
    return
  if (isFlagged(db, labeler.datasetId, labeler.annotatorId, pair.index) === flagged) return
  const event: NewEvent = { ...blank(labeler.annotatorId, pair.index, createdAtMs), kind, clientKey: labeler.clientKey }
  record(db, dataFolder, labeler.datasetId, event, () =>
    noteFlag(db, labeler.datasetId, labeler.annotatorId, pair.index, flagged),
  )
}

/**
 * Adds labels that came with a file, in one transaction, and journals them. The pairs must be there already; the data
 * set may still be unpublished. Batches of some thousands keep memory small.
 */
export function insertImportedLabels(
  db: WritableDb,
  dataFolder: string,
  datasetId: string,
  labels: readonly ImportedLabel[],
  createdAtMs: number,
): void {
  if (labels.length === 0) return
  const names = new Map<string, string>()
  const annotatorsBefore = listAnnotators(db).length
  inTransaction(db, () => {
    for (const label of labels) {
      const annotatorId =
        names.get(label.annotator) ?? ensureImportedAnnotator(db, datasetId, label.annotator, createdAtMs)
      names.set(label.annotator, annotatorId)
      const { outcome, strength, comment = '' } = label
      addEvent(db, datasetId, {
        ...blank(annotatorId, label.pairIndex, createdAtMs),
        kind: 'answer',
        outcome,
        strength,
        comment,
      })
    }
  })
  dropLabelIndex(db, datasetId)
  if (listAnnotators(db).length > annotatorsBefore) writeAnnotatorsFile(db, dataFolder)
  appendToJournal(db, dataFolder, datasetId)
}

export function readProgress(db: ReadableDb, labeler: Labeler): LabelProgress {
  const { datasetId, annotatorId } = labeler
  const counts = countLabels(db, datasetId, annotatorId)
  const paceMs = readPaceMs(db, datasetId, annotatorId)
  return {
    ...counts,
    paceMs,
    remainingMs: paceMs === null ? null : paceMs * (counts.total - counts.answered - counts.skipped),
    canUndo: findUndoable(db, datasetId, annotatorId) !== null,
    canRedo: findRedoable(db, datasetId, annotatorId) !== null,
    journalTrouble: journalTrouble(db, datasetId),
  }
}

/** Which option stands on the left: drawn for each person and pair from the data set's own seed, the same every time. */
export function drawShownOrder(
  dataset: Pick<DatasetEntry, 'shownSeed'>,
  annotatorId: string,
  pairId: string,
): ShownOrder {
  const byte = hash('sha256', JSON.stringify([dataset.shownSeed, annotatorId, pairId])).slice(0, 2)
  return Number.parseInt(byte, 16) % 2 === 0 ? 'ab' : 'ba'
}

/** The pair's id as the contract speaks of it. */
export function pairIdAt(db: ReadableDb, datasetId: string, pairIndex: number): string | null {
  return findItemAt(db, datasetId, pairIndex)?.pairId ?? null
}
