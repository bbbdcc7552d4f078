import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { killAfterCheckpoint } from '../support/kill-trainer.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'
import { writeTexts } from '../support/tiny-files.ts'
import { waitForState } from '../support/tiny-app.ts'
import { allEvents, exitOf, metricsByStep, spawnTrainer } from '../support/tiny-run.ts'

let root: string
let made: TestApp | null = null
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab texts ü '))
})
afterEach(async () => {
  await made?.end()
  made = null
  rmSync(root, { recursive: true, force: true })
})

const training = {
  steps: 4,
  batchSize: 3,
  microBatchSize: 2,
  evalEvery: 2,
  checkpointEvery: 2,
  maxLength: 96,
  samplePrompts: 1,
  evalPairs: 3,
} as const
const nano = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } } as const

test('texts are imported, a base learns to write them, GRACE and InfoNCE go on from it, and runs are compared', async () => {
  made = await makeApp()
  const { client } = made
  const { datasetId } = await client.call('texts.import', { path: writeTexts(root) })
  const detail = await client.call('datasets.get', { datasetId })
  expect([detail.kind, detail.name, detail.itemCount, detail.rejectedRowCount]).toEqual([
    'contrast-groups',
    'texts',
    30,
    1,
  ])
  const start = async (
    method: string,
    model: RunRequestInput['model'],
    config: Record<string, unknown>,
  ): Promise<string> => {
    const [run] = (
      await client.call('runs.start', {
        request: { method, config: config as never, training, model, data: { datasetId }, engine: 'wasm' },
      })
    ).runIds
    expect([method, await waitForState(client, run!)]).toEqual([method, 'finished'])
    return run!
  }
  const base = await start('language-model', nano, {})
  const first = metricsByStep(allEvents(path.join(made.dataFolder, 'runs', base)))
  expect(first['eval/loss']![4]).toBeLessThan(first['eval/loss']![0]!)
  const grace = await start(
    'grace',
    { kind: 'run', runId: base as never },
    { groupSize: 3, rolloutTokens: 4, system: 'think' },
  )
  const contrastive = await start('contrastive', { kind: 'run', runId: base as never }, {})
  const events = allEvents(path.join(made.dataFolder, 'runs', grace))
  const metrics = metricsByStep(events)
  for (const name of [
    'grace/reward',
    'grace/margin',
    'grace/consistency',
    'grace/distinct',
    'rollout/unfinished',
    'advantages/size',
  ])
    expect(Object.keys(metrics[name]!), name).toEqual(['1', '2', '3', '4'])
  for (const name of [
    'eval/embed/ndcg',
    'eval/embed/margin_low',
    'eval/embed/wins',
    'eval/embed/spearman',
    'test/embed/ndcg',
  ])
    expect(metrics[name]?.[4], name).toEqual(expect.any(Number))
  // What is reported is explained, and what is explained is reported.
  const page = (await client.call('algorithms.list', {})).find((one) => one.id === 'grace')!
  const reported = new Set(
    Object.keys(metrics).map((name) => name.replace(/^(eval|test)\//, '').replace(/_(low|high)$/, '')),
  )
  for (const name of ['grad_norm', 'learning_rate', 'epoch', 'pairs']) reported.delete(name)
  expect([...reported].toSorted()).toEqual(page.metrics.map((metric) => metric.name).toSorted())
  const samples = await client.call('runs.samples', { runId: grace as never })
  expect(samples.at(-1)!.items).toHaveLength(3)
  expect(Object.keys(samples.at(-1)!.items[0]!.parts!)).toEqual(['contrast', 'consistency', 'hard', 'advantage'])
  expect(metricsByStep(allEvents(path.join(made.dataFolder, 'runs', contrastive)))['contrast/accuracy']![1]).toEqual(
    expect.any(Number),
  )
  const compared = await client.call('comparisons.get', { runIds: [grace, contrastive], metric: 'test/embed/ndcg' })
  expect(compared.groups).toHaveLength(2)
  expect(compared.differences.map((one) => Number.isFinite(one.interval.mean))).toEqual([true])
}, 300_000)

test.each([
  ['grace', { groupSize: 2, rolloutTokens: 3, system: 'x' }],
  ['contrastive', { supervision: 'none' }],
] as const)(
  '%s resumes bit for bit on the cpu engine',
  async (method, config) => {
    made = await makeApp()
    const { client } = made
    const { datasetId } = await client.call('texts.import', { path: writeTexts(root, { train: 5, heldOut: 1 }) })
    const request: RunRequestInput = {
      method,
      config: { ...config } as never,
      training: {
        ...training,
        steps: 2,
        batchSize: 2,
        evalEvery: 1,
        checkpointEvery: 1,
        keepCheckpoints: 9,
        dropout: 0.1,
        maxLength: 40,
        evalPairs: 1,
        samplePrompts: 0,
      },
      model: nano,
      data: { datasetId },
      engine: 'cpu',
    }
    const [run] = (await client.call('runs.start', { request })).runIds
    expect(await waitForState(client, run!)).toBe('finished')
    const folder = path.join(made.dataFolder, 'runs', run!)
    const again = path.join(root, 'runs', run!)
    cpSync(path.join(folder, 'spec.json'), path.join(again, 'spec.json'))
    await killAfterCheckpoint(again, 1)
    expect(await exitOf(spawnTrainer(again))).toBe(0)
    expect(metricsByStep(allEvents(again))).toEqual(metricsByStep(allEvents(folder)))
  },
  300_000,
)
