import { createReadStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError } from '../../shared/errors.ts'
import type { ResponsePair } from '../../shared/data-kinds.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import { recordsPath } from '../store/datasets-folder.ts'
import { iterateEvents } from '../store/labels-journal.ts'
import { readAnswersByPair, type Answer } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { parseRecord, readSides } from '../store/pairs.ts'
import { createAppendFile, type AppendFile } from './import-writer.ts'
import { LABEL_PREFIX, STRENGTH_PREFIX } from './mapping-compile.ts'
import { createLineScanner } from './readers-lines.ts'
import { reduceLabels } from './reduce-labels.ts'

export type ExportFormat = 'preferences' | 'pairs-with-labels' | 'label-events'

const FLUSH_BYTES = 512 * 1024

/**
 * Writes a data set into `exports/` under the data folder; half a file never has the final name. What `preferences`
 * and `pairs-with-labels` write can be imported again.
 */
export async function exportDataset(db: ReadableDb, dataFolder: string, dataset: DatasetEntry, format: ExportFormat): Promise<{ path: string; rows: number }> {
  const folder = path.join(dataFolder, 'exports')
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, `${fileStem(dataset.name)}-${format}-${timestamp(new Date())}.jsonl`)
  const temporary = `${file}.part`
  await rm(temporary, { force: true })
  const output = await createAppendFile(temporary)
  try {
    const rows = await writeAll(output, format === 'label-events' ? eventRows(db, dataset) : pairRows(db, dataFolder, dataset, format))
    await output.finish()
    await rename(temporary, file)
    return { path: file, rows }
  } finally {
    await output.close()
    await rm(temporary, { force: true })
  }
}

/** Letters and digits of any script stay: names of files are read by people. */
function fileStem(name: string): string {
  const stem = name.normalize('NFC').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '')
  return [...stem].slice(0, 60).join('') || 'data-set'
}

function timestamp(at: Date): string {
  return at.toISOString().replace(/[-:]/g, '').replace('T', '-').replace(/\.(\d+)Z$/, '-$1')
}

type Row = Readonly<Record<string, unknown>>

async function writeAll(output: AppendFile, rows: AsyncIterable<Row>): Promise<number> {
  let count = 0
  let waiting: string[] = []
  let waitingLength = 0
  for await (const row of rows) {
    const line = `${JSON.stringify(row)}\n`
    waiting.push(line)
    waitingLength += line.length
    count += 1
    if (waitingLength < FLUSH_BYTES) continue
    await output.append(waiting.join(''))
    waiting = []
    waitingLength = 0
  }
  await output.append(waiting.join(''))
  return count
}

async function* eventRows(db: ReadableDb, dataset: DatasetEntry): AsyncGenerator<Row> {
  let count = 0
  for (const event of iterateEvents(db, dataset.datasetId)) {
    yield event
    count += 1
    if (count % 5000 === 0) await nextTurn()
  }
}

async function* pairRows(db: ReadableDb, dataFolder: string, dataset: DatasetEntry, format: 'preferences' | 'pairs-with-labels'): AsyncGenerator<Row> {
  const answers = readAnswersByPair(db, dataset.datasetId)
  const splits = readSides(db, dataset.datasetId)
  const annotators = [...new Set([...answers.values()].flatMap((list) => list.map((answer) => answer.annotatorId)))].sort()
  for await (const { record } of streamRecords(recordsPath(dataFolder, dataset.datasetId))) {
    const given = answers.get(record.index) ?? []
    const row = format === 'preferences' ? preferenceRowOf(record, given) : labeledRowOf(record, given, annotators)
    if (row !== null) yield withMetadata({ ...row, split: splits[record.index] ?? 'train' }, record.metadata)
  }
}

/**
 * TRL's explicit layout. `preference` is P(chosen preferred) over the labels, and `label:majority` says `tie` where it
 * is ½, so that a reader who looks further than the two columns is not misled. Pairs without a preference are left out.
 */
function preferenceRowOf(record: ResponsePair, answers: readonly Answer[]): Row | null {
  const reduced = reduceLabels(answers, 'mean')
  if (reduced.kind !== 'preference') return null
  const flip = reduced.preferenceA < 0.5
  const preference = flip ? 1 - reduced.preferenceA : reduced.preferenceA
  return {
    id: record.pairId,
    prompt: record.prompt,
    chosen: flip ? record.b : record.a,
    rejected: flip ? record.a : record.b,
    preference,
    strength: reduced.strength,
    labels: reduced.labelCount,
    [`${LABEL_PREFIX}majority`]: preference === 0.5 ? 'tie' : 'a',
    weight: record.weight,
    ...optional('score_chosen', flip ? record.rewardB : record.rewardA),
    ...optional('score_rejected', flip ? record.rewardA : record.rewardB),
  }
}

/** Every pair in the order of the file, and one column a person; null where someone said nothing. */
function labeledRowOf(record: ResponsePair, answers: readonly Answer[], annotators: readonly string[]): Row {
  const labels = annotators.flatMap((annotator) => {
    const answer = answers.find((candidate) => candidate.annotatorId === annotator)
    return [[`${LABEL_PREFIX}${annotator}`, answer?.outcome ?? null], [`${STRENGTH_PREFIX}${annotator}`, answer?.strength ?? null]] as const
  })
  return {
    id: record.pairId,
    prompt: record.prompt,
    a: record.a,
    b: record.b,
    ...Object.fromEntries(labels),
    weight: record.weight,
    ...optional('reward_a', record.rewardA),
    ...optional('reward_b', record.rewardB),
  }
}

function optional(name: string, value: number | null): Row {
  return value === null ? {} : { [name]: value }
}

/** Metadata under its own names, except where a column of the export has the name already. */
function withMetadata(row: Row, metadata: ResponsePair['metadata']): Row {
  const all = new Map(Object.entries(row))
  for (const [name, value] of Object.entries(metadata)) {
    let free = name.startsWith(LABEL_PREFIX) ? `metadata.${name}` : name
    while (all.has(free) || (free !== name && Object.hasOwn(metadata, free))) free = `metadata.${free}`
    all.set(free, value)
  }
  return Object.fromEntries(all)
}

/**
 * The records of a data set in order, from their file: the database may be written to meanwhile.
 * @param signal ends the reading; its reason is thrown
 */
export async function* streamRecords(file: string, signal?: AbortSignal): AsyncGenerator<{ readonly record: ResponsePair; readonly line: string }> {
  for await (const line of streamLines(file, signal)) {
    const record = parseRecord(line)
    if (typeof record === 'string') throw new AppError({ code: 'dataset-invalid', message: `${file} holds a line that is no record: ${record}.`, hint: 'The file was changed after the import. Put a copy back, or import the source file again.' })
    yield { record, line }
  }
}

/** Lines as text; never more than one piece of the file in memory. */
export async function* streamLines(file: string, signal?: AbortSignal): AsyncGenerator<string> {
  const scanner = createLineScanner(Number.MAX_SAFE_INTEGER)
  const stream = createReadStream(file, { highWaterMark: FLUSH_BYTES })
  try {
    for await (const chunk of stream) {
      signal?.throwIfAborted()
      for (const line of scanner.push(chunk as Buffer)) yield line.bytes?.toString('utf8') ?? '' // no encoding was set
    }
    for (const line of scanner.end()) yield line.bytes?.toString('utf8') ?? ''
  } finally {
    stream.destroy()
  }
}
