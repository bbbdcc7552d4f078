import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AppEvent, EventPayload } from '../../shared/contract.ts'
import type { RunId } from '../../shared/domain.ts'
import { readRunsForTest } from '../support/run-rows.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { importTiny, tinyRequest, TINY_TRAINING, waitForState } from '../support/tiny-app.ts'

let running: TestApp
let datasetId: string
let seen: AppEvent[]

beforeEach(async () => {
  running = await makeApp()
  seen = []
  running.app.events.subscribe((event) => seen.push(event))
  datasetId = await importTiny(running.client, running.dataFolder)
})
afterEach(() => running.end())

const LONG = { ...TINY_TRAINING, steps: 20_000, evalEvery: 0, checkpointEvery: 0 }

describe('a request', () => {
  test('is checked, completed and said as a command', async () => {
    const { client } = running
    const check = await client.call('runs.check', {
      request: tinyRequest(datasetId, { seeds: [3, 4, 5], judge: { kind: 'length', target: 7 } }),
    })
    expect(check).toMatchObject({ problems: [], counts: { train: 28, validation: 4, test: 8, labels: 40 } })
    expect(check.command).toBe(
      `pairlab train sft --data ${datasetId} --model new:nano --tokenizer byte --seeds 3,4,5 --steps 8 --batch-size 4 --micro-batch-size 4 --max-length 24 --eval-every 4 --checkpoint-every 4 --sample-prompts 2 --sample-tokens 4 --judge length --judge-target 7`,
    )
  })

  test('makes one group of runs that differ in their seed alone', async () => {
    const { client } = running
    await client.call('queue.pause', { paused: true })
    const begin = (changes: Parameters<typeof tinyRequest>[1]): Promise<{ runIds: RunId[] }> =>
      client.call('runs.start', { request: tinyRequest(datasetId, changes) })
    const [[first, second], [other]] = [
      (await begin({ seeds: [3, 9] })).runIds,
      (await begin({ training: { ...TINY_TRAINING, steps: 9 } })).runIds,
    ]
    const [group, same, another] = await Promise.all(
      [first!, second!, other!].map(async (runId) => (await client.call('runs.get', { runId })).groupHash),
    )
    expect([same === group, another === group]).toEqual([true, false])
    for (const runId of [first!, second!, other!]) {
      await client.call('runs.stop', { runId, mode: 'stop' })
      await client.call('runs.delete', { runId })
    }
    await client.call('queue.pause', { paused: false })
  })

  test('what is wrong with it is said in words, and it cannot be started', async () => {
    const { client } = running
    const request = tinyRequest(datasetId, {
      method: 'dpo',
      config: { beta: -1 },
      model: { kind: 'run', runId: 'nobody' as never },
      judge: { kind: 'label' },
    })
    const { problems } = await client.call('runs.check', { request })
    expect(problems).toMatchObject([
      { path: 'config.beta' },
      { path: 'model.runId', message: expect.stringContaining('no run "nobody"') },
      { path: 'judge.kind', message: expect.stringContaining('The judge scores generated text') },
    ])
    await expect(client.call('runs.start', { request })).rejects.toMatchObject({ code: 'spec-invalid' })
    expect(await client.call('runs.list', {})).toEqual([])
  })

  test('is measured in a process of its own', async () => {
    const estimate = await running.client.call('runs.estimate', { request: tinyRequest(datasetId, { seeds: [1, 2] }) })
    expect(estimate).toMatchObject({ engine: 'wasm', parameterCount: 117184, runs: 2 })
    expect(estimate.totalMs).toBeGreaterThan(2 * 8 * estimate.stepMs)
    await expect(
      running.client.call('runs.estimate', {
        request: tinyRequest(datasetId, { training: { ...TINY_TRAINING, maxLength: 8192, steps: -1 } }),
      }),
    ).rejects.toMatchObject({ code: 'input-invalid' })
  })
})

test('a dry run that nobody waits for any more is ended: by a newer one, by its asker, and with the app', async () => {
  const { client, dataFolder } = running
  const scratch = path.join(dataFolder, 'scratch')
  const dryRuns = (): string[] => (existsSync(scratch) ? readdirSync(scratch) : [])
  const ask = (asker: string | null, maxLength = 24) =>
    client.call('runs.estimate', {
      request: tinyRequest(datasetId, { training: { ...TINY_TRAINING, maxLength } }),
      asker,
    })
  const givenUp = (asked: Promise<unknown>): Promise<void> => expect(asked).rejects.toMatchObject({ code: 'cancelled' })
  const older = givenUp(ask('page'))
  await waitUntil('the first', () => dryRuns().length === 1)
  const [newer, another] = [ask('page', 16), ask('window')]
  await older
  expect((await Promise.all([newer, another])).map(({ stepMs }) => stepMs > 0)).toEqual([true, true])
  expect(dryRuns()).toEqual([])
  const left = givenUp(ask('page'))
  await waitUntil('one more', () => dryRuns().length === 1)
  await client.call('runs.cancelEstimate', { asker: 'page' })
  await left
  const last = givenUp(ask(null))
  await waitUntil('the last', () => dryRuns().length === 1)
  await running.app.close()
  await last
  expect(dryRuns()).toEqual([])
})

describe('runs', () => {
  test('go through the queue to the end; curves, samples and checkpoints are there, and so is the next method', async () => {
    const { client } = running
    const { runIds } = await client.call('runs.start', { request: tinyRequest(datasetId, { seeds: [1, 2] }) })
    expect(runIds).toEqual(['sft-1', 'sft-2'])
    for (const runId of runIds) expect(await waitForState(client, runId)).toBe('finished')
    const run = await client.call('runs.get', { runId: runIds[0]! })
    expect(run).toMatchObject({
      methodName: 'SFT',
      step: 8,
      totalSteps: 8,
      mainMetric: 'eval/loss',
      error: null,
      resumable: false,
      phase: 'ended',
      facts: { vocabSize: 258 },
    })
    expect([run.mainValue, run.spark.length]).toEqual([expect.any(Number), 3])
    expect(run.checkpoints.every((checkpoint) => existsSync(path.join(checkpoint.path, 'model.safetensors')))).toBe(
      true,
    )
    const {
      series: [loss],
    } = await client.call('runs.metrics', { runId: runIds[0]!, names: ['loss'] })
    expect(loss).toMatchObject({ name: 'loss', total: 8, step: [1, 2, 3, 4, 5, 6, 7, 8] })
    expect((await client.call('runs.samples', { runId: runIds[0]! })).map((at) => [at.step, at.items.length])).toEqual([
      [0, 2],
      [4, 2],
      [8, 2],
    ])
    const states = seen
      .filter((event) => event.name === 'run.state')
      .map((event) => event.payload as { runId: string; state: string })
      .filter((run) => run.runId === 'sft-1')
      .map((run) => run.state)
    expect(states[0]).toBe('starting')
    expect(states.at(-1)).toBe('finished')
    const points = seen
      .filter((event) => event.name === 'run.metrics')
      .map((event) => event.payload as EventPayload<'run.metrics'>)
      .filter((told) => told.runId === 'sft-1')
      .flatMap((told) => told.changes.flatMap((change) => (change.type === 'points' ? change.columns.step : [])))
    expect([...new Set(points)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    const aligned = await client.call('runs.start', {
      request: tinyRequest(datasetId, {
        method: 'dpo',
        model: { kind: 'run', runId: runIds[0]!, checkpoint: 'best' },
        name: 'From SFT',
      }),
    })
    expect(aligned.runIds).toEqual(['from-sft-1'])
    expect(await waitForState(client, aligned.runIds[0]!)).toBe('finished')
    const again = await client.call('runs.request', { runId: aligned.runIds[0]! })
    expect(again).toMatchObject({
      method: 'dpo',
      name: 'From SFT',
      model: { kind: 'run', runId: 'sft-1', checkpoint: 'best' },
      seeds: [1],
    })
  })

  test('a queue keeps its order, can be paused, changed and left', async () => {
    const { client } = running
    await client.call('queue.pause', { paused: true })
    const { runIds } = await client.call('runs.start', { request: tinyRequest(datasetId, { seeds: [1, 2, 3] }) })
    const [first, second, third] = runIds as [never, never, never] // three seeds
    await client.call('queue.move', { runId: third, position: 1 })
    const places = async (): Promise<Record<string, number | null>> =>
      Object.fromEntries((await client.call('runs.list', {})).map((run) => [run.seed, run.queuePosition]))
    expect(await places()).toEqual({ 3: 1, 1: 2, 2: 3 })
    await client.call('runs.stop', { runId: first, mode: 'stop' })
    expect(await places()).toEqual({ 3: 1, 1: null, 2: 2 })
    await client.call('queue.pause', { paused: false })
    await waitForState(client, second)
    const runs = await client.call('runs.list', {})
    expect(runs.map((run) => [run.seed, run.state])).toEqual([
      [3, 'finished'],
      [2, 'finished'],
      [1, 'cancelled'],
    ])
    expect(runs[0]!.endedAtMs!).toBeLessThanOrEqual(runs[1]!.startedAtMs!)
    await client.call('runs.resume', { runId: first })
    expect(await waitForState(client, first)).toBe('finished')
    await client.call('runs.setNote', { runId: first, note: 'kept aside' })
    await client.call('runs.delete', { runId: third })
    expect([
      (await client.call('runs.list', {})).map((run) => [run.seed, run.note]),
      existsSync(path.join(running.dataFolder, 'trash')),
    ]).toEqual([
      [
        [2, ''],
        [1, 'kept aside'],
      ],
      true,
    ])
    await expect(client.call('runs.get', { runId: third })).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining(second),
    })
    await expect(client.call('runs.get', { runId: 'of-no-name-9' as RunId })).rejects.toMatchObject({
      hint: expect.stringMatching(/^The newest are: .*-\d+\. It may have been deleted\.$/),
    })
    await expect(client.call('runs.resume', { runId: second })).rejects.toMatchObject({ code: 'run-conflict' })
  })

  test('stop and stop-and-save end a live run; the latter goes on where it was', async () => {
    const { client } = running
    const { runIds } = await client.call('runs.start', { request: tinyRequest(datasetId, { training: LONG }) })
    const runId = runIds[0]!
    await waitUntil('some steps', async () => (await client.call('runs.get', { runId })).step > 5)
    const beside = await client.call('runs.estimate', { request: tinyRequest(datasetId) })
    expect(beside.warnings.at(-1)).toMatch(/^This was measured beside a run in progress/)
    await client.call('runs.checkpoint', { runId })
    await waitUntil('the checkpoint', async () => (await client.call('runs.get', { runId })).checkpoints.length > 0)
    await client.call('runs.stop', { runId, mode: 'stop-and-save' })
    expect(await waitForState(client, runId)).toBe('interrupted')
    const { step } = (await client.call('runs.get', { runId })).checkpoints.at(-1)!
    await client.call('runs.resume', { runId })
    await waitUntil('a later step', async () => (await client.call('runs.get', { runId })).step > step)
    await client.call('runs.stop', { runId, mode: 'stop' })
    expect(await waitForState(client, runId)).toBe('cancelled')
    const {
      series: [loss],
    } = await client.call('runs.metrics', { runId, names: ['loss'], maxPoints: 100_000 })
    expect(loss!.step).toEqual(Array.from({ length: loss!.step.length }, (_none, index) => index + 1))
  })

  test('the index can be thrown away and read again from the folders', async () => {
    const { client, app } = running
    const { runIds } = await client.call('runs.start', { request: tinyRequest(datasetId, { seeds: [1, 2] }) })
    await waitForState(client, runIds[0]!)
    await client.call('runs.stop', { runId: runIds[1]!, mode: 'stop' })
    await waitForState(client, runIds[1]!)
    await client.call('runs.setNote', { runId: runIds[0]!, note: 'mine' })
    await app.close('continue')
    const before = readRunsForTest(running.dataFolder)
    expect(before.metrics.length).toBeGreaterThan(50)
    expect(readRunsForTest(running.dataFolder, 'rebuild')).toEqual(before)
    expect(readFileSync(path.join(running.dataFolder, 'runs', runIds[0]!, 'app.json'), 'utf8')).toContain('mine')
  })
})
