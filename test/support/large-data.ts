import { mkdirSync, openSync, closeSync, writeSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import path from 'node:path'
import { createPromptTable } from '../../main/app/data/import-split.ts'
import { writeAppRecord } from '../../main/app/runs/app-record.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { writeSpec } from '../../main/base/run-folder/spec.ts'
import { addAnnotator } from '../../main/app/store/annotators.ts'
import { writeAnnotatorsFile } from '../../main/app/store/annotators-file.ts'
import { insertDataset, publishDataset, type DatasetEntry } from '../../main/app/store/datasets.ts'
import { writeDatasetFile } from '../../main/app/store/datasets-file.ts'
import { datasetFolder, recordsPath } from '../../main/app/store/datasets-folder.ts'
import { markSplits } from '../../main/app/store/imports.ts'
import type { ImportedLabel } from '../../main/core/formats/parsed-rows.ts'
import { insertImportedLabels } from '../../main/app/store/labels.ts'
import { openStore } from '../../main/app/store/open.ts'
import { indexPair } from '../../main/core/formats/item-entry.ts'
import { insertItems } from '../../main/app/store/items.ts'
import { importMapping } from '../../shared/contract/import-mapping.ts'
import type { ResponsePair } from '../../shared/data-kinds.ts'
import type { DatasetId, RunId } from '../../shared/domain.ts'
import { runSpec } from '../../shared/run-spec.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { createRandom } from './seeded.ts'

export interface LargeSize {
  readonly pairs: number
  readonly runs: number
  /** Training steps of each run, each a point of four curves. */
  readonly steps: number
}

export const LARGE_DATASET = 'large' as DatasetId // made below
export const LARGE_PERSON = 'Eva'
const BATCH = 5000
const SEEDS_A_GROUP = 5
const WORDS =
  'the quick brown fox jumps over a lazy dog while seven wizards box quietly and nobody knows why it rains so often in autumn'.split(
    ' ',
  )

/**
 * A data folder with one data set, labeled by two people, and folders of finished runs that no index has yet: as after
 * `pairlab recover`. Made through the store, without reading a file.
 */
export async function makeLargeData(folder: string, size: LargeSize): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const store = openStore(folder)
  try {
    addAnnotator(store.db, LARGE_PERSON, 1)
    await addPairs(store.db, folder, size.pairs)
    addLabels(store.db, folder, size.pairs)
    writeAnnotatorsFile(store.db, folder)
  } finally {
    store.close()
  }
  for (let index = 0; index < size.runs; index += 1) addRun(folder, index, size)
}

function makeRecord(index: number, random: () => number): ResponsePair {
  const text = (words: number): string =>
    Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ')
  return {
    pairId: `pair-${index}`,
    index,
    line: index + 1,
    prompt: `Question ${index >> 1}: ${text(8)}?`,
    a: text(4 + Math.floor(random() * 20)),
    b: text(4 + Math.floor(random() * 20)),
    rewardA: null,
    rewardB: null,
    weight: 1,
    metadata: {},
  }
}

async function addPairs(db: Parameters<typeof insertItems>[0], folder: string, count: number): Promise<void> {
  mkdirSync(datasetFolder(folder, LARGE_DATASET), { recursive: true })
  const split = { seed: 3, validation: 0.1, test: 0.2 }
  const entry: DatasetEntry = {
    datasetId: LARGE_DATASET,
    name: 'Large',
    kind: 'response-pairs',
    fingerprint: '',
    source: 'made here',
    licence: null,
    createdAtMs: 1_700_000_000_000,
    itemCount: count,
    promptCount: 0,
    rejectedRowCount: 0,
    warningCount: 0,
    mapping: importMapping.parse({ format: 'jsonl', layout: 'mapped', columns: { p: 'prompt' } }),
    guideline: '',
    question: 'Which is better?',
    split,
    shownSeed: 'seed',
  }
  insertDataset(db, entry)
  const random = createRandom(1)
  const hash = createHash('sha256')
  const prompts = createPromptTable()
  const handle = openSync(recordsPath(folder, LARGE_DATASET), 'w')
  let offset = 0
  for (let from = 0; from < count; from += BATCH) {
    const lines: string[] = []
    const pairs = Array.from({ length: Math.min(BATCH, count - from) }, (_, step) => {
      const record = makeRecord(from + step, random)
      const line = JSON.stringify(record)
      const length = Buffer.byteLength(line)
      const pair = indexPair(record, offset, length)
      offset += length + 1
      prompts.add(pair.promptHash)
      lines.push(`${line}\n`)
      return pair
    })
    const bytes = Buffer.from(lines.join(''))
    hash.update(bytes)
    writeSync(handle, bytes)
    insertItems(db, LARGE_DATASET, pairs)
  }
  closeSync(handle)
  for (const _ of markSplits(db, LARGE_DATASET, count, await prompts.assign(split))) continue
  const complete = { ...entry, fingerprint: hash.digest('hex'), promptCount: prompts.promptCount }
  writeDatasetFile(folder, complete)
  publishDataset(db, LARGE_DATASET, complete)
}

function addLabels(db: Parameters<typeof insertImportedLabels>[0], folder: string, count: number): void {
  const random = createRandom(2)
  for (let from = 0; from < count; from += BATCH) {
    const labels: ImportedLabel[] = []
    for (let pairIndex = from; pairIndex < Math.min(from + BATCH, count); pairIndex += 1) {
      for (const annotator of ['first', 'second'])
        labels.push({
          pairIndex,
          annotator,
          outcome: random() < 0.1 ? 'tie' : random() < 0.6 ? 'a' : 'b',
          strength: null,
        })
    }
    insertImportedLabels(db, folder, LARGE_DATASET, labels, 1)
  }
}

export function largeRunId(index: number): RunId {
  return `large-${index}` as RunId // its form is right
}

/** A finished run: `steps` points of four training curves, and fifty of four held-out ones. */
function addRun(folder: string, index: number, { pairs, steps }: LargeSize): void {
  const runFolder = path.join(folder, 'runs', largeRunId(index))
  mkdirSync(runFolder, { recursive: true })
  const group = Math.floor(index / SEEDS_A_GROUP)
  const view = createHash('sha256').update('view').digest('hex')
  writeSpec(
    runFolder,
    runSpec.parse({
      formatVersion: 1,
      runId: largeRunId(index),
      name: 'large',
      appVersion: '0.0.0',
      createdAtMs: 1_700_000_000_000 + index,
      method: 'sft',
      config: {},
      training: trainingConfig.parse({ steps, learningRate: 1e-4 * (group + 1) }),
      groupHash: createHash('sha256').update(String(group)).digest('hex'),
      seed: index % SEEDS_A_GROUP,
      engine: 'cpu',
      data: {
        datasetId: LARGE_DATASET,
        datasetName: 'Large',
        fingerprint: 'f',
        split: { seed: 0, validation: 0.1, test: 0.2 },
        annotators: [],
        aggregation: 'mean',
        viewHash: view,
        viewPath: path.join(datasetFolder(folder, LARGE_DATASET), 'views', `${view}.jsonl`),
        labelCount: pairs,
        counts: { train: pairs, validation: 0, test: 0 },
      },
      model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
      judge: null,
      rewardModelPath: null,
      cacheFolder: path.join(folder, 'cache'),
    }),
  )
  writeAppRecord(runFolder, { methodName: 'SFT', mainMetric: 'eval/loss', note: '', ended: null })
  writeFileSync(runPaths(runFolder).log, 'trained\n')
  const random = createRandom(index)
  const lines: string[] = []
  const add = (body: object): void =>
    void lines.push(JSON.stringify({ seq: lines.length + 1, atMs: 1_700_000_000_000 + lines.length, ...body }))
  add({
    type: 'ready',
    protocolVersion: 1,
    engine: 'cpu',
    device: 'cpu',
    pid: 1,
    startedAtMs: 1_700_000_000_000,
    resumedFromStep: null,
  })
  add({ type: 'phase', phase: 'training', done: null, total: null })
  const evalEvery = Math.max(1, Math.floor(steps / 50))
  for (let from = 1; from <= steps; from += 10) {
    const step = Array.from({ length: Math.min(10, steps + 1 - from) }, (_, at) => from + at)
    const column = (): number[] => step.map((at) => 1 / (at + 10) + random())
    add({
      type: 'metrics',
      columns: {
        step,
        wallMs: step.map((at) => at * 10),
        'train/loss': column(),
        'train/grad_norm': column(),
        'train/learning_rate': column(),
        'train/tokens_per_sec': column(),
      },
    })
    const evaluated = step.filter((at) => at % evalEvery === 0)
    const held = (): number[] => evaluated.map(() => random())
    if (evaluated.length > 0)
      add({
        type: 'metrics',
        columns: {
          step: evaluated,
          wallMs: evaluated.map((at) => at * 10),
          'eval/loss': held(),
          'eval/accuracy': held(),
          'eval/margin': held(),
          'eval/entropy': held(),
        },
      })
  }
  add({
    type: 'sample',
    step: steps,
    items: Array.from({ length: 4 }, (_, at) => ({
      promptIndex: at,
      pairId: `pair-${at}`,
      prompt: `Question ${at}?`,
      completion: 'an answer '.repeat(20),
      tokens: 40,
      reward: null,
      logRatio: null,
    })),
  })
  add({ type: 'done', outcome: 'finished', summary: { 'eval/loss': random() } })
  writeFileSync(runPaths(runFolder).events, `${lines.join('\n')}\n`)
}
