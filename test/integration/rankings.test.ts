import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { PreferenceRow } from '../../shared/data-kinds.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { collectRows } from '../../main/core/retrieval/read-lines.ts'
import { readTrecRun } from '../../main/core/retrieval/trec.ts'
import { runPaths } from '../../main/base/run-folder/paths.ts'
import { killAfterCheckpoint } from '../support/kill-trainer.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'
import { writeLetor } from '../support/tiny-files.ts'
import { waitForState } from '../support/tiny-app.ts'
import { allEvents, exitOf, makeTinyRun, metricsByStep, spawnTrainer } from '../support/tiny-run.ts'

const fixtures = path.resolve(import.meta.dirname, '../fixtures')
let root: string
let made: TestApp | null = null
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab rankings ü '))
})
afterEach(async () => {
  await made?.end()
  made = null
  rmSync(root, { recursive: true, force: true })
})

const training = {
  steps: 30,
  batchSize: 8,
  microBatchSize: 4,
  evalEvery: 10,
  checkpointEvery: 10,
  learningRate: 0.1,
  samplePrompts: 2,
  schedule: 'constant',
  warmupFraction: 0,
} as const

test('feature files become a data set on which a warm start and PG-RANK are trained', async () => {
  made = await makeApp()
  const { client } = made
  const { datasetId } = await client.call('rankings.import', { path: writeLetor(path.join(root, 'Fold1')) })
  const detail = await client.call('datasets.get', { datasetId })
  expect([detail.kind, detail.name, detail.itemCount, detail.rejectedRowCount]).toEqual(['rankings', 'Fold1', 30, 0])
  const request = (
    method: string,
    model: RunRequestInput['model'],
    config: Record<string, unknown>,
  ): RunRequestInput => ({
    method,
    config: { temperature: 1, hidden: 4, cutoff: 3, ...config } as never,
    training,
    model,
    data: { datasetId },
  })
  const measured = await client.call('runs.estimate', {
    request: request('infonce', { kind: 'networks' }, { inBatch: false, negatives: 3 }),
  })
  expect([measured.stepsRun > 0, measured.stepMs > 0, measured.parameterCount]).toEqual([
    true,
    true,
    expect.any(Number),
  ])
  const [warm] = (
    await client.call('runs.start', {
      request: request('infonce', { kind: 'networks' }, { inBatch: false, negatives: 3 }),
    })
  ).runIds
  expect(await waitForState(client, warm!)).toBe('finished')
  const [run] = (
    await client.call('runs.start', {
      request: request('pg-rank', { kind: 'run', runId: warm! }, { listSize: 6, rankings: 4 }),
    })
  ).runIds
  expect(await waitForState(client, run!)).toBe('finished')
  const [before, after] = await Promise.all([warm!, run!].map((runId) => client.call('runs.get', { runId })))
  expect(before!.mainMetric).toBe('eval/ndcg')
  expect(after!.mainValue).toBeGreaterThan(0.9)
  const both = { runIds: [warm!, run!], metric: 'test/ndcg' }
  const paired = await client.call('comparisons.items', both)
  expect([paired.items.length, paired.better + paired.worse + paired.equal]).toEqual([5, 5])
  expect(paired.difference!.mean).toBeCloseTo(paired.means.group - paired.means.baseline, 9)
  expect(paired.difference!.low).toBeLessThanOrEqual(paired.difference!.mean)
  expect(paired.difference!.overSeeds).toBe(false)
  // Rankers of earlier versions kept the same in files of their own.
  for (const one of both.runIds) rmSync(path.join(made.dataFolder, 'runs', one, 'held-out'), { recursive: true })
  expect(await client.call('comparisons.items', both)).toEqual(paired)
  const folder = path.join(made.dataFolder, 'runs', run!)
  const queries = JSON.parse(readFileSync(path.join(folder, 'rankings/test-queries.json'), 'utf8')) as {
    queryId: string
    ndcg: number
  }[]
  expect(queries.map((query) => query.queryId)).toEqual(['200', '201', '202', '203', '204'])
  const { values, problems } = await collectRows(readTrecRun(path.join(folder, 'rankings/test.run')))
  expect([values.length, problems.length, values[0]!.tag]).toEqual([30, 0, run])
  expect(values.slice(0, 6).map((entry) => entry.rank)).toEqual([1, 2, 3, 4, 5, 6])
})

test('a BEIR folder is listed with its judged documents, and trained on by how well texts match', async () => {
  made = await makeApp()
  const { client } = made
  cpSync(path.join(fixtures, 'beir_tiny'), path.join(root, 'tiny'), { recursive: true })
  writeFileSync(path.join(root, 'tiny/qrels/train.tsv'), 'query-id\tcorpus-id\tscore\nq9\td3\t1\n')
  const { datasetId } = await client.call('rankings.import', { path: path.join(root, 'tiny'), name: 'Tiny' })
  expect(await client.call('rankings.queries', { datasetId })).toMatchObject({
    total: 3,
    rows: [
      { queryId: '1', text: 'why does iron rust', split: 'test', judged: 2, relevant: 1 },
      { queryId: 'q2', split: 'test' },
      { queryId: 'q9', split: 'train' },
    ],
  })
  expect((await client.call('rankings.query', { datasetId, index: 0 })).judgments).toEqual([
    { docId: 'd1', grade: 2 },
    { docId: 'd3', grade: 0 },
  ])
  const [run] = (
    await client.call('runs.start', {
      request: {
        method: 'pg-rank',
        config: { temperature: 1, hidden: 0, candidates: 3, rankings: 4, listSize: 3 },
        training: { ...training, steps: 4, batchSize: 1, evalEvery: 0, checkpointEvery: 0 },
        model: { kind: 'networks' },
        data: { datasetId },
      },
    })
  ).runIds
  expect(await waitForState(client, run!)).toBe('finished')
  const summary = await client.call('runs.get', { runId: run! })
  expect(summary.mainValue).toBeGreaterThan(0.5)
  expect(await client.call('rankings.rankers', { datasetId })).toMatchObject([
    { runId: run, methodName: 'Neural PG-RANK' },
  ])
  const { bm25, run: byRun, weights } = await client.call('rankings.orders', { datasetId, index: 0, runId: run! })
  // Without a validation side the test side is what the run is judged by.
  const written = (
    await collectRows(readTrecRun(path.join(made.dataFolder, 'runs', run!, 'rankings/validation.run')))
  ).values.filter(({ queryId }) => queryId === '1')
  expect(byRun!.rows.map(({ docId, rank, score }) => [docId, rank, score])).toEqual(
    written.map(({ docId, rank, score }) => [docId, rank, score]),
  )
  expect(weights).toBe('last')
  expect(byRun!.rows.map(({ docId, otherRank }) => [docId, otherRank])).toEqual(
    byRun!.rows.map(({ docId }) => [docId, bm25!.rows.find((row) => row.docId === docId)!.rank]),
  )
  expect([bm25!.rows[0]!.docId, bm25!.rows[0]!.grade, bm25!.ndcg10]).toEqual(['d1', 2, 1])
  const { ndcg } = (
    JSON.parse(readFileSync(path.join(made.dataFolder, 'runs', run!, 'rankings/validation-queries.json'), 'utf8')) as {
      queryId: string
      ndcg: number
    }[]
  ).find(({ queryId }) => queryId === '1')!
  expect(byRun!.ndcg10).toBeCloseTo(ndcg, 12)
  // It was measured on held-out queries alone.
  expect(await client.call('rankings.orders', { datasetId, index: 2, bm25: false, runId: run! })).toEqual({
    bm25: null,
    run: null,
    weights: null,
  })
  // BM25 is a row like others: what it is measured by is what every run says of the order that it begins with.
  const ofFirstStage = {
    method: 'bm25',
    config: { candidates: 3 },
    training: { steps: 7 },
    model: { kind: 'networks' },
    data: { datasetId },
  } satisfies RunRequestInput
  expect((await client.call('runs.check', { request: ofFirstStage })).advice).toContainEqual(
    expect.objectContaining({ text: expect.stringMatching(/^Steps: without effect/) }),
  )
  const [first] = (await client.call('runs.start', { request: { ...ofFirstStage, training: {} } })).runIds
  expect(await waitForState(client, first!)).toBe('finished')
  const baseline = await client.call('runs.get', { runId: first! })
  expect([baseline.step, baseline.totalSteps, baseline.mainValue]).toEqual([
    0,
    0,
    summary.summary['eval/first_stage_ndcg'],
  ])
  const compared = await client.call('comparisons.get', { runIds: [first!, run!], metric: 'test/ndcg' })
  expect(compared.groups.map(({ label }) => label)).toEqual(['BM25', 'Neural PG-RANK'])
  const { spec } = await client.call('runs.get', { runId: run! })
  const [untrained] = (
    await client.call('runs.start', {
      request: {
        method: 'pg-rank',
        config: spec.config,
        training: { steps: 0 },
        model: { kind: 'networks' },
        data: { datasetId },
      },
    })
  ).runIds
  expect(await waitForState(client, untrained!)).toBe('finished')
  const three = await client.call('comparisons.get', { runIds: [first!, run!, untrained!], metric: 'test/ndcg' })
  expect(three.groups.map(({ label }) => label)).toEqual(['BM25', 'Neural PG-RANK', 'Neural PG-RANK, before training'])
  await expect(client.call('rankings.import', { path: path.join(root, 'nothing') })).rejects.toThrow(
    'There is nothing at',
  )
  await expect(
    client.call('runs.start', { request: { method: 'dpo', model: { kind: 'new' }, data: { datasetId } } }),
  ).rejects.toThrow('learns from response-pairs')
})

test('a bi-encoder is warmed up with in-batch negatives, and goes on with PG-RANK; a cross-encoder reads pairs', async () => {
  made = await makeApp()
  const { client } = made
  cpSync(path.join(fixtures, 'beir_tiny'), path.join(root, 'tiny'), { recursive: true })
  writeFileSync(path.join(root, 'tiny/qrels/train.tsv'), 'query-id\tcorpus-id\tscore\nq9\td3\t1\n1\td1\t2\n')
  writeFileSync(path.join(root, 'tiny/qrels/test.tsv'), 'query-id\tcorpus-id\tscore\nq2\t4983\t1\n')
  const { datasetId } = await client.call('rankings.import', { path: path.join(root, 'tiny'), name: 'Tiny' })
  const start = async (
    method: string,
    model: RunRequestInput['model'],
    config: Record<string, unknown>,
  ): Promise<never> => {
    const [run] = (
      await client.call('runs.start', {
        request: {
          method,
          config: { candidates: 3, ...config } as never,
          training: {
            ...training,
            steps: 3,
            batchSize: 2,
            microBatchSize: 2,
            evalEvery: 0,
            checkpointEvery: 0,
            maxLength: 24,
            learningRate: 1e-3,
          },
          model,
          data: { datasetId },
        },
      })
    ).runIds
    expect([await waitForState(client, run!), (await client.call('runs.get', { runId: run! })).error]).toEqual([
      'finished',
      null,
    ])
    return run as never
  }
  const nano = { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } } as const
  const warm = await start('infonce', nano, { inBatch: true, negatives: 1 })
  await start('pg-rank', { kind: 'run', runId: warm }, { rankings: 2, listSize: 3 })
  await start('listnet', nano, { scorer: 'cross-encoder', temperature: 1, listSize: 3 })
}, 120_000)

test('resuming equals never stopping, bit for bit on the cpu engine', async () => {
  const random = createRandom(2)
  const rows = Array.from({ length: 12 }, (_none, index) => ({
    pairId: `q${index}`,
    split: index < 8 ? 'train' : index < 10 ? 'validation' : 'test',
    preferenceA: null,
    strength: 1,
    labelCount: 0,
    data: {
      kind: 'features',
      docIds: ['a', 'b', 'c', 'd'],
      grades: [2, 0, 1, 0],
      features: [2, 0, 1, 0].map((grade) => [grade + random.normal(), random.normal()]),
    },
  })) as unknown as PreferenceRow[] // lines of another kind, written as they are
  const options = {
    method: 'pg-rank',
    config: { temperature: 1, hidden: 3, listSize: 3, rankings: 3, entropy: 0.01, cutoff: 2 },
    model: { kind: 'networks' as const },
    engine: 'cpu' as const,
    rows,
    training: {
      steps: 6,
      batchSize: 3,
      microBatchSize: 2,
      evalEvery: 3,
      checkpointEvery: 2,
      keepCheckpoints: 9,
      samplePrompts: 0,
    },
  }
  const whole = makeTinyRun(root, { ...options, runId: 'whole' })
  expect(await exitOf(spawnTrainer(whole))).toBe(0)
  const folder = makeTinyRun(root, { ...options, runId: 'killed' })
  await killAfterCheckpoint(folder)
  // Killed too late on a fast machine, there is nothing left to resume; the trainer then only says so.
  expect(await exitOf(spawnTrainer(folder))).toBe(0)
  expect(metricsByStep(allEvents(folder))).toEqual(metricsByStep(allEvents(whole)))
  const weights = (run: string): Buffer =>
    readFileSync(path.join(runPaths(run).checkpoints, '00000006/model.safetensors'))
  expect(weights(folder).equals(weights(whole))).toBe(true)
})
