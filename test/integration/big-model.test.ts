import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bigConfig, trainLoraOn } from '../support/big-model.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

let made: TestApp
beforeEach(async () => {
  made = await makeApp()
})
afterEach(() => made.end())

/** Few tokens a step: what is measured is what the weights take, not what passes through them. */
const SMALL = {
  training: {
    adapt: 'lora',
    steps: 10,
    batchSize: 2,
    microBatchSize: 1,
    maxLength: 24,
    evalEvery: 5,
    evalPairs: 2,
    checkpointEvery: 5,
    samplePrompts: 1,
    sampleTokens: 4,
  },
} as const

/**
 * `npm run bench:model` does the same beside 500 MB. Here the process itself weighs more than the model, so what it
 * weighs beside a model of a few hundred kilobytes is taken off.
 */
test('ten steps of LoRA beside a model of 110 MB take less than three times its float32 size', async () => {
  const tiny = await trainLoraOn(
    made.app,
    path.join(made.dataFolder, 'tiny model'),
    bigConfig({ layers: 2, hidden: 64, heads: 4, feedForward: 128, vocabSize: 300 }),
    SMALL,
  )
  const big = await trainLoraOn(
    made.app,
    path.join(made.dataFolder, 'big model'),
    bigConfig({ layers: 8, hidden: 512, heads: 8, feedForward: 1408, vocabSize: 2300 }),
    SMALL,
  )
  expect([tiny.state, big.state]).toEqual(['finished', 'finished'])
  expect(big.weightBytes).toBeGreaterThan(100e6)
  expect((big.peakBytes - tiny.peakBytes) / big.weightBytes).toBeGreaterThan(1) // the weights are there: the subtraction took nothing else
  expect((big.peakBytes - tiny.peakBytes) / big.weightBytes).toBeLessThan(3)
  // Only adapters are saved, and the frozen model is the reference: nothing of it was written.
  const events = readFileSync(path.join(made.dataFolder, 'runs', big.runId, 'events.jsonl'), 'utf8')
  expect(events).toContain('"type":"checkpoint"')
  expect(
    (await made.client.call('runs.get', { runId: big.runId as never })).checkpoints.every(
      (one) => one.sizeBytes < 0.3 * big.weightBytes,
    ),
  ).toBe(true)
}, 120_000)
