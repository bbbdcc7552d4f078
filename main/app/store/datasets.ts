import type { DatasetSummary } from '../../../shared/contract/datasets.ts'
import { importMapping, type ImportMapping } from '../../../shared/contract/import-mapping.ts'
import type { DataKind } from '../../../shared/data-kinds.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { SplitSpec } from '../../../shared/run-spec.ts'
import { dropLabelIndex, totalLabels } from './labels-index.ts'
import type { ReadableDb, WritableDb } from './open.ts'
import { storedJson } from './stored-json.ts'

/** A data set as the database has it; its records and labels are elsewhere. */
export interface DatasetEntry {
  readonly datasetId: DatasetId
  readonly name: string
  readonly kind: DataKind
  /** sha256 of records.jsonl. */
  readonly fingerprint: string
  readonly source: string
  readonly licence: string | null
  readonly createdAtMs: number
  readonly itemCount: number
  readonly promptCount: number
  readonly rejectedRowCount: number
  readonly warningCount: number
  readonly mapping: ImportMapping
  readonly guideline: string
  readonly question: string
  readonly split: SplitSpec
  /** From which the side each pair is shown on is drawn. */
  readonly shownSeed: string
}

export const DEFAULT_QUESTION = 'Which answer is better?'
export const DEFAULT_SPLIT: SplitSpec = { seed: 0, validation: 0.1, test: 0.2 }

/** What data sets say they came from that grow by single answers of the Playground. */
export const PLAYGROUND_SOURCE = 'playground'

/** Whether records are added to it after it was made. Of all others records.jsonl never changes. */
export function grows({ source }: Pick<DatasetEntry, 'source'>): boolean {
  return source === PLAYGROUND_SOURCE
}

/** Of items that have a reader of their own there are no columns to map. */
export const OWN_MAPPING: ImportMapping = {
  format: 'jsonl',
  layout: 'own',
  columns: {},
  labelValues: null,
  labelScale: null,
  labelsSaidBy: 'file',
  labelWords: '',
  flip: false,
}

/** A data set before its records are read: nothing is counted, nobody changed anything. */
export function draftDataset(
  given: Pick<DatasetEntry, 'datasetId' | 'name' | 'kind' | 'source' | 'licence' | 'createdAtMs' | 'shownSeed'> &
    Partial<DatasetEntry>,
): DatasetEntry {
  return {
    fingerprint: '',
    itemCount: 0,
    promptCount: 0,
    rejectedRowCount: 0,
    warningCount: 0,
    mapping: OWN_MAPPING,
    guideline: '',
    question: DEFAULT_QUESTION,
    split: DEFAULT_SPLIT,
    ...given,
  }
}

export interface DatasetRow {
  readonly dataset_id: string
  readonly name: string
  readonly kind: string
  readonly fingerprint: string
  readonly source: string
  readonly licence: string | null
  readonly created_at_ms: number
  readonly pair_count: number
  readonly prompt_count: number
  readonly rejected_row_count: number
  readonly warning_count: number
  readonly mapping: string
  readonly guideline: string
  readonly question: string
  readonly split_seed: number
  readonly split_validation: number
  readonly split_test: number
  readonly shown_seed: string
}

/** @throws ZodError when the mapping is not what this version writes */
export function toDataset(row: DatasetRow): DatasetEntry {
  return {
    datasetId: row.dataset_id as DatasetId, // an id by its column
    name: row.name,
    kind: row.kind as DataKind, // written from a DatasetEntry only
    fingerprint: row.fingerprint,
    source: row.source,
    licence: row.licence,
    createdAtMs: row.created_at_ms,
    itemCount: row.pair_count,
    promptCount: row.prompt_count,
    rejectedRowCount: row.rejected_row_count,
    warningCount: row.warning_count,
    mapping: storedJson(importMapping, row.mapping, `the mapping of ${row.dataset_id}`),
    guideline: row.guideline,
    question: row.question,
    split: { seed: row.split_seed, validation: row.split_validation, test: row.split_test },
    shownSeed: row.shown_seed,
  }
}

/**
 * Adds a data set that nobody sees yet: an import fills it and ends with `publishDataset`.
 */
export function insertDataset(db: WritableDb, dataset: DatasetEntry): void {
  db.prepare(`INSERT INTO datasets (dataset_id, ready, name, kind, fingerprint, source, licence, created_at_ms, pair_count, prompt_count,
      rejected_row_count, warning_count, mapping, guideline, question, split_seed, split_validation, split_test, shown_seed)
    VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    dataset.datasetId,
    dataset.name,
    dataset.kind,
    dataset.fingerprint,
    dataset.source,
    dataset.licence,
    dataset.createdAtMs,
    dataset.itemCount,
    dataset.promptCount,
    dataset.rejectedRowCount,
    dataset.warningCount,
    JSON.stringify(dataset.mapping),
    dataset.guideline,
    dataset.question,
    dataset.split.seed,
    dataset.split.validation,
    dataset.split.test,
    dataset.shownSeed,
  )
}

export interface ImportTotals {
  readonly fingerprint: string
  readonly itemCount: number
  readonly promptCount: number
  readonly rejectedRowCount: number
  readonly warningCount: number
}

/** Ends an import: from here on the data set is listed. */
export function publishDataset(db: WritableDb, datasetId: string, totals: ImportTotals): void {
  db.prepare(
    'UPDATE datasets SET ready = 1, fingerprint = ?, pair_count = ?, prompt_count = ?, rejected_row_count = ?, warning_count = ? WHERE dataset_id = ?',
  ).run(
    totals.fingerprint,
    totals.itemCount,
    totals.promptCount,
    totals.rejectedRowCount,
    totals.warningCount,
    datasetId,
  )
}

/** What a data set that grows holds now. */
export function setTotals(
  db: WritableDb,
  {
    datasetId,
    fingerprint,
    itemCount,
    promptCount,
  }: Pick<DatasetEntry, 'datasetId' | 'fingerprint' | 'itemCount' | 'promptCount'>,
): void {
  db.prepare('UPDATE datasets SET fingerprint = ?, pair_count = ?, prompt_count = ? WHERE dataset_id = ?').run(
    fingerprint,
    itemCount,
    promptCount,
    datasetId,
  )
}

/** How the file was read, as far as it still matters: who gives the sides of the split. */
export function setMapping(db: WritableDb, datasetId: string, mapping: ImportMapping): void {
  db.prepare('UPDATE datasets SET mapping = ? WHERE dataset_id = ?').run(JSON.stringify(mapping), datasetId)
}

/** Ids of the data sets that are not listed: an import that died, or a deletion that did. */
export function listDrafts(db: ReadableDb): readonly string[] {
  return db.prepare<[], string>('SELECT dataset_id FROM datasets WHERE ready = 0').pluck().all()
}

/** From here on the data set is not listed and takes no labels; `discardRows` takes the rest away. */
export function hideDataset(db: WritableDb, datasetId: string): void {
  db.prepare('UPDATE datasets SET ready = 0 WHERE dataset_id = ?').run(datasetId)
  dropLabelIndex(db, datasetId)
}

/** Takes `hideDataset` back, where it came to that. */
export function showDataset(db: WritableDb, datasetId: string): void {
  db.prepare('UPDATE datasets SET ready = 1 WHERE dataset_id = ? AND ready = 0').run(datasetId)
}

/** Newest first. */
export function listDatasets(db: ReadableDb): DatasetEntry[] {
  return db
    .prepare<[], DatasetRow>('SELECT * FROM datasets WHERE ready = 1 ORDER BY created_at_ms DESC, dataset_id')
    .all()
    .map(toDataset)
}

export function findDataset(db: ReadableDb, datasetId: string): DatasetEntry | null {
  const row = db
    .prepare<[string], DatasetRow>('SELECT * FROM datasets WHERE dataset_id = ? AND ready = 1')
    .get(datasetId)
  return row === undefined ? null : toDataset(row)
}

/** @throws AppError `not-found` */
export function requireDataset(db: ReadableDb, datasetId: string): DatasetEntry {
  const dataset = findDataset(db, datasetId)
  if (dataset === null)
    throw new AppError({
      code: 'not-found',
      message: `There is no data set "${datasetId}".`,
      hint: 'Open the list of data sets; it may have been deleted.',
    })
  return dataset
}

/** The same records imported before, by the sha256 of records.jsonl. */
export function findByFingerprint(db: ReadableDb, fingerprint: string): DatasetEntry | null {
  const row = db
    .prepare<[string], DatasetRow>(
      'SELECT * FROM datasets WHERE fingerprint = ? AND ready = 1 ORDER BY created_at_ms LIMIT 1',
    )
    .get(fingerprint)
  return row === undefined ? null : toDataset(row)
}

export function updateDataset(
  db: WritableDb,
  datasetId: string,
  changes: {
    readonly name?: string | undefined
    readonly guideline?: string | undefined
    readonly question?: string | undefined
  },
): void {
  db.prepare(
    'UPDATE datasets SET name = coalesce(?, name), guideline = coalesce(?, guideline), question = coalesce(?, question) WHERE dataset_id = ?',
  ).run(changes.name ?? null, changes.guideline ?? null, changes.question ?? null, datasetId)
}

/** The data set with what its labels add up to. */
export function summarizeDataset(db: ReadableDb, dataset: DatasetEntry): DatasetSummary {
  const totals = totalLabels(db, dataset.datasetId)
  return {
    datasetId: dataset.datasetId,
    name: dataset.name,
    kind: dataset.kind,
    fingerprint: dataset.fingerprint,
    source: dataset.source,
    licence: dataset.licence,
    createdAtMs: dataset.createdAtMs,
    itemCount: dataset.itemCount,
    promptCount: dataset.promptCount,
    labeledCount: totals.labeledPairs,
    labelCount: totals.labels,
    rejectedRowCount: dataset.rejectedRowCount,
    warningCount: dataset.warningCount,
    annotators: totals.annotators,
  }
}
