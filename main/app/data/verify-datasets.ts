import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Trouble } from '../../../shared/contract/system.ts'
import { rowProblem } from '../../../shared/contract/import-mapping.ts'
import { AppError } from '../../../shared/errors.ts'
import { listPeople } from '../store/annotators.ts'
import { readAnnotatorsFile } from '../store/annotators-file.ts'
import { listDatasets, type DatasetEntry } from '../store/datasets.ts'
import { readDatasetFile } from '../store/datasets-file.ts'
import { datasetFolder, journalPath, recordsPath, reportPath, viewsFolder } from '../store/datasets-folder.ts'
import { hashFile } from '../../base/files/hash-file.ts'
import { readEvents, readJournal } from '../store/labels-journal.ts'
import type { ReadableDb } from '../store/open.ts'
import { indexItem, indexPair, type ItemEntry } from '../../core/formats/item-entry.ts'
import { readItems } from '../store/items.ts'
import { parseItem, parseRecord } from '../store/records.ts'

/** Rows compared between two turns of the event loop. */
const SLICE_ROWS = 250
const SLICE_BYTES = 1024 * 1024

/** Reads every file of every data set and compares it with what was written and with the database. Changes nothing. */
export async function* verifyDatasets(db: ReadableDb, dataFolder: string): AsyncGenerator<Trouble> {
  for (const dataset of listDatasets(db)) {
    const { datasetId: id } = dataset
    yield* guarded(path.join(datasetFolder(dataFolder, id), 'dataset.json'), (file) =>
      verifyDescription(file, dataFolder, dataset),
    )
    yield* guarded(recordsPath(dataFolder, id), (file) => verifyRecords(file, db, dataset))
    yield* guarded(journalPath(dataFolder, id), (file) => verifyJournal(file, db, dataFolder, id))
    yield* guarded(reportPath(dataFolder, id), verifyReport)
    yield* guarded(viewsFolder(dataFolder, id), verifyViews)
  }
}

/** What the system says of a file (no rights, a folder in its place, gone) is a trouble of that file, and no end. */
export async function* guarded(
  file: string,
  check: (file: string) => AsyncGenerator<Trouble>,
): AsyncGenerator<Trouble> {
  try {
    yield* check(file)
  } catch (error) {
    if (error instanceof AppError) yield { path: file, trouble: error.message, hint: error.hint }
    else if (error instanceof Error)
      yield {
        path: file,
        trouble: `It cannot be read: ${error.message}.`,
        hint: 'See that it is a file you may read, or put a copy back.',
      }
    else throw error
  }
}

/** annotators.json holds the names of the database, so that journals can be read without it. */
export async function* verifyAnnotators(db: ReadableDb, dataFolder: string): AsyncGenerator<Trouble> {
  yield* guarded(path.join(dataFolder, 'annotators.json'), async function* (file) {
    const { annotators, problem } = readAnnotatorsFile(dataFolder)
    const known = listPeople(db)
    if (problem !== null)
      yield { path: file, trouble: `${problem}.`, hint: 'The next new name writes it anew from the database.' }
    else if (!isDeepStrictEqual(annotators, known) && known.length > 0)
      yield {
        path: file,
        trouble: 'It says other than the database.',
        hint: 'The next new name writes it anew from the database.',
      }
  })
}

async function* verifyDescription(file: string, dataFolder: string, dataset: DatasetEntry): AsyncGenerator<Trouble> {
  const written = readDatasetFile(dataFolder, dataset.datasetId)
  if (!isDeepStrictEqual(written, { ...dataset }))
    yield {
      path: file,
      trouble: 'It says other than the database.',
      hint: 'The next start writes it anew from the database.',
    }
}

async function* verifyRecords(
  file: string,
  db: ReadableDb,
  { datasetId, kind, fingerprint, itemCount }: DatasetEntry,
): AsyncGenerator<Trouble> {
  const hash = createHash('sha256')
  const isPairs = kind === 'response-pairs'
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  let index = 0
  let waiting: { readonly text: string; readonly offset: number; readonly length: number }[] = []
  let misplaced = 0
  let firstMisplaced = -1
  function compareSlice(): void {
    const rows = readItems(db, datasetId, index, waiting.length)
    waiting.forEach(({ text, offset: from, length }, at) => {
      const row = rows[at]
      if (row !== undefined && agrees(row, text, from, length, isPairs)) return
      misplaced += 1
      if (firstMisplaced < 0) firstMisplaced = index + at
    })
    index += waiting.length
    waiting = []
  }
  for await (const chunk of createReadStream(file, { highWaterMark: SLICE_BYTES })) {
    const bytes = chunk as Buffer // a stream without an encoding gives buffers
    hash.update(bytes)
    const whole = Buffer.concat([rest, bytes])
    let start = 0
    for (let end = whole.indexOf(10); end >= 0; end = whole.indexOf(10, start)) {
      const text = whole.toString('utf8', start, end)
      if (isPairs || !text.startsWith('{"extra"')) waiting.push({ text, offset: offset + start, length: end - start })
      start = end + 1
      if (waiting.length < SLICE_ROWS) continue
      compareSlice()
      await nextTurn()
    }
    offset += start
    rest = whole.subarray(start)
  }
  compareSlice()
  if (hash.digest('hex') !== fingerprint)
    yield {
      path: file,
      trouble: 'It is not what was imported: its sha256 differs from the data set’s fingerprint.',
      hint: 'Put a copy back. Labels are safe in the database and in labels.jsonl.',
    }
  else if (misplaced > 0 || index !== itemCount)
    yield {
      path: file,
      trouble: `The database’s index does not fit it: ${misplaced} of ${index} records, the first is number ${firstMisplaced + 1}; ${itemCount} are expected.`,
      hint: 'Close Pairlab and run: pairlab recover',
    }
}

function agrees(row: ItemEntry, text: string, offset: number, length: number, isPairs: boolean): boolean {
  const record = isPairs ? parseRecord(text) : parseItem(text)
  if (typeof record === 'string') return false
  const fresh = 'data' in record ? indexItem(record, offset, length) : indexPair(record, offset, length)
  return isDeepStrictEqual({ ...row, split: '' }, { ...fresh, split: '' })
}

/** Both are in the order of their numbers, so one walk compares them. */
async function* verifyJournal(
  file: string,
  db: ReadableDb,
  dataFolder: string,
  datasetId: string,
): AsyncGenerator<Trouble> {
  const damaged: string[] = []
  const differing: number[] = []
  const journal = readJournal(dataFolder, datasetId, (line, reason) => damaged.push(`line ${line}: ${reason}`))
  let written = journal.next()
  for (let last = 0, seen = 0; ;) {
    const rows = readEvents(db, datasetId, last, SLICE_ROWS)
    for (const row of rows) {
      while (written.done !== true && written.value.labelId < row.labelId) {
        differing.push(written.value.labelId)
        written = journal.next()
      }
      const same = written.done !== true && written.value.labelId === row.labelId
      if (!same || !isDeepStrictEqual(written.value, row)) differing.push(row.labelId)
      if (same) written = journal.next()
      last = row.labelId
    }
    if (rows.length === 0) break
    seen += rows.length
    if (seen % SLICE_ROWS === 0) await nextTurn()
  }
  for (; written.done !== true; written = journal.next()) differing.push(written.value.labelId)
  if (damaged.length > 0)
    yield {
      path: file,
      trouble: `${damaged.length} ${damaged.length === 1 ? 'line is' : 'lines are'} damaged, the first: ${damaged[0] ?? ''}.`,
      hint: 'The database has every label. Close Pairlab and run: pairlab recover',
    }
  else if (differing.length > 0)
    yield {
      path: file,
      trouble: `${differing.length} label events differ between it and the database, the first is number ${differing[0] ?? 0}.`,
      hint: 'Close Pairlab and run: pairlab recover',
    }
}

async function* verifyReport(file: string): AsyncGenerator<Trouble> {
  let line = 0
  let rest = ''
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      line += 1
      if (isRowProblem(text)) continue
      yield {
        path: file,
        trouble: `Line ${line} is damaged.`,
        hint: 'It lists rows that an import left out; nothing else needs it.',
      }
      return
    }
  }
  if (rest !== '')
    yield {
      path: file,
      trouble: 'It ends in the middle of a line.',
      hint: 'It lists rows that an import left out; nothing else needs it.',
    }
}

function isRowProblem(text: string): boolean {
  try {
    return rowProblem.safeParse(JSON.parse(text)).success
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** A view is named after its content. */
async function* verifyViews(folder: string): AsyncGenerator<Trouble> {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder).filter((one) => /^[0-9a-f]{64}\.jsonl$/.test(one))) {
    yield* guarded(path.join(folder, name), async function* (file) {
      if (`${await hashFile(file)}.jsonl` !== name)
        yield {
          path: file,
          trouble: 'It is not what was written: its sha256 differs from its name.',
          hint: 'Delete it. Runs that used it can be compared still, and not be resumed; a new run writes a view of its own.',
        }
    })
  }
}
