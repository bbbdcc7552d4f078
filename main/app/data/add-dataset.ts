import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DataKind, ItemRecord, SplitName } from '../../../shared/data-kinds.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import {
  DEFAULT_SPLIT,
  draftDataset,
  insertDataset,
  listDatasets,
  publishDataset,
  setMapping,
  type DatasetEntry,
  type ImportTotals,
} from '../store/datasets.ts'
import { writeDatasetFile } from '../store/datasets-file.ts'
import { datasetFolder, recordsPath, reportPath } from '../store/datasets-folder.ts'
import { syncFolder } from '../../base/files/durable.ts'
import { beginFolder, finishFolder } from '../store/datasets-marks.ts'
import { discardRows, markSplits } from '../store/imports.ts'
import { insertImportedLabels } from '../store/labels.ts'
import { inTransaction, type WritableDb } from '../store/open.ts'
import { indexItem, type ItemEntry } from '../../core/formats/item-entry.ts'
import { insertItems } from '../store/items.ts'
import { placeDataset } from './dataset-ids.ts'
import { createPromptTable } from './import-split.ts'
import { createAppendFile } from './import-writer.ts'
import type { ImportedLabel, NewItem, NewPart } from '../../core/formats/parsed-rows.ts'
import { refuseImport } from './refused-import.ts'
import { withSourceSplit } from './split.ts'

export interface NewDataset {
  /** Default: a new one. */
  readonly datasetId?: DatasetId
  readonly name: string
  readonly kind: Exclude<DataKind, 'response-pairs'>
  readonly source: string
  readonly licence: string | null
  /** What a person is asked who compares the two sides of an item. */
  readonly question: string
  readonly split?: DatasetEntry['split']
  /** One by one or several at a time. */
  readonly parts: Iterable<NewPart> | AsyncIterable<NewPart | readonly NewPart[]>
}

export interface AddContext {
  readonly db: WritableDb
  readonly dataFolder: string
  readonly signal?: AbortSignal
  /** Items so far. */
  onProgress?(items: number): void
}

const BATCH_ITEMS = 250
const BATCH_LENGTH = 2_000_000
/** Milliseconds between two turns of the event loop: what makes an item may compute for a while. */
const TURN_MS = 10

/**
 * A data set of any kind but response pairs. Until the last step nobody sees it; when anything fails, or `signal` ends
 * it, nothing of it stays behind but the report of why no line could be read.
 * @throws AppError `dataset-invalid` without an item, `disk-full`; the signal's reason
 */
export async function addDataset(dataset: NewDataset, context: AddContext): Promise<DatasetEntry> {
  const { db, dataFolder } = context
  const datasetId = dataset.datasetId ?? placeDataset(context, undefined).datasetId
  const draft = draftDataset({
    datasetId,
    name: uniqueName(db, dataset.name),
    kind: dataset.kind,
    source: dataset.source,
    licence: dataset.licence,
    createdAtMs: Date.now(),
    question: dataset.question,
    split: dataset.split ?? DEFAULT_SPLIT,
    shownSeed: randomBytes(16).toString('hex'),
  })
  insertDataset(db, draft)
  try {
    beginFolder(dataFolder, datasetId)
    const totals = await writeParts(draft, dataset.parts, context)
    const whole = { ...draft, ...totals }
    writeDatasetFile(dataFolder, whole)
    syncFolder(path.dirname(datasetFolder(dataFolder, datasetId)))
    setMapping(db, datasetId, totals.mapping)
    publishDataset(db, datasetId, totals)
    return whole
  } catch (error) {
    await rm(datasetFolder(dataFolder, datasetId), { recursive: true, force: true })
    for (const _ of discardRows(db, datasetId)) await nextTurn()
    throw error
  } finally {
    finishFolder(dataFolder, datasetId)
  }
}

async function writeParts(
  { datasetId, createdAtMs, split, source, mapping }: DatasetEntry,
  parts: NewDataset['parts'],
  { db, dataFolder, signal, onProgress }: AddContext,
): Promise<ImportTotals & Pick<DatasetEntry, 'mapping'>> {
  const records = await createAppendFile(recordsPath(dataFolder, datasetId))
  const report = await createAppendFile(reportPath(dataFolder, datasetId))
  const groups = createPromptTable()
  const given: (SplitName | null)[] = []
  const counts = { error: 0, warning: 0 }
  let lines: string[] = []
  let length = 0
  let entries: ItemEntry[] = []
  let labels: ImportedLabel[] = []
  let offset = 0
  let turnedMs = performance.now()

  async function flush(): Promise<void> {
    await records.append(lines.join(''))
    inTransaction(db, () => {
      insertItems(db, datasetId, entries)
      insertImportedLabels(db, dataFolder, datasetId, labels, createdAtMs)
    })
    lines = []
    length = 0
    entries = []
    labels = []
    onProgress?.(given.length)
    await nextTurn()
    signal?.throwIfAborted()
    turnedMs = performance.now()
  }

  function addItem({ labels: own = [], ...item }: NewItem): void {
    const record: ItemRecord = { ...item, index: given.length }
    const line = JSON.stringify(record)
    const bytes = Buffer.byteLength(line)
    const entry = indexItem(record, offset, bytes)
    entries.push(entry)
    groups.add(entry.promptHash)
    for (const label of own) labels.push({ pairIndex: record.index, ...label })
    given.push(record.split)
    lines.push(line, '\n')
    length += line.length
    offset += bytes + 1
  }

  async function refuse(cause: AppError | null): Promise<AppError> {
    await report.finish()
    return refuseImport(dataFolder, reportPath(dataFolder, datasetId), source, cause)
  }

  /** What the reader itself gives up on, after lines that it could not read, is told with those lines. */
  async function* readParts(): AsyncGenerator<NewPart> {
    try {
      for await (const some of parts) {
        if (Array.isArray(some)) yield* some as readonly NewPart[]
        else yield some as NewPart
      }
    } catch (error) {
      throw error instanceof AppError && error.code === 'dataset-invalid' && counts.error > 0
        ? await refuse(error)
        : error
    }
  }

  try {
    let extras = false
    for await (const part of readParts()) {
      if ('problem' in part) {
        counts[part.problem.severity] += 1
        await report.append(`${JSON.stringify(part.problem)}\n`)
      } else if ('extra' in part) {
        extras = true
        const line = JSON.stringify({ extra: part.extra.extra, data: part.extra.data })
        lines.push(line, '\n')
        length += line.length
      } else {
        if (extras) throw new RangeError('items come before what they refer to')
        addItem(part.item)
      }
      if (entries.length >= BATCH_ITEMS || length >= BATCH_LENGTH) await flush()
      if (performance.now() - turnedMs > TURN_MS) {
        await nextTurn()
        turnedMs = performance.now()
      }
    }
    await flush()
    if (given.length === 0) throw await refuse(null)
    const drawn = await groups.assign(split)
    for (const _ of markSplits(db, datasetId, given.length, (index) => given[index] ?? drawn(index))) await nextTurn()
    await report.finish()
    return {
      fingerprint: await records.finish(),
      itemCount: given.length,
      promptCount: groups.promptCount,
      rejectedRowCount: counts.error,
      warningCount: counts.warning,
      mapping: given.some((side) => side !== null) ? withSourceSplit(mapping) : mapping,
    }
  } finally {
    await records.close()
    await report.close()
  }
}

/** The name, or the first one with a number that no data set has. */
export function uniqueName(db: WritableDb, wanted: string): string {
  const taken = new Set(listDatasets(db).map((dataset) => dataset.name))
  const short = (wanted.trim() === '' ? 'data set' : wanted.trim()).slice(0, 110)
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? short : `${short} (${number})`
    if (!taken.has(name)) return name
  }
}
