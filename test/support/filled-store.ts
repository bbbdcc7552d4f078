import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { assignSplits } from '../../main/app/data/split.ts'
import { insertDataset, publishDataset, type DatasetEntry } from '../../main/app/store/datasets.ts'
import { writeDatasetFile } from '../../main/app/store/datasets-file.ts'
import { datasetFolder, recordsPath } from '../../main/app/store/datasets-folder.ts'
import type { WritableDb } from '../../main/app/store/open.ts'
import { indexPair } from '../../main/core/formats/item-entry.ts'
import { countPrompts, insertItems, readPromptHashes, setSplits } from '../../main/app/store/items.ts'
import type { ResponsePair, SplitName } from '../../shared/data-kinds.ts'
import type { DatasetId } from '../../shared/domain.ts'

export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'pairlab tést '))
}

/** Two pairs share each prompt; a is longer than b in every third pair. */
export function makeRecord(index: number): ResponsePair {
  return {
    pairId: `pair-${index}`,
    index,
    line: index + 1,
    prompt: `Question ${Math.floor(index / 2)}: who was the émigré number ${Math.floor(index / 2)}?`,
    a: index % 3 === 0 ? `a rather long answer ${index} with many words` : `short ${index}`,
    b: `an answer of five ${index}`,
    rewardA: null,
    rewardB: null,
    weight: 1,
    metadata: {},
  }
}

/** Sides that the file itself names, and how many prompts its pairs are of. */
interface SourcedSides {
  readonly prompts: number
  readonly split: (index: number) => SplitName
}

/** Adds a published data set the way an import does: records.jsonl, its index, dataset.json. */
export function addDataset(
  db: WritableDb,
  dataFolder: string,
  id: string,
  itemCount: number,
  source: SourcedSides | null = null,
): DatasetEntry {
  mkdirSync(datasetFolder(dataFolder, id), { recursive: true })
  const records = Array.from({ length: itemCount }, (_, index) => ({
    ...makeRecord(index),
    ...(source === null ? {} : { prompt: `prompt ${index % source.prompts}` }),
  }))
  const lines = records.map((record) => Buffer.from(JSON.stringify(record)))
  const file = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
  writeFileSync(recordsPath(dataFolder, id), file)
  const entry: DatasetEntry = {
    datasetId: id as DatasetId,
    name: `Set ${id}`,
    kind: 'response-pairs',
    fingerprint: createHash('sha256').update(file).digest('hex'),
    source: 'made by a test',
    licence: 'CC0-1.0',
    createdAtMs: 1_700_000_000_000,
    itemCount,
    promptCount: 0,
    rejectedRowCount: 1,
    warningCount: 2,
    mapping: {
      format: 'jsonl',
      layout: 'mapped',
      columns: { p: 'prompt', ...(source === null ? {} : { s: 'split' as const }) },
      labelValues: { a: ['1'], b: ['2'], tie: ['0'], bothBad: [], skip: [] },
      labelScale: null,
      labelsSaidBy: 'person',
      labelWords: '',
      flip: false,
    },
    guideline: 'Prefer the true one.',
    question: 'Which is truer?',
    split: { seed: 3, validation: 0.1, test: 0.2 },
    shownSeed: 'seed',
  }
  insertDataset(db, entry)
  let offset = 0
  const pairs = records.map((record, index) => {
    const length = lines[index]?.length ?? 0
    const pair = indexPair(record, offset, length)
    offset += length + 1
    return pair
  })
  insertItems(db, id, pairs)
  const given = records.map((_record, index) => source?.split(index) ?? null)
  setSplits(db, id, entry.split, assignSplits(readPromptHashes(db, id), entry.split, given))
  const complete = { ...entry, promptCount: countPrompts(db, id) }
  writeDatasetFile(dataFolder, complete)
  publishDataset(db, id, complete)
  return complete
}
