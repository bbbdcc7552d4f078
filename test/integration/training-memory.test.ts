import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { presetConfig } from '../../main/learn/models/decoder.ts'
import { totalMemory, trainingMemory } from '../../main/models/training-memory.ts'
import { trainingConfig, type TrainingChanges } from '../../shared/run-spec.ts'
import type { PreferenceRow } from '../../shared/data-kinds.ts'
import { bigConfig } from '../support/big-model.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { allEvents, exitOf, makeTinyRun, spawnTrainer, tinyRows } from '../support/tiny-run.ts'

/** What the page may be off by, either way. */
const FACTOR = 1.5
const BYTE_VOCABULARY = 258

let root: string
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab memory '))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Answers that fill the longest sequence and share nothing, so that what is measured is what was foreseen. */
function longRows(): PreferenceRow[] {
  return tinyRows(16, 2, 2).map((row, at) => ({ ...row, prompt: `${at}?`, a: `${at}a`.repeat(400), b: `${at}b`.repeat(400) }))
}

/** Peak of the training process in a dry run, and what it weighed before there was a model. */
async function measure(runId: string, model: Parameters<typeof makeTinyRun>[1] & object): Promise<{ readonly peakBytes: number; readonly baseBytes: number }> {
  const folder = makeTinyRun(root, { runId, engine: 'wasm', rows: longRows(), ...model, training: { steps: 2, samplePrompts: 0, evalPairs: 2, ...model.training } })
  expect(await exitOf(spawnTrainer(folder, 'estimate'))).toBe(0)
  const facts = Object.assign({}, ...allEvents(folder).flatMap((event) => (event.type === 'fact' ? [event.facts] : []))) as Record<string, number>
  return { peakBytes: facts['peakBytes']!, baseBytes: facts['baseBytes']! }
}

const SMALL = { batchSize: 4, microBatchSize: 4, maxLength: 256 } as const
const WAYS: readonly (readonly [name: string, method: string, rowsPerItem: number, training: TrainingChanges])[] = [
  ['SFT, all weights', 'sft', 1, SMALL],
  ['DPO, all weights, by micro-batches', 'dpo', 2, { ...SMALL, microBatchSize: 2 }],
  ['DPO, computing layers twice', 'dpo', 2, { ...SMALL, gradientCheckpointing: true }],
]

describe('memory foreseen from the sizes', () => {
  test.each(WAYS)('is near what a dry run measures: %s', async (name, method, rowsPerItem, training) => {
    const { peakBytes, baseBytes } = await measure(name.replace(/[^a-z]+/gi, '-').toLowerCase(), { method, model: { kind: 'new', preset: 'mini', tokenizer: { kind: 'byte' }, tiedEmbeddings: true }, training })
    const foreseen = trainingMemory(presetConfig('mini', BYTE_VOCABULARY), trainingConfig.parse(training), { rowsPerItem, hasReference: method === 'dpo' })
    console.log(name, JSON.stringify(Object.fromEntries(Object.entries(foreseen).map(([part, bytes]) => [part, Math.round(bytes / 1e6)]))), Math.round(totalMemory(foreseen) / 1e6), 'measured', Math.round(peakBytes / 1e6), Math.round(baseBytes / 1e6), 'ratio', ((totalMemory(foreseen) - foreseen.program) / (peakBytes - baseBytes)).toFixed(2))
  })

  const LORA = { ...SMALL, microBatchSize: 2, maxLength: 128, adapt: 'lora', loraRank: 8 } as const
  test.each([
    ['lora', LORA],
    ['lora, bfloat16', { ...LORA, frozenStorage: 'bfloat16' }],
    ['lora on attention, twice', { ...LORA, loraTargets: 'attention', gradientCheckpointing: true }],
  ] as const)('and beside a model of 46 MB: %s', async (name, training) => {
    const config = bigConfig({ layers: 4, hidden: 256, heads: 4, feedForward: 688, vocabSize: 16_000 })
    const model = await makeModelFolder(path.join(root, 'model'), 7, config)
    const { peakBytes, baseBytes } = await measure(name.replace(/[^a-z0-9]+/gi, '-'), { method: 'dpo', model: { kind: 'registered', modelId: 'm' as never, name: 'm', ...model }, training })
    const foreseen = trainingMemory(config, trainingConfig.parse(training), { rowsPerItem: 2, hasReference: true })
    console.log(name, JSON.stringify(Object.fromEntries(Object.entries(foreseen).map(([part, bytes]) => [part, Math.round(bytes / 1e6)]))), Math.round(totalMemory(foreseen) / 1e6), 'measured', Math.round(peakBytes / 1e6), Math.round(baseBytes / 1e6), 'ratio', ((totalMemory(foreseen) - foreseen.program) / (peakBytes - baseBytes)).toFixed(2))
    expect(FACTOR).toBe(1.5)
  })
})
