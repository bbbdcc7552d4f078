import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { contrastData, unpairedData, type DataKind, type SplitName } from '../../../shared/data-kinds.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { SplitSpec } from '../../../shared/run-spec.ts'
import { segmentPair } from '../../../shared/segment-pair.ts'
import { moveDurably } from '../../base/files/durable.ts'
import { draftDataset, grows, insertDataset, listDatasets, publishDataset, type DatasetEntry } from './datasets.ts'
import { readDatasetFile, writeDatasetFile } from './datasets-file.ts'
import { datasetFolder, recordsPath } from './datasets-folder.ts'
import { discardRows, markSplits } from './imports.ts'
import { readJournal, type JournalEvent } from './labels-journal.ts'
import { mendJournal, replayForeignJournal, replayJournal } from './labels-reconcile.ts'
import type { ReadableDb, WritableDb } from './open.ts'
import { damagedItem, indexItem, indexPair, type ItemEntry } from '../../core/formats/item-entry.ts'
import { countPrompts, insertItems, readPromptHashes } from './items.ts'
import { parseItem, parseRecord } from './records.ts'
import { sideByItself } from './sides.ts'

export interface RebuiltDataset {
  readonly datasetId: string
  readonly name: string
  readonly pairs: number
  readonly labelEvents: number
  readonly problems: readonly string[]
}

export interface RebuildOptions {
  /** The division that imports use. */
  readonly assignSplits: (
    promptHashes: readonly string[],
    spec: SplitSpec,
    given: readonly (SplitName | null)[],
  ) => SplitName[]
  readonly nowMs: number
}

/** What a damaged database still knows of the data set. */
export interface Remembered {
  readonly entry: DatasetEntry | null
  readonly events: readonly Omit<JournalEvent, 'pairId'>[]
}

/**
 * Makes the rows of a data set anew from its folder: records, journal, dataset.json. Of these only the records are
 * needed; without dataset.json it is called "recovered …". It is listed once all of it is there.
 * @param remembered null where the data set is new to this database
 * @throws what the system says when the records cannot be read; no row stays behind
 */
export async function rebuildDataset(
  db: WritableDb,
  folder: string,
  id: string,
  remembered: Remembered | null,
  options: RebuildOptions,
): Promise<RebuiltDataset> {
  const problems: string[] = []
  const entry = withFreeName(db, await describe(folder, id, remembered?.entry ?? null, options.nowMs, problems))
  insertDataset(db, entry)
  try {
    const records = await readRecords(db, folder, entry, problems)
    const growing = grows(entry)
    if (!growing && entry.fingerprint !== '' && records.fingerprint !== entry.fingerprint)
      problems.push('the records are not the ones that were imported: their fingerprint differs')
    if (records.damaged > 0) nameDamagedPairs(db, folder, id)
    const isPairs = entry.kind === 'response-pairs'
    // Sides of pairs are the source's only as long as nobody drew others.
    const given = isPairs && Object.values(entry.mapping.columns).includes('split') ? records.sides : []
    const itemSides = isPairs || entry.mapping.columns['split'] === 'metadata' ? [] : records.sides
    const hashes = readPromptHashes(db, id)
    const drawn = growing
      ? hashes.map((hash) => sideByItself(hash, entry.split))
      : options.assignSplits(hashes, entry.split, given)
    for (const _ of markSplits(db, id, records.count, (index) => itemSides[index] ?? drawn[index] ?? 'train'))
      await nextTurn()
    const replay =
      remembered === null
        ? replayForeignJournal(db, folder, id)
        : replayJournal(db, folder, id, withPairIds(db, id, remembered.events))
    problems.push(...replay.problems)
    problems.push(...mendJournal(db, folder, id, options.nowMs))
    const whole = {
      ...entry,
      fingerprint: growing || entry.fingerprint === '' ? records.fingerprint : entry.fingerprint,
      itemCount: records.count,
      promptCount: growing || entry.promptCount === 0 ? countPrompts(db, id) : entry.promptCount,
    }
    writeDatasetFile(folder, whole)
    publishDataset(db, id, whole)
    return { datasetId: id, name: entry.name, pairs: records.count, labelEvents: replay.replayed, problems }
  } catch (error) {
    for (const _ of discardRows(db, id)) await nextTurn()
    throw error
  }
}

/** dataset.json where it can be read, else the damaged database's entry, else what the records tell. */
async function describe(
  folder: string,
  id: string,
  remembered: DatasetEntry | null,
  nowMs: number,
  problems: string[],
): Promise<DatasetEntry> {
  const file = path.join(datasetFolder(folder, id), 'dataset.json')
  if (existsSync(file)) {
    try {
      return { ...readDatasetFile(folder, id), datasetId: id as DatasetId } // the folder's name
    } catch (error) {
      problems.push(error instanceof AppError ? error.message : `${file} cannot be read`)
      moveDurably(file, `${file}.damaged-${nowMs}`)
    }
  }
  if (remembered !== null) return remembered
  problems.push('its dataset.json is lost: name, question and source are new, the split is the usual one')
  return draftDataset({
    datasetId: id as DatasetId, // the folder's name
    name: `recovered ${id}`,
    kind: await guessKind(folder, id),
    source: recordsPath(folder, id),
    licence: null,
    createdAtMs: nowMs,
    shownSeed: id,
  })
}

/** Two data sets of one name cannot be told apart in a list. */
function withFreeName(db: ReadableDb, entry: DatasetEntry): DatasetEntry {
  const taken = new Set(listDatasets(db).map((dataset) => dataset.name))
  let name = entry.name
  for (let number = 2; taken.has(name); number += 1) name = `${entry.name} (${number})`
  return { ...entry, name }
}

/** By the first record that can be read. */
async function guessKind(folder: string, id: string): Promise<DataKind> {
  for await (const { line } of readLines(recordsPath(folder, id))) {
    const text = line.toString('utf8')
    if (typeof parseRecord(text) !== 'string') return 'response-pairs'
    const item = parseItem(text)
    if (typeof item === 'string') continue
    if (unpairedData.safeParse(item.data).success) return 'unpaired-responses'
    return contrastData.safeParse(item.data).success
      ? 'contrast-groups'
      : segmentPair.safeParse(item.data).success
        ? 'segment-pairs'
        : 'rankings'
  }
  return 'response-pairs'
}

const BATCH_PAIRS = 1000

interface ReadRecords {
  readonly count: number
  readonly damaged: number
  readonly fingerprint: string
  /** The side that the source itself gives [pair]. */
  readonly sides: readonly (SplitName | null)[]
}

/** Reads records.jsonl as a stream; a line that is no record keeps its place, so that the others keep theirs. */
async function readRecords(
  db: WritableDb,
  folder: string,
  { datasetId: id, kind }: DatasetEntry,
  problems: string[],
): Promise<ReadRecords> {
  const hash = createHash('sha256')
  const sides: (SplitName | null)[] = []
  let batch: ItemEntry[] = []
  let damaged = 0
  const isPairs = kind === 'response-pairs'
  for await (const { line, offset } of readLines(recordsPath(folder, id), (bytes) => hash.update(bytes))) {
    const text = line.toString('utf8')
    if (!isPairs && text.startsWith('{"extra"')) continue // no item
    const index = sides.length
    const record = isPairs ? parseRecord(text) : parseItem(text)
    const fits = typeof record !== 'string' && record.index === index
    if (!fits) damaged += 1
    if (!fits)
      problems.push(
        `record ${index + 1} is damaged: ${typeof record === 'string' ? record : 'it belongs to another place'}`,
      )
    batch.push(
      fits
        ? 'data' in record
          ? indexItem(record, offset, line.length)
          : indexPair(record, offset, line.length)
        : damagedItem(index, offset, line.length),
    )
    sides.push(fits ? (record.split ?? null) : null)
    if (batch.length < BATCH_PAIRS) continue
    insertItems(db, id, batch)
    batch = []
  }
  insertItems(db, id, batch)
  return { count: sides.length, damaged, fingerprint: hash.digest('hex'), sides }
}

async function* readLines(
  file: string,
  onBytes: (bytes: Buffer) => void = () => undefined,
): AsyncGenerator<{ readonly line: Buffer; readonly offset: number }> {
  let offset = 0
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    const bytes = chunk as Buffer // a stream without an encoding gives buffers
    onBytes(bytes)
    const whole = Buffer.concat([rest, bytes])
    let start = 0
    for (let end = whole.indexOf(10); end >= 0; end = whole.indexOf(10, start)) {
      yield { line: whole.subarray(start, end), offset: offset + start }
      start = end + 1
    }
    offset += start
    rest = whole.subarray(start)
  }
  if (rest.length > 0) yield { line: rest, offset }
}

/** The journal still knows what the pair of a damaged record was called; its labels stay with it. */
function nameDamagedPairs(db: WritableDb, folder: string, id: string): void {
  const rename = db.prepare<[string, string, number, string]>(
    'UPDATE OR IGNORE pairs SET pair_id = ? WHERE dataset_id = ? AND idx = ? AND pair_id = ?',
  )
  for (const event of readJournal(folder, id, () => undefined))
    rename.run(event.pairId, id, event.pairIndex, damagedItem(event.pairIndex, 0, 0).pairId)
}

function withPairIds(db: WritableDb, id: string, events: readonly Omit<JournalEvent, 'pairId'>[]): JournalEvent[] {
  const find = db
    .prepare<[string, number], string>('SELECT pair_id FROM pairs WHERE dataset_id = ? AND idx = ?')
    .pluck()
  return events.flatMap((event) => {
    const pairId = find.get(id, event.pairIndex)
    return pairId === undefined ? [] : [{ ...event, pairId }]
  })
}
