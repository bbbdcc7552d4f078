import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import type { ImportJob } from '../../shared/contract/datasets.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'

// Pairs labeled “both bad”: undesirable examples for methods that judge each answer by itself, left out by the others.

let running: TestApp
let some: string
let none: string
let all: string

/** @param bad which of the sixty pairs are called both bad */
async function importLabeled(name: string, bad: (index: number) => boolean): Promise<string> {
  const file = path.join(running.dataFolder, `${name}.jsonl`)
  const rows = Array.from({ length: 60 }, (_none, index) => ({
    prompt: `q${index}?`,
    response_a: `yes ${index % 7}`,
    response_b: 'no no no',
    label: bad(index) ? 'both bad' : 'a',
  }))
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const { jobId } = await running.client.call('datasets.import', { path: file, name })
  const job = (): Promise<ImportJob> => running.client.call('datasets.importJob', { jobId })
  await waitUntil('import', async () => (await job()).state !== 'running')
  const { datasetId, error } = await job()
  expect(error).toBeNull()
  return datasetId!
}

beforeAll(async () => {
  running = await makeApp()
  some = await importLabeled('some', (index) => index % 3 === 1)
  none = await importLabeled('none', () => false)
  all = await importLabeled('all', () => true)
})
afterAll(() => running.end())

async function check(datasetId: string, changes: Partial<RunRequestInput>) {
  const { advice, counts, problems } = await running.client.call('runs.check', {
    request: tinyRequest(datasetId, { seeds: [1, 2], ...changes }),
  })
  return { counts, problems, said: advice.map(({ text }) => text).filter((text) => /both bad|examples/.test(text)) }
}

test('what becomes of them is said before a run begins', async () => {
  const [dpo, kto, bco] = await Promise.all(['dpo', 'kto', 'bco'].map((method) => check(some, { method })))
  expect(dpo!.said).toEqual([
    '20 pairs labeled “both bad” are left out: DPO learns from which of two answers is better. KTO and BCO judge each answer by itself and can use them.',
  ])
  expect([dpo!.counts.labels, kto!.counts.labels, bco!.counts.labels]).toEqual([40, 60, 60])
  const { train } = kto!.counts
  const bad = train - dpo!.counts.train
  expect(kto!.said).toEqual([
    '20 pairs labeled “both bad” are used: each gives two undesirable examples.',
    expect.stringContaining(`The training side has ${train - bad} desirable and ${train + bad} undesirable examples`),
  ])
  expect(bco!.said).toHaveLength(1)
})

test('KTO’s weights are spoken of where they are out of balance, with one that would mend it', async () => {
  const { said } = await check(some, { method: 'kto' })
  const [, weight] = /A weight of desirable of ([\d.]+) makes it 1\.$/.exec(said[1]!)!
  expect((await check(some, { method: 'kto', config: { desirable: Number(weight) } })).said).toHaveLength(1)
  expect((await check(none, { method: 'kto' })).said).toEqual([])
  expect((await check(none, { method: 'kto', config: { undesirable: 2 } })).said).toEqual([
    expect.stringMatching(/is 0\.50, .* A weight of desirable of 2\.00 makes it 1\.$/),
  ])
  expect((await check(none, { method: 'kto', config: { desirable: 3 } })).said).toEqual([
    expect.stringMatching(/is 3\.0, .* A weight of undesirable of 3\.00 makes it 1\.$/),
  ])
})

test('a data set of nothing else is none for a comparison, and teaches KTO only what to avoid', async () => {
  expect((await check(all, { method: 'dpo' })).problems).toEqual([
    expect.objectContaining({ path: 'data.datasetId', message: expect.stringContaining('label that counts') }),
  ])
  const { problems, said } = await check(all, { method: 'kto' })
  expect(problems).toEqual([])
  expect(said[1]).toMatch(/0 desirable and \d+ undesirable examples: KTO learns only what to avoid/)
})

async function summaryOf(datasetId: string, method: string): Promise<Readonly<Record<string, number | null>>> {
  const { runIds } = await running.client.call('runs.start', {
    request: tinyRequest(datasetId, {
      method,
      training: { ...TINY_TRAINING, steps: 12, learningRate: 1e-2 },
    }),
  })
  await waitForState(running.client, runIds[0]!)
  return (await running.client.call('runs.get', { runId: runIds[0]! })).summary
}

test.each(['kto', 'bco'])('%s trains on them, and compares only what was compared', async (method) => {
  const compared = (await check(some, { method: 'dpo' })).counts
  const used = (await check(some, { method })).counts
  const held = used.validation - compared.validation
  expect(held).toBeGreaterThan(0)
  const summary = await summaryOf(some, method)
  expect([summary['eval/pairs'], summary['eval/judged']]).toEqual([compared.validation, 2 * held])
  expect(summary['eval/rewards/accuracies']).toBeGreaterThanOrEqual(0)
  expect(summary['eval/judged/accuracies_high']).toBeLessThanOrEqual(1)
  const alone = await summaryOf(all, method)
  expect(alone['eval/rewards/bad']).toBeLessThan(0)
  expect(
    Object.keys(alone).filter((name) => /accuracies$|margins|chosen/.test(name) && name.startsWith('eval/')),
  ).toEqual(['eval/judged/accuracies'])
})
