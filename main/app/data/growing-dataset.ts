// Data sets that a person adds to, one record at a time. The record is on the disk before the database knows it, and
// the database before the call returns: a line that the database lacks was being added when the app died.
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, createReadStream, ftruncateSync, fsyncSync, openSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { DataKind, ItemRecord, ResponsePair, UnpairedData } from '../../../shared/data-kinds.ts'
import { toText } from '../../../shared/data-kinds.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { syncFolder, writeFully, writeNewFile } from '../../base/files/durable.ts'
import { indexItem, indexPair, titleOf, type ItemEntry } from '../../core/formats/item-entry.ts'
import {
  draftDataset,
  grows,
  insertDataset,
  PLAYGROUND_SOURCE,
  publishDataset,
  requireDataset,
  setTotals,
  type DatasetEntry,
} from '../store/datasets.ts'
import { writeDatasetFile } from '../store/datasets-file.ts'
import { datasetFolder, recordsPath, reportPath } from '../store/datasets-folder.ts'
import { beginFolder, finishFolder } from '../store/datasets-marks.ts'
import { countPrompts, findItemAt, findItemIndexes, insertItems } from '../store/items.ts'
import { dropLabelIndex } from '../store/labels-index.ts'
import { inTransaction, type ReadableDb, type WritableDb } from '../store/open.ts'
import { parseItem, parseRecord } from '../store/records.ts'
import { addSide, sideByItself } from '../store/sides.ts'
import { uniqueName } from './add-dataset.ts'
import { placeDataset } from './dataset-ids.ts'
import { describeWriteError } from './import-writer.ts'

export type GrowingKind = Extract<DataKind, 'response-pairs' | 'unpaired-responses'>

/** A pair or a single answer before it has its place. Sent again under the same id, it is there once. */
export type NewRecord = { readonly pairId: string } & (
  | ({ readonly kind: 'response-pairs' } & Pick<ResponsePair, 'prompt' | 'a' | 'b' | 'metadata'>)
  | ({ readonly kind: 'unpaired-responses' } & UnpairedData)
)

export interface Kept {
  readonly datasetId: DatasetId
  readonly index: number
  /** False: it was there already. */
  readonly added: boolean
}

interface Place {
  readonly db: WritableDb
  readonly dataFolder: string
}

const QUESTIONS: Readonly<Record<GrowingKind, string>> = {
  'response-pairs': 'Which answer is better?',
  'unpaired-responses': 'Is this a good answer?',
}

/** Adds records one after the other, whoever asks. */
export function createKeeper(place: Place): {
  /**
   * @param into a data set that grows, or the name of a new one
   * @throws AppError `not-found`, `input-invalid` where the data set does not take it, `disk-full`
   */
  keep(record: NewRecord, into: { readonly datasetId: DatasetId } | { readonly name: string }): Promise<Kept>
} {
  let before: Promise<unknown> = Promise.resolve()
  return {
    keep(record, into) {
      const work = before.then(() =>
        'datasetId' in into ? append(place, into.datasetId, record) : begin(place, into.name, record),
      )
      before = work.catch(() => undefined)
      return work
    },
  }
}

async function append(place: Place, datasetId: DatasetId, record: NewRecord): Promise<Kept> {
  const { db, dataFolder } = place
  const known = requireDataset(db, datasetId)
  refuseOther(known, record.kind)
  settleGrowth(db, dataFolder, known)
  const there = findItemIndexes(db, datasetId, [record.pairId])[0]
  if (there !== undefined) return { datasetId, index: there, added: false }
  const file = recordsPath(dataFolder, datasetId)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer) // no encoding was asked for
  // From here to the end nothing else has its turn.
  const dataset = requireDataset(db, datasetId) // it may have gone meanwhile
  const offset = endOf(db, dataset)
  const line = JSON.stringify(recordAt(record, dataset.itemCount))
  const bytes = Buffer.from(`${line}\n`)
  appendWhole(file, bytes, offset)
  takeIn(place, dataset, [indexOf(line, record.kind, offset)], hash.update(bytes).digest('hex'))
  return { datasetId, index: dataset.itemCount, added: true }
}

/** A new one, with its first record. What an earlier try with this record made is found again. */
async function begin(place: Place, name: string, record: NewRecord): Promise<Kept> {
  const { db, dataFolder } = place
  const { datasetId, made } = placeDataset(place, `${PLAYGROUND_SOURCE}/${record.pairId}/${name}`)
  if (made) return append(place, datasetId, record)
  const line = JSON.stringify(recordAt(record, 0))
  const draft = draftDataset({
    datasetId,
    name: uniqueName(db, name),
    kind: record.kind,
    source: PLAYGROUND_SOURCE,
    licence: null,
    createdAtMs: Date.now(),
    question: QUESTIONS[record.kind],
    shownSeed: randomBytes(16).toString('hex'),
  })
  const entry = withSide(indexOf(line, record.kind, 0), draft)
  const totals = {
    fingerprint: createHash('sha256').update(`${line}\n`).digest('hex'),
    itemCount: 1,
    promptCount: 1,
    rejectedRowCount: 0,
    warningCount: 0,
  }
  beginFolder(dataFolder, datasetId)
  writeNewFile(recordsPath(dataFolder, datasetId), `${line}\n`)
  writeNewFile(reportPath(dataFolder, datasetId), '')
  syncFolder(datasetFolder(dataFolder, datasetId))
  syncFolder(path.dirname(datasetFolder(dataFolder, datasetId)))
  inTransaction(db, () => {
    insertDataset(db, draft)
    insertItems(db, datasetId, [entry])
    writeDatasetFile(dataFolder, { ...draft, ...totals })
    publishDataset(db, datasetId, totals)
  })
  finishFolder(dataFolder, datasetId)
  return { datasetId, index: 0, added: true }
}

function refuseOther(dataset: DatasetEntry, kind: GrowingKind): void {
  if (!grows(dataset))
    throw new AppError({
      code: 'input-invalid',
      message: `Nothing can be added to "${dataset.name}": what was imported stays as it came.`,
      hint: 'Choose a data set that was made in the Playground, or make a new one.',
    })
  if (dataset.kind !== kind)
    throw new AppError({
      code: 'input-invalid',
      message: `"${dataset.name}" holds ${dataset.kind === 'response-pairs' ? 'pairs' : 'single answers'}.`,
      hint: 'Choose another data set, or make a new one.',
    })
}

/**
 * Brings the records and the database together where the app died, or the disk was full, in between: whole lines are
 * taken in, half a line goes.
 * @returns what was done, in words; null where nothing was to do
 */
export function settleGrowth(db: WritableDb, dataFolder: string, dataset: DatasetEntry): string | null {
  const file = recordsPath(dataFolder, dataset.datasetId)
  const end = endOf(db, dataset)
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= end) return null
  const bytes = readFileSync(file)
  const entries: ItemEntry[] = []
  let whole = end
  for (let next = bytes.indexOf(10, whole); next >= 0; next = bytes.indexOf(10, whole)) {
    const line = bytes.toString('utf8', whole, next)
    const record = dataset.kind === 'response-pairs' ? parseRecord(line) : parseItem(line)
    if (typeof record === 'string' || record.index !== dataset.itemCount + entries.length) break
    entries.push(indexOf(line, dataset.kind as GrowingKind, whole))
    whole = next + 1
  }
  if (whole < bytes.length) cut(file, whole)
  if (entries.length > 0)
    takeIn({ db, dataFolder }, dataset, entries, createHash('sha256').update(bytes.subarray(0, whole)).digest('hex'))
  return `"${dataset.name}": ${entries.length} ${entries.length === 1 ? 'record' : 'records'} that was being added is there now${whole < bytes.length ? '; half a line was cut' : ''}`
}

/** Where the next record goes, in bytes. */
function endOf(db: ReadableDb, { datasetId, itemCount }: DatasetEntry): number {
  const last = findItemAt(db, datasetId, itemCount - 1)
  return last === null ? 0 : last.byteOffset + last.byteLength + 1
}

/** All of it is on the disk, or nothing. @throws AppError `disk-full`; what the system says */
function appendWhole(file: string, bytes: Uint8Array, offset: number): void {
  const handle = openSync(file, 'a')
  try {
    writeFully(handle, bytes)
    fsyncSync(handle)
  } catch (error) {
    ftruncateSync(handle, offset)
    throw describeWriteError(error, file)
  } finally {
    closeSync(handle)
  }
}

function cut(file: string, sizeBytes: number): void {
  const handle = openSync(file, 'r+')
  try {
    ftruncateSync(handle, sizeBytes)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function takeIn(
  { db, dataFolder }: Place,
  dataset: DatasetEntry,
  entries: readonly ItemEntry[],
  fingerprint: string,
): void {
  const { datasetId } = dataset
  inTransaction(db, () => {
    const placed = entries.map((entry) => withSide(entry, dataset))
    insertItems(db, datasetId, placed)
    for (const { split } of placed) addSide(db, datasetId, split)
    const totals = {
      fingerprint,
      itemCount: dataset.itemCount + entries.length,
      promptCount: countPrompts(db, datasetId),
    }
    setTotals(db, { datasetId, ...totals })
    writeDatasetFile(dataFolder, { ...dataset, ...totals })
  })
  dropLabelIndex(db, datasetId)
}

function withSide(entry: ItemEntry, { split }: DatasetEntry): ItemEntry {
  return { ...entry, split: sideByItself(entry.promptHash, split) }
}

function recordAt({ pairId, ...record }: NewRecord, index: number): ResponsePair | ItemRecord {
  if (record.kind === 'response-pairs') {
    const { prompt, a, b, metadata } = record
    return { pairId, index, line: index + 1, prompt, a, b, rewardA: null, rewardB: null, weight: 1, metadata }
  }
  const { prompt, completion, metadata } = record
  return {
    pairId,
    index,
    line: index + 1,
    group: toText(prompt),
    title: titleOf(prompt),
    split: null,
    data: { prompt, completion, metadata },
  }
}

function indexOf(line: string, kind: GrowingKind, offset: number): ItemEntry {
  const length = Buffer.byteLength(line)
  const record = kind === 'response-pairs' ? parseRecord(line) : parseItem(line)
  if (typeof record === 'string') throw new RangeError(`a record that was just written cannot be read: ${record}`)
  return 'data' in record ? indexItem(record, offset, length) : indexPair(record, offset, length)
}
