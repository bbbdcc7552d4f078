import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp, type App } from '../../main/app/app.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import { describeFolder } from '../support/describe-folder.ts'
import { waitForState } from '../support/tiny-app.ts'

// A folder that version 0.1 wrote, and what it answered of it then: test/support/write-data-folder.ts.
const written = fileURLToPath(new URL('../fixtures/data-folder-0.1', import.meta.url))
const { writtenAt, ...told } = JSON.parse(readFileSync(`${written}.json`, 'utf8')) as { writtenAt: string } & Awaited<
  ReturnType<typeof describeFolder>
>

let folder: string
let app: App
let client: Client

/** A run's specification names its data by an absolute path; the copy's lies where the copy lies. */
function movePaths(runId: string): void {
  const file = path.join(folder, 'runs', runId, 'spec.json')
  const spec = readFileSync(file, 'utf8')
  expect(spec).toContain(writtenAt)
  writeFileSync(file, spec.replaceAll(writtenAt, JSON.stringify(folder).slice(1, -1)))
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab früher '))
  cpSync(written, folder, { recursive: true })
  app = await createApp({ dataFolder: folder })
  client = inProcess(app.handlers)
})
afterAll(async () => {
  await app.close('checkpoint')
  rmSync(folder, { recursive: true, force: true })
})

test('every file of it is found to be as it was written', async () => {
  const { troubles } = await client.call('system.verify', {})
  expect(troubles).toEqual([])
})

test('people, data sets, labels, runs, metrics and checkpoints of a folder that 0.1 wrote are as they were', async () => {
  expect(told.runs.map(({ state, checkpoints }) => [state, checkpoints.length > 0])).toEqual([
    ['finished', true],
    ['finished', true],
    ['interrupted', true],
  ])
  expect(told.labels.some(({ events }) => events.length >= 8)).toBe(true)
  expect(await describeFolder(client)).toEqual(told)
})

test('its runs are compared', async () => {
  const ended = told.runs.filter(({ state }) => state === 'finished')
  const comparison = await client.call('comparisons.get', {
    runIds: ended.map(({ runId }) => runId),
    metric: ended[0]!.mainMetric!,
  })
  expect(comparison.groups).toHaveLength(1)
  expect(comparison.groups[0]).toMatchObject({ runIds: ended.map(({ runId }) => runId) })
})

test('labeling goes on where it was left, and the last answer can still be taken back', async () => {
  const [{ datasetId }, { annotatorId }] = [told.datasets.find(({ name }) => name === 'Tiny')!, told.annotators[0]!]
  const who = { datasetId, annotatorId }
  const before = await client.call('labels.progress', who)
  const [item] = (await client.call('labels.queue', { ...who, filter: { only: 'unlabeled' } })).items
  const { progress } = await client.call('labels.add', {
    ...who,
    pairId: item!.pairId,
    outcome: 'a',
    strength: null,
    shownOrder: item!.shownOrder,
    durationMs: 5,
    clientKey: 'goes-on-1',
  })
  expect(progress.answered).toBe(before.answered + 1)
  for (const clientKey of ['goes-on-2', 'goes-on-3']) await client.call('labels.undo', { ...who, clientKey })
  expect((await client.call('labels.progress', who)).answered).toBe(before.answered - 1)
})

test('a run that was stopped goes on from its checkpoint to the end', async () => {
  const { runId, step, totalSteps } = told.runs.find(({ state }) => state === 'interrupted')!
  movePaths(runId)
  await client.call('runs.resume', { runId: runId })
  expect(await waitForState(client, runId)).toBe('finished')
  const run = await client.call('runs.get', { runId: runId })
  expect(run.step).toBe(totalSteps)
  const {
    series: [points],
  } = await client.call('runs.metrics', { runId: runId, names: ['loss'], maxPoints: 100_000 })
  expect(points!.step).toEqual(Array.from({ length: totalSteps }, (_none, at) => at + 1))
  const earlier = told.runs.find((one) => one.runId === runId)!.metrics.find(({ name }) => name === 'loss')!
  expect(points!.value.slice(0, step)).toEqual(earlier.value)
})
