import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'
import { TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'

// Answers that stand alone, from the file to the trained policy and back to a file.

let running: TestApp
let thumbs: DatasetId
let bare: DatasetId
let ann: AnnotatorId

const ROWS = 60

async function importRows(name: string, labelOf: (index: number) => boolean | null): Promise<DatasetId> {
  const file = path.join(running.dataFolder, `${name}.jsonl`)
  const rows = Array.from({ length: ROWS }, (_none, index) => ({
    prompt: `q${index % 20}?`,
    completion: index % 3 === 0 ? 'no no no' : `yes ${index % 7}`,
    label: labelOf(index),
    source: `s${index}`,
  }))
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return (await running.client.call('unpaired.import', { path: file, name })).datasetId
}

beforeAll(async () => {
  running = await makeApp()
  ann = (await running.client.call('annotators.add', { name: 'Ann' })).annotatorId
  thumbs = await importRows('thumbs', (index) => index % 3 !== 0)
  bare = await importRows('bare', () => null)
})
afterAll(() => running.end())

const check = (datasetId: string, changes: Partial<RunRequestInput>) =>
  running.client.call('runs.check', { request: tinyRequest(datasetId, { seeds: [1, 2], ...changes }) })

test('they are kept, counted, browsed and searched', async () => {
  const { client } = running
  const detail = await client.call('datasets.get', { datasetId: thumbs })
  expect(detail).toMatchObject({
    kind: 'unpaired-responses',
    itemCount: ROWS,
    promptCount: 20,
    labeledCount: ROWS,
    annotators: ['file'],
    balance: { a: 40, b: 20, tie: 0, bothBad: 0, unlabeled: 0 },
  })
  const found = await client.call('datasets.rows', { datasetId: thumbs, search: 'no no', limit: 2 })
  expect([found.total, found.rows[0]]).toEqual([
    20,
    expect.objectContaining({ prompt: 'q0?', a: 'no no no', b: null, metadata: { source: 's0' } }),
  ])
  expect((await client.call('datasets.rows', { datasetId: bare, only: 'unlabeled' })).total).toBe(ROWS)
  expect((await client.call('system.verify', {})).troubles).toEqual([])
})

test('methods that compare say why they cannot use them, those that do not say what they make of them', async () => {
  const dpo = await check(thumbs, { method: 'dpo' })
  expect(dpo.problems).toContainEqual({
    path: 'data.datasetId',
    message: expect.stringMatching(/^DPO needs two answers to a prompt, .*SFT, KTO, BCO can learn from those\.$/),
  })
  const kto = await check(thumbs, { method: 'kto' })
  expect([kto.problems, kto.counts.labels]).toEqual([[], ROWS])
  expect(kto.advice.map(({ text }) => text).join()).toMatch(/examples: with these weights .* is 2\.\d/)
  const sft = await check(thumbs, { method: 'sft' })
  expect(sft.problems).toEqual([])
  expect(sft.counts.labels).toBe(40)
  expect(sft.advice.map(({ text }) => text)).toContain(
    '20 answers that were called bad are left out: SFT imitates the good ones.',
  )
  expect((await check(bare, { method: 'kto' })).problems).toEqual([
    expect.objectContaining({ message: expect.stringContaining('No answer of "bare" has a label that counts') }),
  ])
})

test.each([
  ['kto', 'eval/judged/accuracies'],
  ['bco', 'eval/judged/accuracies'],
  ['sft', 'eval/loss'],
])('%s learns from them and is judged by %s', async (method, mainMetric) => {
  const { client } = running
  const { runIds } = await client.call('runs.start', {
    request: tinyRequest(thumbs, {
      method,
      training: { ...TINY_TRAINING, steps: 24, evalEvery: 12, checkpointEvery: 12, learningRate: 1e-2 },
    }),
  })
  await waitForState(client, runIds[0]!)
  const run = await client.call('runs.get', { runId: runIds[0]! })
  expect([run.error, run.state, run.mainMetric]).toEqual([null, 'finished', mainMetric])
  expect(run.checkpoints.some(({ best }) => best)).toBe(true)
  expect(
    Object.keys(run.summary).filter((name) => /rewards\/(chosen|margins|accuracies)|eval\/pairs/.test(name)),
  ).toEqual([])
  if (method === 'sft') return
  expect(run.summary['eval/judged/accuracies']).toBeGreaterThan(0.9)
  expect(run.summary['eval/rewards/good']).toBeGreaterThan(run.summary['eval/rewards/bad']!)
})

test('people label them from nothing, undo, and what they said comes out as TRL reads it and in again', async () => {
  const { client } = running
  const who = { datasetId: bare, annotatorId: ann }
  const next = async () =>
    (await client.call('labels.queue', { ...who, filter: { only: 'unlabeled' }, limit: 1 })).items[0]!
  const say = async (outcome: 'a' | 'b' | 'skip' | 'tie', strength: 'far' | null = null): Promise<void> => {
    const item = await next()
    await client.call('labels.add', {
      ...who,
      pairId: item.pairId,
      outcome,
      strength,
      shownOrder: item.shownOrder,
      durationMs: 5,
      clientKey: `key-${item.pairId}-${outcome}`,
    })
  }
  expect(await next()).toMatchObject({ index: 0, prompt: 'q0?', a: 'no no no', b: null, shownOrder: 'ab' })
  await expect(say('tie')).rejects.toMatchObject({ code: 'input-invalid', hint: expect.stringContaining('good') })
  await expect(say('a', 'far')).rejects.toMatchObject({ code: 'input-invalid' })
  await say('a')
  expect((await client.call('labels.undo', { ...who, clientKey: 'undo-the-first' })).index).toBe(0)
  await say('b')
  await say('a')
  await say('skip')
  expect(await next()).toMatchObject({ index: 3 })

  const trl = await client.call('datasets.export', { datasetId: bare, format: 'preferences' })
  const rows = readFileSync(trl.path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(rows).toMatchObject([
    { prompt: 'q0?', completion: 'no no no', label: false, source: 's0' },
    { prompt: 'q1?', completion: 'yes 1', label: true, source: 's1' },
  ])
  const read = await client.call('unpaired.import', { path: trl.path, name: 'read back' })
  const back = await client.call('datasets.rows', { datasetId: read.datasetId })
  expect(back.rows.map(({ labels, metadata }) => [labels[0]?.outcome, metadata])).toEqual([
    ['b', { source: 's0' }],
    ['a', { source: 's1' }],
  ])
  const all = await client.call('datasets.export', { datasetId: bare, format: 'pairs-with-labels' })
  const { datasetId } = await client.call('unpaired.import', { path: all.path, name: 'again' })
  const again = await client.call('datasets.get', { datasetId })
  expect([again.itemCount, again.balance.a, again.balance.b, again.annotators]).toEqual([ROWS, 1, 1, ['Ann (again)']])
  expect(again.perAnnotator).toMatchObject([{ skip: 1 }])
})
