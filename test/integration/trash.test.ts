import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyByRule } from '../../main/app/data/empty-trash.ts'
import { clearUploads } from '../../main/app/data/incoming.ts'
import { markDeleted } from '../../main/app/store/datasets-marks.ts'
import { openStore } from '../../main/app/store/open.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { importTiny, tinyRequest } from '../support/tiny-app.ts'
import type { RunId } from '../../shared/domain.ts'

const SECRET = 'the heron said its password'
let made: TestApp
beforeEach(async () => {
  made = await makeApp()
})
afterEach(() => made.end())

const rows = (count: number, word: string): string =>
  Array.from(
    { length: count },
    (_, index) =>
      `${JSON.stringify({ prompt: `${word} ${index}?`, chosen: `${word} yes ${index}`, rejected: `no ${index}` })}\n`,
  ).join('')

/** As the loopback host puts a file that a page sends. */
function sendFile(text: string, name = 'pairs.jsonl'): string {
  const folder = path.join(made.dataFolder, 'incoming', randomUUID())
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, name), text)
  return path.join(folder, name)
}
const waiting = (): string[] => readdirSync(path.join(made.dataFolder, 'incoming'))

async function importFile(file: string): Promise<string> {
  const { jobId } = await made.client.call('datasets.import', { path: file, name: 'Herons' })
  await waitUntil(
    'the import',
    async () => (await made.client.call('datasets.importJob', { jobId })).state !== 'running',
  )
  const { datasetId } = await made.client.call('datasets.importJob', { jobId })
  if (datasetId === null) throw new Error('the import failed')
  return datasetId
}

/** Names of the files that hold the secret, in whatever encoding SQLite may have left it. */
function whereIs(secret: string): string[] {
  return readdirSync(made.dataFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && readFileSync(path.join(entry.parentPath, entry.name)).includes(secret))
    .map((entry) => path.relative(made.dataFolder, path.join(entry.parentPath, entry.name)))
}

test('a deleted data set is listed, and comes back with its labels', async () => {
  const datasetId = await importFile(sendFile(rows(30, 'heron')))
  const { annotatorId } = await made.client.call('annotators.add', { name: 'Eva' })
  const who = { datasetId: datasetId as never, annotatorId }
  const [item] = (await made.client.call('labels.queue', { ...who, filter: {}, limit: 1 })).items
  await made.client.call('labels.add', {
    ...who,
    pairId: item?.pairId ?? '',
    outcome: 'tie',
    strength: null,
    shownOrder: 'ab',
    durationMs: 1,
    clientKey: 'one-label',
  })
  const before = await made.client.call('datasets.get', { datasetId: datasetId as never })
  await made.client.call('datasets.delete', { datasetId: datasetId as never })
  const [entry] = await made.client.call('trash.list', {})
  expect(entry).toMatchObject({ kind: 'dataset', name: 'Herons', labelEvents: 1, removedAtMs: null })
  expect(entry?.sizeBytes).toBeGreaterThan(1000)
  expect(await made.client.call('trash.restore', { trashId: entry?.trashId ?? '' })).toEqual({
    kind: 'dataset',
    id: datasetId,
    name: 'Herons',
  })
  expect(await made.client.call('datasets.get', { datasetId: datasetId as never })).toEqual(before)
  expect(await made.client.call('trash.list', {})).toEqual([])
  await expect(made.client.call('trash.restore', { trashId: '../datasets' })).rejects.toMatchObject({
    code: 'not-found',
  })
  // It can be labeled on, and its journal holds it.
  await made.client.call('labels.undo', { ...who, clientKey: 'undo-after' })
  expect(
    readFileSync(path.join(made.dataFolder, 'datasets', datasetId, 'labels.jsonl'), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(32)
})

test('no text survives for good: neither in the database nor in a file', async () => {
  await importFile(sendFile(rows(300, 'other')))
  const datasetId = await importFile(sendFile(rows(700, SECRET)))
  await importFile(sendFile(rows(300, 'third')))
  expect(whereIs(SECRET).length).toBeGreaterThan(1)
  await made.client.call('datasets.delete', { datasetId: datasetId as never })
  expect(await made.client.call('trash.empty', {})).toMatchObject({ removed: 1, remains: [] })
  expect(whereIs(SECRET)).toEqual([])
  expect(await made.client.call('datasets.list', {})).toHaveLength(2)
})

test('the rule removes what is old and holds no labels of people, and nothing else', async () => {
  const put = (name: string, days: number | null, labelEvents: number): void => {
    const folder = path.join(made.dataFolder, 'trash', name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'records.jsonl'), '{}\n')
    if (days !== null)
      markDeleted(folder, { kind: 'dataset', id: name, name, deletedAtMs: Date.now() - days * 86_400_000, labelEvents })
  }
  put('old', 31, 0)
  put('young', 29, 0)
  put('labeled', 400, 3)
  put('somebodys', null, 0)
  const store = openStore(path.join(made.dataFolder, 'another'))
  expect(await emptyByRule(store.db, made.dataFolder, Date.now())).toMatchObject({ removed: 1 })
  store.close()
  expect(readdirSync(path.join(made.dataFolder, 'trash')).sort()).toEqual(['labeled', 'somebodys', 'young'])
})

test('a file that a page sent goes when its import has ended, however it did; a file of a person stays', async () => {
  await importFile(sendFile(rows(20, 'one')))
  await waitUntil('the copy to go', () => waiting().length === 0)
  const bad = sendFile('{"a":1}\n', 'no-pairs.jsonl')
  await expect(made.client.call('datasets.import', { path: bad })).rejects.toMatchObject({ code: 'input-invalid' })
  expect(waiting()).toHaveLength(1) // its columns may still be named
  await expect(made.client.call('datasets.inspect', { path: sendFile('\u0000\u0001', 'noise.bin') })).rejects.toThrow()
  await expect(made.client.call('texts.import', { path: sendFile('', 'empty.txt') })).rejects.toThrow()
  // One that holds no pair may still be read as something else, until its page is left.
  const sentences = sendFile('{"chosen": 1, "rejected": 2, "prompt": "p"}\n')
  const refused = await made.client.call('datasets.import', { path: sentences })
  await waitUntil('the refusal', async () => (await made.client.call('datasets.importJob', refused)).state === 'failed')
  expect(existsSync(sentences)).toBe(true)
  await made.client.call('imports.release', { path: sentences })
  const { jobId } = await made.client.call('datasets.import', { path: sendFile(rows(20_000, 'many')) })
  await made.client.call('datasets.cancelImport', { jobId })
  await waitUntil('the others to go', () => waiting().length === 1)
  const mine = path.join(made.dataFolder, 'mine.jsonl')
  writeFileSync(mine, rows(5, 'mine'))
  await importFile(mine)
  expect(existsSync(mine)).toBe(true)
})

test('a file that was sent and never imported goes after some hours; what is not of a page stays', () => {
  const file = sendFile('x')
  const folder = path.dirname(file)
  mkdirSync(path.join(made.dataFolder, 'incoming', 'my notes'))
  clearUploads(made.dataFolder, 3_600_000, Date.now())
  expect(existsSync(file)).toBe(true)
  utimesSync(folder, new Date(0), new Date(0))
  clearUploads(made.dataFolder, 3_600_000, Date.now())
  expect(waiting()).toEqual(['my notes'])
})

test('the number of a deleted run is not given again, not even after it was removed for good', async () => {
  const { client } = made
  const datasetId = await importTiny(client, made.dataFolder)
  await client.call('queue.pause', { paused: true })
  const begin = async (): Promise<RunId> =>
    (await client.call('runs.start', { request: tinyRequest(datasetId) })).runIds[0]!
  const remove = async (runId: RunId): Promise<void> => {
    await client.call('runs.stop', { runId, mode: 'stop' })
    await client.call('runs.delete', { runId })
  }
  const first = await begin()
  expect(first).toBe('sft-1')
  await remove(first)
  const second = await begin()
  expect(second).toBe('sft-2')
  const [entry] = await client.call('trash.list', {})
  expect(await client.call('trash.restore', { trashId: entry!.trashId })).toMatchObject({ id: 'sft-1' })
  for (const runId of [second, first]) await client.call('runs.delete', { runId }).catch(() => remove(runId))
  await client.call('trash.empty', {})
  expect(await client.call('trash.list', {})).toEqual([])
  expect(await begin()).toBe('sft-3')
})
