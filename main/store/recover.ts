import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { SplitName } from '../../shared/data-kinds.ts'
import type { DatasetId } from '../../shared/domain.ts'
import { AppError } from '../../shared/errors.ts'
import type { SplitSpec } from '../../shared/run-spec.ts'
import { insertAnnotator, listAnnotators } from './annotators.ts'
import { readAnnotatorsFile, writeAnnotatorsFile } from './annotators-file.ts'
import { insertDataset, publishDataset, type DatasetEntry } from './datasets.ts'
import { readDatasetFile, writeDatasetFile } from './datasets-file.ts'
import { journalPath, recordsPath, syncFolder } from './datasets-folder.ts'
import { appendToJournal, forgetJournal, readJournal, type JournalEvent } from './labels-journal.ts'
import { compareWithJournal, replayJournal } from './labels-reconcile.ts'
import { lockFolder } from './open-lock.ts'
import { createDatabase, databasePath, type WritableDb } from './open.ts'
import { damagedPair, indexItem, indexPair, insertPairs, parseItem, parseRecord, readPromptHashes, setSplits, type PairEntry } from './pairs.ts'
import { salvageDatabase, type Salvage } from './recover-salvage.ts'
import { writeSettings } from './settings.ts'

export interface RecoveryReport {
  /** Where the damaged database was put; null when there was none. */
  readonly keptAs: string | null
  readonly datasets: readonly RecoveredDataset[]
  readonly annotators: number
  readonly settings: number
  /** Folders that the next start reads back into the list of runs. */
  readonly runFolders: number
  /** What was lost or stays doubtful, in words. Empty: everything is back. */
  readonly problems: readonly string[]
}

export interface RecoveredDataset {
  readonly datasetId: string
  readonly name: string
  readonly pairs: number
  readonly labelEvents: number
  readonly problems: readonly string[]
}

export interface RecoverOptions {
  /** The division that imports use. */
  readonly assignSplits: (promptHashes: readonly string[], spec: SplitSpec) => SplitName[]
  readonly nowMs: number
}

/**
 * Builds the database anew from the files that do not need it — records, dataset.json, journals, annotators.json — and
 * from what the damaged file still gives. The damaged file is kept, and stays in its place until the new one is
 * complete, so that an interrupted recovery can simply be run again.
 * @throws AppError `db-locked` while the app is open, `file-not-found` when the folder holds nothing to recover
 */
export async function recoverStore(folder: string, options: RecoverOptions): Promise<RecoveryReport> {
  const file = databasePath(folder)
  if (!existsSync(file) && !existsSync(path.join(folder, 'datasets'))) {
    throw new AppError({ code: 'file-not-found', message: `There is nothing to recover in ${folder}.`, hint: 'Name the data folder with --data-dir.' })
  }
  const lock = lockFolder(folder)
  try {
    const salvage = salvageDatabase(file)
    const fresh = `${file}.recovering`
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${fresh}${suffix}`, { force: true })
    const db = createDatabase(fresh)
    const report = await rebuild(db, folder, salvage, options).finally(() => db.close())
    const keptAs = moveAside(file, options.nowMs)
    renameSync(fresh, file)
    syncFolder(folder)
    return { ...report, keptAs }
  } finally {
    lock.release()
  }
}

function moveAside(file: string, nowMs: number): string | null {
  if (!existsSync(file)) return null
  const aside = `${file}.damaged-${new Date(nowMs).toISOString().replace(/[:.]/g, '-')}`
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(`${file}${suffix}`)) renameSync(`${file}${suffix}`, `${aside}${suffix}`)
  }
  return aside
}

async function rebuild(db: WritableDb, folder: string, salvage: Salvage, options: RecoverOptions): Promise<Omit<RecoveryReport, 'keptAs'>> {
  const problems = [...salvage.problems]
  restoreAnnotators(db, folder, salvage, problems)
  writeSettings(db, salvage.settings)
  const datasets: RecoveredDataset[] = []
  const ids = listFolders(path.join(folder, 'datasets'))
  for (const id of ids) {
    const recovered = await rebuildDataset(db, folder, id, salvage, options)
    if (recovered !== null) datasets.push(recovered)
  }
  for (const [id, entry] of salvage.datasets) {
    if (!ids.includes(id)) problems.push(`the records of "${entry.name}" (${id}) are missing from the folder`)
  }
  writeAnnotatorsFile(db, folder)
  return { datasets, annotators: listAnnotators(db).length, settings: Object.keys(salvage.settings).length, runFolders: listFolders(path.join(folder, 'runs')).length, problems }
}

function listFolders(parent: string): string[] {
  if (!existsSync(parent)) return []
  return readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
}

function restoreAnnotators(db: WritableDb, folder: string, salvage: Salvage, problems: string[]): void {
  const saved = readAnnotatorsFile(folder)
  if (saved.problem !== null) problems.push(saved.problem)
  const byName = new Map([...salvage.annotators, ...saved.annotators].map((annotator) => [annotator.name.toLowerCase(), annotator]))
  for (const annotator of byName.values()) insertAnnotator(db, annotator)
}

async function rebuildDataset(db: WritableDb, folder: string, id: string, salvage: Salvage, options: RecoverOptions): Promise<RecoveredDataset | null> {
  const problems: string[] = []
  const entry = describe(folder, id, salvage, problems)
  if (entry === null || !existsSync(recordsPath(folder, id))) return null // an import that never ended
  insertDataset(db, entry)
  const records = await readRecords(db, folder, entry, problems)
  if (records.fingerprint !== entry.fingerprint) problems.push('the records are not the ones that were imported: their fingerprint differs')
  if (records.damaged > 0) nameDamagedPairs(db, folder, id)
  publishDataset(db, id, { ...entry, pairCount: records.count })
  if (entry.kind === 'response-pairs') setSplits(db, id, entry.split, options.assignSplits(readPromptHashes(db, id), entry.split))
  const replay = replayJournal(db, folder, id, withPairIds(db, id, salvage.events.get(id) ?? []))
  problems.push(...replay.problems)
  mendJournal(db, folder, id, options.nowMs, problems)
  writeDatasetFile(folder, { ...entry, pairCount: records.count })
  return { datasetId: id, name: entry.name, pairs: records.count, labelEvents: replay.replayed, problems }
}

/** dataset.json where it can be read, else the damaged database's entry. */
function describe(folder: string, id: string, salvage: Salvage, problems: string[]): DatasetEntry | null {
  const salvaged = salvage.datasets.get(id) ?? null
  try {
    if (existsSync(path.join(folder, 'datasets', id, 'dataset.json'))) return { ...readDatasetFile(folder, id), datasetId: id as DatasetId } // the folder's name
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    problems.push(error.message)
  }
  return salvaged
}

const BATCH_PAIRS = 1000

/** Reads records.jsonl as a stream; a line that is no record keeps its place, so that the others keep theirs. */
async function readRecords(db: WritableDb, folder: string, { datasetId: id, kind }: DatasetEntry, problems: string[]): Promise<{ readonly count: number; readonly damaged: number; readonly fingerprint: string }> {
  const hash = createHash('sha256')
  let batch: PairEntry[] = []
  let count = 0
  let damaged = 0
  let offset = 0
  let rest: Buffer = Buffer.alloc(0)
  const isPairs = kind === 'response-pairs'
  function take(line: Buffer): void {
    const text = line.toString('utf8')
    if (!isPairs && text.startsWith('{"extra"')) return // no item
    const record = isPairs ? parseRecord(text) : parseItem(text)
    const fits = typeof record !== 'string' && record.index === count
    if (!fits) damaged += 1
    if (!fits) problems.push(`record ${count + 1} is damaged: ${typeof record === 'string' ? record : 'it belongs to another place'}`)
    batch.push(fits ? ('data' in record ? indexItem(record, offset, line.length) : indexPair(record, offset, line.length)) : damagedPair(count, offset, line.length))
    offset += line.length + 1
    count += 1
  }
  for await (const chunk of createReadStream(recordsPath(folder, id), { highWaterMark: 1024 * 1024 })) {
    const bytes = chunk as Buffer // a stream without an encoding gives buffers
    hash.update(bytes)
    const whole = Buffer.concat([rest, bytes])
    let start = 0
    for (let end = whole.indexOf(10); end >= 0; end = whole.indexOf(10, start)) {
      take(whole.subarray(start, end))
      start = end + 1
    }
    rest = whole.subarray(start)
    if (batch.length >= BATCH_PAIRS) {
      insertPairs(db, id, batch)
      batch = []
    }
  }
  if (rest.length > 0) take(rest)
  insertPairs(db, id, batch)
  return { count, damaged, fingerprint: hash.digest('hex') }
}

/** The journal still knows what the pair of a damaged record was called; its labels stay with it. */
function nameDamagedPairs(db: WritableDb, folder: string, id: string): void {
  const rename = db.prepare<[string, string, number, string]>('UPDATE OR IGNORE pairs SET pair_id = ? WHERE dataset_id = ? AND idx = ? AND pair_id = ?')
  for (const event of readJournal(folder, id, () => undefined)) rename.run(event.pairId, id, event.pairIndex, damagedPair(event.pairIndex, 0, 0).pairId)
}

function withPairIds(db: WritableDb, id: string, events: readonly Omit<JournalEvent, 'pairId'>[]): JournalEvent[] {
  const find = db.prepare<[string, number], string>('SELECT pair_id FROM pairs WHERE dataset_id = ? AND idx = ?').pluck()
  return events.flatMap((event) => {
    const pairId = find.get(id, event.pairIndex)
    return pairId === undefined ? [] : [{ ...event, pairId }]
  })
}

/** A journal with gaps or damaged lines is written anew from the database; the old one is kept beside it. */
function mendJournal(db: WritableDb, folder: string, id: string, nowMs: number, problems: string[]): void {
  const differences = compareWithJournal(db, folder, id)
  if (differences.length === 0) return
  const file = journalPath(folder, id)
  if (existsSync(file)) {
    const aside = `${file}.before-${nowMs}`
    renameSync(file, aside)
    problems.push(`the journal was written anew (${differences.length} differences, first: ${differences[0] ?? ''}); the old one is ${aside}`)
  }
  forgetJournal(db, id)
  appendToJournal(db, folder, id)
}
