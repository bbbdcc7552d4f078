import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { z } from 'zod'
import { AppError } from '../../../../shared/errors.ts'
import type { SplitName } from '../../../../shared/data-kinds.ts'
import { segmentPair, type Segment, type SegmentPair } from '../../../../shared/segment-pair.ts'
import { moveDurably } from '../../../base/files/durable.ts'
import { DEFAULT_SPLIT, type DatasetEntry } from '../../store/datasets.ts'
import { eachPairWithAnswers, type Answer } from '../../store/labels-read.ts'
import type { ReadableDb } from '../../store/open.ts'
import { openRecords, parseItem } from '../../store/records.ts'
import { withSnapshot } from '../../store/snapshot.ts'
import { createAppendFile } from '../import-writer.ts'
import { reduceLabels } from '../reduce-labels.ts'
import { writeNpz, type ArrayToWrite } from '../../../core/formats/npz.ts'
import type { segmentLine } from '../../../core/formats/read-segments.ts'

export type SegmentFormat = 'segments-jsonl' | 'cpl-npz'

interface StoredPair {
  readonly pairId: string
  readonly pair: SegmentPair
  /** P(a preferred); null where nobody judged. */
  readonly preferenceA: number | null
  /** In force, each by itself. */
  readonly answers: readonly Answer[]
  /** Null where the usual draw gives it again. */
  readonly split: SplitName | null
}

function* storedPairs(db: ReadableDb, dataFolder: string, { datasetId, split }: DatasetEntry): Generator<StoredPair> {
  const { seed, validation, test } = DEFAULT_SPLIT
  const isUsual = split.seed === seed && split.validation === validation && split.test === test
  const records = openRecords(dataFolder, datasetId)
  try {
    for (const { pair: entry, answers } of eachPairWithAnswers(db, datasetId)) {
      const item = parseItem(records.readLine(entry))
      if (typeof item === 'string')
        throw new AppError({
          code: 'dataset-invalid',
          message: `Pair ${entry.index + 1} cannot be read: ${item}.`,
          hint: 'The file was changed after it was written. Put a copy back, or make the data set again.',
        })
      const reduced = reduceLabels(answers, 'mean')
      yield {
        pairId: item.pairId,
        pair: segmentPair.parse(item.data),
        preferenceA: reduced.kind === 'preference' ? reduced.preferenceA : null,
        answers,
        split: isUsual && item.split === null ? null : entry.split,
      }
    }
  } finally {
    records.close()
  }
}

/** Writes into `exports/` under the data folder; half a file never has the final name. JSON Lines give the same data set again; an npz keeps what CPL's code reads. */
export async function exportSegments(
  db: ReadableDb,
  dataFolder: string,
  dataset: DatasetEntry,
  format: SegmentFormat,
): Promise<{ path: string; rows: number }> {
  if (dataset.kind !== 'segment-pairs')
    throw new AppError({
      code: 'usage-invalid',
      message: `"${dataset.name}" holds ${dataset.kind}, not segments.`,
      hint: 'Choose another format.',
    })
  const folder = path.join(dataFolder, 'exports')
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, `${dataset.datasetId}-${Date.now()}.${format === 'cpl-npz' ? 'npz' : 'jsonl'}`)
  const temporary = `${file}.part`
  try {
    const rows = await withSnapshot(db, (snapshot) => {
      const pairs = storedPairs(snapshot, dataFolder, dataset)
      return format === 'cpl-npz' ? writeArrays(temporary, [...pairs]) : writeLines(temporary, pairs)
    })
    moveDurably(temporary, file)
    return { path: file, rows }
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeLines(file: string, pairs: Iterable<StoredPair>): Promise<number> {
  const output = await createAppendFile(file)
  let rows = 0
  try {
    for (const { pairId, pair, preferenceA, answers, split } of pairs) {
      const line: z.input<typeof segmentLine> = {
        id: pairId,
        ...pair,
        preferred: preferenceA === null ? null : preferenceA > 0.5 ? 'a' : preferenceA < 0.5 ? 'b' : 'tie',
        judge: 'labels',
        labels: answers.map(({ annotatorId, outcome, strength }) => ({ annotator: annotatorId, outcome, strength })),
        ...(split === null ? {} : { split }),
      }
      await output.append(`${JSON.stringify(line)}\n`)
      rows += 1
    }
    await output.finish()
  } finally {
    await output.close()
  }
  return rows
}

/** CPL's present form where every segment has a score, else the older one with labels. @throws AppError where neither can hold them */
async function writeArrays(file: string, pairs: readonly StoredPair[]): Promise<number> {
  const [firsts, seconds] = [pairs.map(({ pair }) => pair.a), pairs.map(({ pair }) => pair.b)]
  const all = [...firsts, ...seconds]
  const time = all[0]?.observations.length ?? 0
  if (all.some((segment) => segment.observations.length !== time))
    throw new AppError({
      code: 'usage-invalid',
      message: 'The segments are of different lengths, which this format cannot hold.',
      hint: 'Export JSON Lines.',
    })
  if (all.every((segment) => segment.score !== null)) {
    await writeNpz(file, {
      obs: stack(all, 'observations'),
      action: stack(all, 'actions'),
      reward: stack(all, 'rewards'),
      rl_sum: { shape: [all.length], data: Float32Array.from(all, (segment) => segment.score!) },
    })
  } else {
    if (pairs.some(({ preferenceA }) => preferenceA === null))
      throw new AppError({
        code: 'usage-invalid',
        message: 'Some pairs have neither scores nor labels, which this format cannot hold.',
        hint: 'Label them first, or export JSON Lines.',
      })
    const labels = { shape: [pairs.length], data: Float32Array.from(pairs, ({ preferenceA }) => 1 - preferenceA!) }
    await writeNpz(file, {
      obs_1: stack(firsts, 'observations'),
      obs_2: stack(seconds, 'observations'),
      action_1: stack(firsts, 'actions'),
      action_2: stack(seconds, 'actions'),
      reward_1: stack(firsts, 'rewards'),
      reward_2: stack(seconds, 'rewards'),
      label: labels,
    })
  }
  return pairs.length
}

function stack(segments: readonly Segment[], name: 'observations' | 'actions' | 'rewards'): ArrayToWrite {
  const first = segments[0]![name]
  const inner = Array.isArray(first[0]) ? [first[0].length] : []
  return {
    shape: [segments.length, first.length, ...inner],
    data: Float32Array.from(segments.flatMap((segment) => (segment[name] as (number | number[])[]).flat())),
  } // rows or numbers
}
