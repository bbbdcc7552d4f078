import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { ResponsePair } from '../../../shared/data-kinds.ts'
import { moveDurably } from '../../base/files/durable.ts'
import type { DatasetEntry } from '../store/datasets.ts'
import { iterateEvents } from '../store/labels-journal.ts'
import { eachPairWithAnswers, namesWithAnswers, type Answer } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { openRecords } from '../store/records.ts'
import { inSlices } from '../store/slices.ts'
import { withSnapshot } from '../store/snapshot.ts'
import { createAppendFile, type AppendFile } from './import-writer.ts'
import { LABEL_PREFIX, STRENGTH_PREFIX } from '../../core/formats/mapping-compile.ts'
import { createLineScanner } from '../../base/files/lines.ts'
import { notesOf, withMetadata, type Row } from './export-metadata.ts'
import { unpairedLines } from './export-unpaired.ts'
import { reduceLabels } from './reduce-labels.ts'
import { writeLines } from './write-lines.ts'

export type ExportFormat = 'preferences' | 'pairs-with-labels' | 'label-events'

const READ_BYTES = 128 * 1024

/**
 * Writes a data set into `exports/` under the data folder; half a file never has the final name. What `preferences`
 * and `pairs-with-labels` write can be imported again.
 */
export async function exportDataset(
  db: ReadableDb,
  dataFolder: string,
  dataset: DatasetEntry,
  format: ExportFormat,
): Promise<{ path: string; rows: number }> {
  const folder = path.join(dataFolder, 'exports')
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, `${fileStem(dataset.name)}-${format}-${timestamp(new Date())}.jsonl`)
  const temporary = `${file}.part`
  await rm(temporary, { force: true })
  const output = await createAppendFile(temporary)
  try {
    const rows = await writeAll(output, db, dataFolder, dataset, format)
    await output.finish()
    moveDurably(temporary, file)
    return { path: file, rows }
  } finally {
    await output.close()
    await rm(temporary, { force: true })
  }
}

/** Letters and digits of any script stay: names of files are read by people. */
function fileStem(name: string): string {
  const stem = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
  return [...stem].slice(0, 60).join('') || 'data-set'
}

function timestamp(at: Date): string {
  return at
    .toISOString()
    .replace(/[-:]/g, '')
    .replace('T', '-')
    .replace(/\.(\d+)Z$/, '-$1')
}

/** As it is when the export begins: what is labeled meanwhile is left for the next. */
function writeAll(
  output: AppendFile,
  db: ReadableDb,
  dataFolder: string,
  dataset: DatasetEntry,
  format: ExportFormat,
): Promise<number> {
  return withSnapshot(db, async (snapshot) => {
    if (format === 'label-events') return writeLines(output, eventLines(snapshot, dataset))
    const annotators = await inSlices(namesWithAnswers(snapshot, dataset.datasetId))
    if (dataset.kind === 'unpaired-responses')
      return writeLines(
        output,
        unpairedLines(snapshot, dataFolder, dataset, format === 'preferences' ? null : annotators),
      )
    return writeLines(
      output,
      pairLines(
        snapshot,
        dataFolder,
        dataset,
        format === 'preferences' ? preferenceRowOf : (record, given) => labeledRowOf(record, given, annotators),
      ),
    )
  })
}

function* eventLines(db: ReadableDb, { datasetId }: DatasetEntry): Generator<string> {
  for (const event of iterateEvents(db, datasetId)) yield JSON.stringify(event)
}

function* pairLines(
  db: ReadableDb,
  dataFolder: string,
  { datasetId }: DatasetEntry,
  rowOf: (record: ResponsePair, answers: readonly Answer[]) => Row | null,
): Generator<string> {
  const records = openRecords(dataFolder, datasetId)
  try {
    for (const { pair, answers } of eachPairWithAnswers(db, datasetId, [], true)) {
      const record = records.read(pair)
      const row = rowOf(record, answers)
      yield row === null ? '' : JSON.stringify(withMetadata({ ...row, split: pair.split }, record.metadata))
    }
  } finally {
    records.close()
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
    return [
      [`${LABEL_PREFIX}${annotator}`, answer?.outcome ?? null],
      [`${STRENGTH_PREFIX}${annotator}`, answer?.strength ?? null],
    ] as const
  })
  return {
    id: record.pairId,
    prompt: record.prompt,
    a: record.a,
    b: record.b,
    ...Object.fromEntries(labels),
    ...notesOf(answers),
    weight: record.weight,
    ...optional('reward_a', record.rewardA),
    ...optional('reward_b', record.rewardB),
  }
}

function optional(name: string, value: number | null): Row {
  return value === null ? {} : { [name]: value }
}

/** Lines as text; never more than one piece of the file in memory. */
export async function* streamLines(file: string, signal?: AbortSignal): AsyncGenerator<string> {
  const scanner = createLineScanner(Number.MAX_SAFE_INTEGER)
  const stream = createReadStream(file, { highWaterMark: READ_BYTES })
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
