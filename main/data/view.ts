import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { invariant } from '../../shared/assert.ts'
import { extraRecord, type ExtraRecord, type ItemRow, type PreferenceRow, type SplitName } from '../../shared/data-kinds.ts'
import { AppError } from '../../shared/errors.ts'
import type { DataSpec } from '../../shared/run-spec.ts'
import { requireDataset } from '../store/datasets.ts'
import { recordsPath, syncFolder, viewsFolder } from '../store/datasets-folder.ts'
import { readAnswersByPair } from '../store/labels-read.ts'
import type { ReadableDb } from '../store/open.ts'
import { iteratePairs, openRecords, parseItem, readPromptHashes, readSides } from '../store/pairs.ts'
import { reduceLabels } from './reduce-labels.ts'
import { assignSplits, keepsSourceSplit } from './split.ts'

/** A frozen file of PreferenceRow lines, and what is in it. */
export interface View {
  readonly viewPath: string
  /** sha256 of the file's bytes: records, labels and split together. */
  readonly viewHash: string
  /** Of the records. */
  readonly fingerprint: string
  readonly datasetName: string
  /** Pairs with a preference, by side. */
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number }
  /** Labels behind those pairs. */
  readonly labelCount: number
  /** Share of those pairs whose preference is exactly ½; null when there are none. */
  readonly tieShare: number | null
  /** Pairs left out: nobody chosen has labeled them, or only skipped. */
  readonly unlabeledCount: number
  /** Pairs left out because every label that counts says both are bad. */
  readonly bothBadCount: number
}

const FLUSH_BYTES = 1024 * 1024

/**
 * Writes what a trainer reads: every pair with a preference in force, its labels reduced to one soft preference, its
 * side of the split. The file is named after its content and never changes, so that later labels leave a run alone.
 * @throws AppError `not-found`, `dataset-invalid` when no pair has a label that counts
 */
export function buildView(db: ReadableDb, dataFolder: string, spec: DataSpec): View {
  const dataset = requireDataset(db, spec.datasetId)
  // Sides of the source stay; sides that are drawn are drawn as the run asks.
  const splits = keepsSourceSplit(dataset.mapping) ? readSides(db, spec.datasetId) : assignSplits(readPromptHashes(db, spec.datasetId), spec.split)
  const folder = viewsFolder(dataFolder, spec.datasetId)
  mkdirSync(folder, { recursive: true })
  const writer = openHashedFile(folder)
  try {
    const write = (row: PreferenceRow | ItemRow | ExtraRecord): void => writer.write(`${JSON.stringify(row)}\n`)
    const totals = dataset.kind === 'response-pairs' ? writeRows(db, dataFolder, spec, splits, write) : writeItems(db, dataFolder, spec, splits, write)
    const pairs = totals.counts.train + totals.counts.validation + totals.counts.test
    if (pairs === 0) {
      throw new AppError({
        code: 'dataset-invalid',
        message: `No pair of "${dataset.name}" has a label that counts${spec.annotators.length > 0 ? ` from ${spec.annotators.join(', ')}` : ''}.`,
        hint: 'Label some pairs first, or choose other annotators.',
      })
    }
    const file = writer.finish()
    return {
      viewPath: file.path,
      viewHash: file.hash,
      fingerprint: dataset.fingerprint,
      datasetName: dataset.name,
      counts: totals.counts,
      labelCount: totals.labels,
      tieShare: totals.ties / pairs,
      unlabeledCount: totals.unlabeled,
      bothBadCount: totals.bothBad,
    }
  } finally {
    writer.discard()
  }
}

interface Totals {
  readonly counts: Record<SplitName, number>
  labels: number
  ties: number
  unlabeled: number
  bothBad: number
}

function writeRows(db: ReadableDb, dataFolder: string, spec: DataSpec, splits: readonly SplitName[], write: (row: PreferenceRow) => void): Totals {
  const answers = readAnswersByPair(db, spec.datasetId, spec.annotators)
  const records = openRecords(dataFolder, spec.datasetId)
  const totals: Totals = { counts: { train: 0, validation: 0, test: 0 }, labels: 0, ties: 0, unlabeled: 0, bothBad: 0 }
  try {
    for (const pair of iteratePairs(db, spec.datasetId)) {
      const reduced = reduceLabels(answers.get(pair.index) ?? [], spec.aggregation)
      if (reduced.kind !== 'preference') {
        if (reduced.kind === 'both-bad') totals.bothBad += 1
        else totals.unlabeled += 1
        continue
      }
      const record = records.read(pair)
      const split = splits[pair.index]
      invariant(split !== undefined, `pair ${pair.index} has a side of the split`)
      const { preferenceA, strength, labelCount } = reduced
      write({ pairId: pair.pairId, split, prompt: record.prompt, a: record.a, b: record.b, preferenceA, strength, weight: record.weight, rewardA: record.rewardA, rewardB: record.rewardB, labelCount })
      totals.counts[split] += 1
      totals.labels += labelCount
      if (preferenceA === 0.5) totals.ties += 1
    }
  } finally {
    records.close()
  }
  return totals
}

/** Items of another kind, judged by people or not, and what they refer to. A side that the source gives is kept. */
function writeItems(db: ReadableDb, dataFolder: string, spec: DataSpec, splits: readonly SplitName[], write: (row: ItemRow | ExtraRecord) => void): Totals {
  const answers = readAnswersByPair(db, spec.datasetId, spec.annotators)
  const records = openRecords(dataFolder, spec.datasetId)
  const totals: Totals = { counts: { train: 0, validation: 0, test: 0 }, labels: 0, ties: 0, unlabeled: 0, bothBad: 0 }
  let end = 0
  try {
    for (const entry of iteratePairs(db, spec.datasetId)) {
      end = entry.byteOffset + entry.byteLength + 1
      const item = parseItem(records.readLine(entry))
      if (typeof item === 'string') throw new AppError({ code: 'dataset-invalid', message: `Item ${entry.index + 1} of ${recordsPath(dataFolder, spec.datasetId)} cannot be read: ${item}.`, hint: 'The file was changed after it was written. Put a copy back, or make the data set again.' })
      const split = item.split ?? splits[entry.index]
      invariant(split !== undefined, `item ${entry.index} has a side of the split`)
      const reduced = reduceLabels(answers.get(entry.index) ?? [], spec.aggregation)
      const judged = reduced.kind === 'preference' ? reduced : { preferenceA: null, strength: 1, labelCount: 0 }
      write({ pairId: item.pairId, split, preferenceA: judged.preferenceA, strength: judged.strength, labelCount: judged.labelCount, data: item.data })
      totals.counts[split] += 1
      totals.labels += judged.labelCount
      if (judged.preferenceA === 0.5) totals.ties += 1
      if (judged.preferenceA === null) totals.unlabeled += 1
    }
    for (const line of linesFrom(recordsPath(dataFolder, spec.datasetId), end)) write(extraRecord.parse(JSON.parse(line)))
  } finally {
    records.close()
  }
  return totals
}

interface HashedFile {
  write(text: string): void
  /** Names the file after its content and makes sure that it is on the disk. */
  finish(): { readonly path: string; readonly hash: string }
  /** Takes an unfinished file away; nothing after `finish`. */
  discard(): void
}

function openHashedFile(folder: string): HashedFile {
  const temporary = path.join(folder, `.${process.pid}-${randomBytes(6).toString('hex')}.tmp`)
  const handle = openSync(temporary, 'wx')
  const hash = createHash('sha256')
  let waiting: string[] = []
  let waitingLength = 0
  let open = true
  function flush(): void {
    const bytes = Buffer.from(waiting.join(''))
    for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written)
    hash.update(bytes)
    waiting = []
    waitingLength = 0
  }
  return {
    write(text) {
      waiting.push(text)
      waitingLength += text.length
      if (waitingLength >= FLUSH_BYTES) flush()
    },
    finish() {
      flush()
      fsyncSync(handle)
      closeSync(handle)
      open = false
      const digest = hash.digest('hex')
      const file = path.join(folder, `${digest}.jsonl`)
      if (existsSync(file)) rmSync(temporary)
      else renameSync(temporary, file)
      syncFolder(folder)
      return { path: file, hash: digest }
    },
    discard() {
      if (!open) return
      closeSync(handle)
      open = false
      rmSync(temporary, { force: true })
    },
  }
}

const READ_BYTES = 1024 * 1024

/** Whole lines of a file from a byte on, one at a time. */
function* linesFrom(file: string, start: number): Generator<string> {
  const handle = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(READ_BYTES)
    let rest: Buffer = Buffer.alloc(0)
    for (let position = start; ;) {
      const count = readSync(handle, buffer, 0, READ_BYTES, position)
      if (count === 0) break
      position += count
      const whole = Buffer.concat([rest, buffer.subarray(0, count)])
      let from = 0
      for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, from)) {
        yield whole.toString('utf8', from, at)
        from = at + 1
      }
      rest = whole.subarray(from)
    }
  } finally {
    closeSync(handle)
  }
}
