import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { encodeSafeTensors } from '../../main/learn/safetensors.ts'
import { openSafeTensors } from '../../main/models/safetensors-file.ts'
import { readEvents } from '../../main/runs/run-dir-events.ts'
import { readSpec } from '../../main/runs/run-dir.ts'
import { readAnnotatorsFile } from '../../main/store/annotators-file.ts'
import { readJournal } from '../../main/store/labels-journal.ts'
import { readHere } from '../support/read-here.ts'

/** A reader of files, by what it is given. `read` takes the path of a changed seed. */
export interface Target {
  readonly name: string
  readonly fileName: string
  readonly seeds: readonly Buffer[]
  read(file: string): Promise<void> | void
}

const fixture = (name: string): Buffer => readFileSync(path.join(import.meta.dirname, '../fixtures', name))
const reader = readHere()

async function readPairs(file: string): Promise<void> {
  const { mapping, missingRoles } = await reader.ask('inspect', { path: file, options: { mapping: null, limit: 20 } })
  if (missingRoles.length === 0) for await (const _piece of reader.stream('pairs', { path: file, mapping })) continue
}

const readTexts = async (file: string): Promise<void> => { await reader.ask('texts', { path: file, options: {} }) }
const pairs = fixture('trl/standard_explicit.jsonl')
const table = (separator: string): Buffer => Buffer.from(['prompt,chosen,rejected', 'Why?,"a ""b""",c', 'Who?,d,e'].join('\n').replaceAll(',', separator))

export const targets: readonly Target[] = [
  { name: 'pairs-jsonl', fileName: 'pairs.jsonl', seeds: [pairs, fixture('arena/battles.jsonl'), fixture('hh-rlhf/train.jsonl')], read: readPairs },
  { name: 'pairs-json', fileName: 'pairs.json', seeds: [Buffer.from(`[${pairs.toString().trim().split('\n').join(',')}]`)], read: readPairs },
  { name: 'pairs-csv', fileName: 'pairs.csv', seeds: [table(',')], read: readPairs },
  { name: 'pairs-tsv', fileName: 'pairs.tsv', seeds: [table('\t')], read: readPairs },
  { name: 'pairs-gz', fileName: 'pairs.jsonl.gz', seeds: [gzipSync(pairs)], read: readPairs },
  { name: 'texts', fileName: 'texts.jsonl', seeds: [fixture('texts/triplet.jsonl'), fixture('texts/st_pairs.jsonl')], read: readTexts },
  { name: 'segments-npz', fileName: 'segments.npz', seeds: [fixture('cpl/new_format.npz'), fixture('cpl/old_format.npz')], read: async (file) => { await reader.ask('segments', { path: file, options: { world: 'point' } }) } },
  { name: 'rankings-letor', fileName: 'train.txt', seeds: [fixture('letor/train.txt')], read: async (file) => { await reader.ask('rankings', { path: file }) } },
  { name: 'safetensors', fileName: 'model.safetensors', seeds: [Buffer.from(encodeSafeTensors({ a: { shape: [2, 2], data: new Float32Array(4) } }, { by: 'us' }))], read: readTensors },
  { name: 'spec.json', fileName: 'spec.json', seeds: [Buffer.from('{"runId":"r","method":"sft","training":{"steps":3}}')], read: (file) => { readSpec(path.dirname(file)) } },
  { name: 'events', fileName: 'events.jsonl', seeds: [Buffer.from('{"seq":1,"type":"warning","message":"m","hint":"h"}\n')], read: (file) => { readEvents(file, 0) } },
  { name: 'annotators.json', fileName: 'annotators.json', seeds: [Buffer.from('[{"annotatorId":"eva","name":"Eva","createdAtMs":1,"imported":false}]')], read: (file) => { readAnnotatorsFile(path.dirname(file)) } },
  { name: 'journal', fileName: 'labels.jsonl', seeds: [Buffer.from('{"labelId":1,"kind":"answer","annotatorId":"eva","pairId":"p","pairIndex":0,"outcome":"a"}\n')], read: readJournalCopy },
]

function readTensors(file: string): void {
  const tensors = openSafeTensors(file)
  try {
    for (const name of Object.keys(tensors.entries)) tensors.read(name)
  } finally {
    tensors.close()
  }
}

function readJournalCopy(file: string): void {
  const folder = path.join(path.dirname(file), 'datasets', 'set')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'labels.jsonl'), readFileSync(file))
  for (const _event of readJournal(path.dirname(file), 'set', () => undefined)) continue
}
