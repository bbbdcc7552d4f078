import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp, type App } from '../../main/app/app.ts'
import { datasetFolder } from '../../main/app/store/datasets-folder.ts'
import { ENDED_STATES, type RunId } from '../../shared/domain.ts'
import { inProcess, type Client } from '../../shared/rpc.ts'
import { temporaryFolder } from '../support/filled-store.ts'
import { waitUntil } from '../support/make-app.ts'
import { importTiny, tinyRequest } from '../support/tiny-app.ts'

// A full disk refuses what the database is to write after the files were moved. The trigger refuses at the same place.

let dataFolder: string
let app: App
let client: Client

async function start(): Promise<void> {
  app = await createApp({ dataFolder })
  client = inProcess(app.handlers)
}
async function restart(): Promise<void> {
  await app.close('continue')
  await start()
}
beforeEach(() => {
  dataFolder = temporaryFolder()
  return start()
})
afterEach(async () => {
  await app.close('continue')
  rmSync(dataFolder, { recursive: true })
})

function withDatabase(sql: string): void {
  const db = new Database(path.join(dataFolder, 'app.sqlite'))
  db.exec(sql)
  db.close()
}
const refuse = (when: string): void =>
  withDatabase(`CREATE TRIGGER refusal BEFORE ${when} BEGIN SELECT RAISE(ABORT, 'no room'); END`)
const allow = (): void => withDatabase('DROP TRIGGER refusal')
const trash = (): string[] =>
  existsSync(path.join(dataFolder, 'trash')) ? readdirSync(path.join(dataFolder, 'trash')) : []
const sets = async (): Promise<string[]> => (await client.call('datasets.list', {})).map(({ datasetId }) => datasetId)
const runs = async (): Promise<RunId[]> => (await client.call('runs.list', {})).map(({ runId }) => runId)

async function rowsOf(datasetId: string): Promise<number> {
  const db = new Database(path.join(dataFolder, 'app.sqlite'), { readonly: true })
  const count = db.prepare('SELECT count(*) FROM pairs WHERE dataset_id = ?').pluck().get(datasetId) as number // an integer by its SQL
  db.close()
  return count
}

test('a data set whose deletion the database refuses is where it was, also after a start', async () => {
  const datasetId = (await importTiny(client, dataFolder)) as never // an id of the app's
  refuse('UPDATE OF ready ON datasets')
  await expect(client.call('datasets.delete', { datasetId })).rejects.toThrow()
  allow()
  await restart()
  expect([await sets(), trash()]).toEqual([[datasetId], []])
  await client.call('datasets.delete', { datasetId })
  expect([await sets(), trash().length]).toEqual([[], 1])
})

test('one whose rows cannot be taken away is deleted all the same, and the next start takes them', async () => {
  const datasetId = (await importTiny(client, dataFolder)) as never // an id of the app's
  refuse('DELETE ON pairs')
  await client.call('datasets.delete', { datasetId })
  expect([await sets(), trash().length, existsSync(datasetFolder(dataFolder, datasetId))]).toEqual([[], 1, false])
  expect(await rowsOf(datasetId)).toBeGreaterThan(0)
  allow()
  await restart()
  expect([await sets(), trash().length, await rowsOf(datasetId)]).toEqual([[], 1, 0])
})

test('a file where the trash should be: neither a data set nor a run goes, and both say why', async () => {
  const datasetId = (await importTiny(client, dataFolder)) as never // an id of the app's
  const { runIds } = await client.call('runs.start', { request: tinyRequest(datasetId) })
  const [runId] = runIds as [RunId]
  await waitUntil(
    'the run',
    async () => ENDED_STATES.includes((await client.call('runs.get', { runId })).state),
    120_000,
  )
  const inTheWay = path.join(dataFolder, 'trash')
  writeFileSync(inTheWay, 'somebody’s notes')
  const refused = expect.objectContaining({ message: expect.stringContaining(inTheWay) })
  await expect(client.call('runs.delete', { runId })).rejects.toEqual(refused)
  await expect(client.call('datasets.delete', { datasetId })).rejects.toEqual(refused)
  expect([await sets(), await runs()]).toEqual([[datasetId], [runId]]) // at once, and not only when a start mends it
  await restart()
  expect([await sets(), await runs(), readFileSync(inTheWay, 'utf8')]).toEqual([
    [datasetId],
    [runId],
    'somebody’s notes',
  ])
})

test('a run whose deletion the database refuses is where it was, also after a start; its way back from the trash as well', async () => {
  const datasetId = (await importTiny(client, dataFolder)) as never // an id of the app's
  const { runIds } = await client.call('runs.start', { request: tinyRequest(datasetId) })
  const [runId] = runIds as [RunId]
  await waitUntil(
    'the run',
    async () => ENDED_STATES.includes((await client.call('runs.get', { runId })).state),
    120_000,
  )
  refuse('DELETE ON runs')
  await expect(client.call('runs.delete', { runId })).rejects.toThrow()
  expect(trash()).toEqual([])
  allow()
  await restart()
  expect([await runs(), trash()]).toEqual([[runId], []])
  expect((await client.call('runs.get', { runId })).state).toBe('finished')
  await client.call('runs.delete', { runId })
  expect([await runs(), trash().length]).toEqual([[], 1])
  const [entry] = await client.call('trash.list', {})
  refuse('INSERT ON runs')
  await expect(client.call('trash.restore', { trashId: entry!.trashId })).rejects.toMatchObject({
    code: 'folder-unusable',
  })
  allow()
  expect([await runs(), trash().length]).toEqual([[], 1])
  await client.call('trash.restore', { trashId: (await client.call('trash.list', {}))[0]!.trashId })
  expect([await runs(), trash()]).toEqual([[runId], []])
})
