import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { decodeNpy, encodeNpy } from '../../main/base/files/npy.ts'
import { readDocuments, readJudgments, readQueries } from '../../main/core/retrieval/read-beir.ts'
import {
  readCandidates,
  readIdTriples,
  readMarcoJudgments,
  readMarcoQueries,
  readPassages,
  readTextTriples,
} from '../../main/core/retrieval/read-msmarco.ts'
import { readTrecJudgments, readTrecRun } from '../../main/core/retrieval/trec.ts'
import { openSafeTensors } from '../../main/core/models/safetensors-file.ts'
import { readModel } from '../../main/core/models/read-model.ts'
import { readAppRecord } from '../../main/app/runs/app-record.ts'
import { indexRun } from '../../main/app/runs/rebuild.ts'
import { lockOwner } from '../../main/base/run-folder/lock.ts'
import { readControl } from '../../main/base/run-folder/control.ts'
import { readSpec } from '../../main/base/run-folder/spec.ts'
import { readAnnotatorsFile } from '../../main/app/store/annotators-file.ts'
import { readDatasetFile } from '../../main/app/store/datasets-file.ts'
import { draftDataset } from '../../main/app/store/datasets.ts'
import { readJournal } from '../../main/app/store/labels-journal.ts'
import { createScratch } from '../../main/app/store/open.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { readHere } from '../support/read-here.ts'
import { makeTinyRun } from '../support/tiny-run.ts'
import { fileTarget, jsonTarget, type Target } from './target.ts'

const fixture = (name: string): Buffer => readFileSync(path.join(import.meta.dirname, '../fixtures', name))
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const lines = (...values: readonly unknown[]): Buffer =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''))
const table = (separator: string): Buffer =>
  Buffer.from(['prompt,chosen,rejected', 'Why?,"a ""b""",c', 'Who?,d,e'].join('\n').replaceAll(',', separator))
const reader = readHere()

async function readPairs(file: string): Promise<void> {
  const { mapping, missingRoles } = await reader.ask('inspect', { path: file, options: { mapping: null, limit: 20 } })
  if (missingRoles.length === 0) await exhaust(reader.stream('pairs', { path: file, mapping }))
}

const readTexts = (file: string): Promise<void> => exhaust(reader.stream('texts', { path: file, options: {} }))
const readSegments = (file: string): Promise<void> =>
  exhaust(reader.stream('segments', { path: file, options: { world: 'point' } }))
const readLists = (file: string): Promise<void> => exhaust(reader.stream('rankings', { path: file }))

async function exhaust(pieces: AsyncIterable<unknown>): Promise<void> {
  for await (const _piece of pieces) continue
}

/** A header of JSON behind its length, then the numbers. */
function packTensors(header: Buffer): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, Buffer.alloc(16)])
}

const pairs = fixture('trl/standard_explicit.jsonl')
const answer = {
  labelId: 1,
  kind: 'answer',
  annotatorId: 'eva',
  pairId: 'p',
  pairIndex: 0,
  outcome: 'a',
  strength: null,
  comment: '',
  shownOrder: 'ab',
  durationMs: 1,
  targetId: null,
  clientKey: 'a-client-key',
  createdAtMs: 1,
}
const segment = {
  observations: [[0.1], [0.2]],
  actions: [[0.1], [0.2]],
  rewards: [0, 1],
  qpos: null,
  score: 1,
  behaviour: null,
  origin: null,
}
const events = [
  {
    seq: 1,
    atMs: 1,
    type: 'ready',
    protocolVersion: 1,
    engine: 'cpu',
    device: 'cpu',
    pid: 4,
    startedAtMs: 1,
    resumedFromStep: null,
  },
  { seq: 2, atMs: 2, type: 'fact', facts: { parameters: 3, text: 'x' } },
  { seq: 3, atMs: 3, type: 'metrics', columns: { step: [1, 2], loss: [0.5, null] } },
  {
    seq: 4,
    atMs: 4,
    type: 'sample',
    step: 2,
    items: [{ promptIndex: 0, pairId: 'p', prompt: 'q', completion: 'c', tokens: 1, reward: null, logRatio: null }],
  },
  { seq: 5, atMs: 5, type: 'checkpoint', step: 2, path: 'checkpoints/00000002', sizeBytes: 3, sha256: 'a', best: true },
  { seq: 6, atMs: 6, type: 'done', outcome: 'finished', summary: { loss: 0.5 } },
]

/** The file of a run's folder, beside a specification that is whole. */
const inRun = (name: string, seed: Buffer, read: (folder: string) => void): Target =>
  name.endsWith('.jsonl')
    ? fileTarget(`run ${name}`, `runs/tiny-1/${name}`, [seed], whole(read))
    : jsonTarget(`run ${name}`, `runs/tiny-1/${name}`, seed, whole(read))

const whole =
  (read: (folder: string) => void) =>
  (file: string): void => {
    const root = path.resolve(path.dirname(file), '../..')
    const changed = readFileSync(file)
    makeTinyRun(root)
    writeFileSync(file, changed)
    read(path.dirname(file))
  }

/** A damaged log costs its damaged lines; the run itself is listed. */
function indexAfresh(folder: string): void {
  const scratch = createScratch()
  try {
    let why: unknown = null
    const listed = indexRun(scratch, path.dirname(folder), path.basename(folder), (_text, details) => {
      why = details
    })
    if (!listed) throw new Error('the run is left out of the list', { cause: why })
  } finally {
    scratch.close()
  }
}

function readTensors(file: string): void {
  const tensors = openSafeTensors(file)
  try {
    for (const name of Object.keys(tensors.entries)) tensors.read(name)
  } finally {
    tensors.close()
  }
}

function readJournalCopy(file: string): void {
  for (const _event of readJournal(path.resolve(path.dirname(file), '../..'), 'set', () => undefined)) continue
}

/** One file of a BEIR folder is changed, the others are whole. */
const inBeir = (name: string): Target =>
  fileTarget(`beir ${name}`, name, [fixture(`beir_tiny/${name}`)], async (file) => {
    const root = path.resolve(file, ...name.split('/').map(() => '..'))
    const changed = readFileSync(file)
    cpSync(path.join(import.meta.dirname, '../fixtures/beir_tiny'), root, { recursive: true })
    writeFileSync(file, changed)
    await readLists(root)
  })

const modelFolder = mkdtempSync(path.join(tmpdir(), 'pairlab fuzz model '))
await makeModelFolder(modelFolder)
writeFileSync(path.join(modelFolder, 'README.md'), '---\nlicense: apache-2.0\nlanguage:\n- en\n---\n# A model\n')
process.on('exit', () => rmSync(modelFolder, { recursive: true, force: true }))

const inModel = (name: string): Target => {
  const seed = readFileSync(path.join(modelFolder, name))
  const read = async (file: string): Promise<void> => {
    const changed = readFileSync(file)
    cpSync(modelFolder, path.dirname(file), { recursive: true })
    writeFileSync(file, changed)
    await readModel(path.dirname(file))
  }
  return name.endsWith('.json')
    ? jsonTarget(`model ${name}`, name, seed, read)
    : fileTarget(`model ${name}`, name, [seed], read)
}

const tsv = (name: string, read: (file: string) => AsyncIterable<unknown>): Target =>
  fileTarget(name, name, [fixture(name)], (file) => exhaust(read(file)))

export const fileTargets: readonly Target[] = [
  fileTarget(
    'pairs jsonl',
    'pairs.jsonl',
    [pairs, fixture('arena/battles.jsonl'), fixture('hh-rlhf/train.jsonl')],
    readPairs,
  ),
  fileTarget(
    'pairs json',
    'pairs.json',
    [Buffer.from(`[${pairs.toString().trim().split('\n').join(',')}]`)],
    readPairs,
  ),
  fileTarget('pairs csv', 'pairs.csv', [table(',')], readPairs),
  fileTarget('pairs tsv', 'pairs.tsv', [table('\t')], readPairs),
  fileTarget('pairs gz', 'pairs.jsonl.gz', [pairs], readPairs, gzipSync),
  fileTarget(
    'texts jsonl',
    'texts.jsonl',
    [fixture('texts/triplet.jsonl'), fixture('texts/st_pairs.jsonl')],
    readTexts,
  ),
  fileTarget(
    'texts csv',
    'sts.csv',
    [fixture('texts/sts-train.csv'), Buffer.from('sentence1,sentence2,score\n"a, b",c,4.5\nd,e,1.0\n')],
    readTexts,
  ),
  fileTarget(
    'segments jsonl',
    'segments.jsonl',
    [lines({ world: null, a: segment, b: segment, preferred: 'a' })],
    readSegments,
  ),
  fileTarget(
    'segments npz',
    'segments.npz',
    [fixture('cpl/new_format.npz'), fixture('cpl/old_format.npz')],
    readSegments,
  ),
  fileTarget(
    'npy',
    'a.npy',
    [Buffer.from(encodeNpy([2, 2], new Float32Array(4)))],
    (file) => void decodeNpy(readFileSync(file), 'a'),
  ),
  fileTarget('letor', 'train.txt', [fixture('letor/train.txt')], readLists),
  ...['corpus.jsonl', 'queries.jsonl', 'qrels/test.tsv'].map(inBeir),
  fileTarget('beir rows', 'rows.jsonl', [fixture('beir_tiny/corpus.jsonl')], async (file) => {
    await exhaust(readDocuments(file))
    await exhaust(readQueries(file))
    await exhaust(readJudgments(file))
  }),
  tsv('msmarco/collection.tsv', readPassages),
  tsv('msmarco/queries.train.tsv', readMarcoQueries),
  tsv('msmarco/qrels.train.tsv', readMarcoJudgments),
  tsv('msmarco/triples.train.small.tsv', readTextTriples),
  tsv('msmarco/qidpidtriples.train.full.2.tsv', readIdTriples),
  tsv('msmarco/top1000.dev.tsv', readCandidates),
  fileTarget(
    'trec',
    'a.run',
    [Buffer.from('1 Q0 d1 1 2.5 bm25\n1 Q0 d2 2 1.5 bm25\n'), Buffer.from('1 0 d1 2\n1 0 d2 0\n')],
    async (file) => {
      await exhaust(readTrecRun(file))
      await exhaust(readTrecJudgments(file))
    },
  ),
  fileTarget(
    'safetensors',
    'model.safetensors',
    [json({ a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] }, __metadata__: { format: 'pt' } })],
    readTensors,
    packTensors,
  ),
  ...['config.json', 'tokenizer.json', 'README.md', 'model.safetensors'].map(inModel),
  jsonTarget(
    'run spec.json',
    'runs/tiny-1/spec.json',
    fixture('run-spec/spec.json'),
    (file) => void readSpec(path.dirname(file)),
  ),
  inRun('events.jsonl', lines(...events), indexAfresh),
  inRun('app.json', json({ methodName: 'SFT', mainMetric: null, note: '', ended: null }), (folder) => {
    readAppRecord(folder)
    indexAfresh(folder)
  }),
  inRun('control.json', json({ seq: 1, command: 'stop' }), (folder) => void readControl(folder)),
  inRun('trainer.lock', json({ pid: 4, started: '123' }), (folder) => void lockOwner(folder)),
  jsonTarget(
    'annotators.json',
    'annotators.json',
    json([{ annotatorId: 'eva', name: 'Eva', createdAtMs: 1, imported: false }]),
    (file) => void readAnnotatorsFile(path.dirname(file)),
  ),
  jsonTarget(
    'dataset.json',
    'datasets/set/dataset.json',
    json({
      formatVersion: 1,
      ...draftDataset({
        datasetId: 'set' as never,
        name: 'Set',
        kind: 'rankings',
        source: 's',
        licence: null,
        createdAtMs: 1,
        shownSeed: 's',
      }),
    }),
    (file) => void readDatasetFile(path.resolve(path.dirname(file), '../..'), 'set'),
  ),
  fileTarget(
    'journal',
    'datasets/set/labels.jsonl',
    [lines(answer, { ...answer, labelId: 2, kind: 'undo', outcome: null, targetId: 1, clientKey: 'another-key' })],
    readJournalCopy,
  ),
]
