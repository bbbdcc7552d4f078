import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { presetConfig } from '../../main/core/learn/models/decoder.ts'
import { totalMemory, trainingMemory, type TrainingMemory } from '../../main/core/models/training-memory.ts'
import { trainingConfig, type TrainingChanges } from '../../shared/training-config.ts'
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
  return tinyRows(6, 1, 1).map((row, at) => ({
    ...row,
    prompt: `${at}?`,
    a: `${at}a`.repeat(400),
    b: `${at}b`.repeat(400),
  }))
}

/** Peak of the training process in a dry run. */
async function measure(runId: string, model: Parameters<typeof makeTinyRun>[1] & object): Promise<number> {
  const folder = makeTinyRun(root, {
    runId,
    engine: 'wasm',
    rows: longRows(),
    ...model,
    training: { steps: 2, samplePrompts: 0, evalPairs: 2, ...model.training },
  })
  expect(await exitOf(spawnTrainer(folder, 'estimate'))).toBe(0)
  const facts = Object.assign(
    {},
    ...allEvents(folder).flatMap((event) => (event.type === 'fact' ? [event.facts] : [])),
  ) as Record<string, number>
  return facts['peakBytes']!
}

function expectNear(foreseen: TrainingMemory, peakBytes: number): void {
  const ratio = totalMemory(foreseen) / peakBytes
  expect(
    [ratio > 1 / FACTOR, ratio < FACTOR],
    `foreseen ${JSON.stringify(foreseen)}, measured ${peakBytes}: ${ratio.toFixed(2)}`,
  ).toEqual([true, true])
}

const SMALL = { batchSize: 4, microBatchSize: 4, maxLength: 256 } as const
const WAYS: readonly (readonly [name: string, method: string, training: TrainingChanges])[] = [
  ['DPO, all weights, by micro-batches', 'dpo', { ...SMALL, microBatchSize: 2 }],
  ['DPO, computing layers twice', 'dpo', { ...SMALL, gradientCheckpointing: true }],
]

describe('memory foreseen from the sizes', () => {
  test.each(WAYS)('is near what a dry run measures: %s', async (name, method, training) => {
    const peakBytes = await measure(name.replace(/[^a-z]+/gi, '-').toLowerCase(), {
      method,
      model: { kind: 'new', preset: 'mini', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
      training,
    })
    const foreseen = trainingMemory(
      presetConfig('mini', BYTE_VOCABULARY),
      trainingConfig.parse(training),
      method === 'dpo',
    )
    expectNear(foreseen, peakBytes)
  })

  const LORA = { ...SMALL, microBatchSize: 2, maxLength: 128, adapt: 'lora', loraRank: 8 } as const
  test.each([['lora', LORA]] as const)('and beside a model of 46 MB: %s', async (name, training) => {
    const config = bigConfig({ layers: 4, hidden: 256, heads: 4, feedForward: 688, vocabSize: 16_000 })
    const model = await makeModelFolder(path.join(root, 'model'), 7, config)
    const peakBytes = await measure(name.replace(/[^a-z0-9]+/gi, '-'), {
      method: 'dpo',
      model: { kind: 'registered', modelId: 'm' as never, name: 'm', ...model },
      training,
    })
    const foreseen = trainingMemory(config, trainingConfig.parse(training), true)
    expectNear(foreseen, peakBytes)
  })
})
