import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { insertDataset, listDatasets, listDrafts } from '../../main/app/store/datasets.ts'
import { readDatasetFile, writeDatasetFile } from '../../main/app/store/datasets-file.ts'
import { discardRows } from '../../main/app/store/imports.ts'
import { inTransaction, openStore } from '../../main/app/store/open.ts'
import { readSettings, writeSettings } from '../../main/app/store/settings.ts'
import { addDataset, temporaryFolder } from '../support/filled-store.ts'

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => rmSync(folder, { recursive: true }))

const openModule = fileURLToPath(new URL('../../main/app/store/open.ts', import.meta.url))

/** A process that has the folder open until it is killed. It keeps what it opened: a lock that nothing refers to is collected, and gone. */
async function holdInAnotherProcess(): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { openStore } = await import(${JSON.stringify(openModule)}); globalThis.kept = openStore(process.argv[1]); console.log('open'); setInterval(() => {}, 1000)`,
      folder,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  return child
}

describe('one process owns a data folder', () => {
  test('a second one is told who has it', async () => {
    const owner = await holdInAnotherProcess()
    expect(() => openStore(folder)).toThrow(
      expect.objectContaining({
        code: 'db-locked',
        message: expect.stringContaining(`process ${owner.pid}`),
        hint: expect.stringContaining('--data-dir'),
      }),
    )
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    openStore(folder).close()
  })

  test('the same process cannot open it twice, and can again after closing', () => {
    const store = openStore(folder)
    expect(() => openStore(folder)).toThrow(expect.objectContaining({ code: 'db-locked' }))
    store.close()
    store.close()
    expect(existsSync(path.join(folder, 'app.owner.json'))).toBe(false)
    openStore(folder).close()
  })
})

test('writes are on the disk before a call returns', () => {
  const { db, close } = openStore(folder)
  expect({
    journal: db.pragma('journal_mode', { simple: true }),
    synchronous: db.pragma('synchronous', { simple: true }),
    foreignKeys: db.pragma('foreign_keys', { simple: true }),
  }).toEqual({ journal: 'wal', synchronous: 2, foreignKeys: 1 })
  close()
})

test('settings have defaults, are changed by key, and unknown ones are left alone', () => {
  const { db, close } = openStore(folder)
  expect(readSettings(db)).toEqual({
    theme: 'system',
    onQuit: 'continue',
    slots: 1,
    queuePaused: false,
    keymap: 'pairlab',
    keys: {},
    annotatorId: null,
    notifyOfRuns: false,
    keepAwake: true,
    view: {},
  })
  db.prepare("INSERT INTO settings VALUES ('later', '1')").run()
  expect(writeSettings(db, { slots: 4, keys: { 'label.tie': 't' } })).toMatchObject({
    slots: 4,
    keys: { 'label.tie': 't' },
    theme: 'system',
  })
  expect(db.prepare("SELECT value FROM settings WHERE key = 'later'").pluck().get()).toBe('1')
  close()
})

test('a transaction that fails leaves nothing', () => {
  const { db, close } = openStore(folder)
  expect(() =>
    inTransaction(db, () => {
      writeSettings(db, { slots: 9 })
      throw new Error('stop')
    }),
  ).toThrow('stop')
  expect(readSettings(db).slots).toBe(1)
  close()
})

test('an import that died is taken away, finished ones are listed', () => {
  const { db, close } = openStore(folder)
  const finished = addDataset(db, folder, 'set', 3)
  insertDataset(db, { ...finished, datasetId: 'half' as typeof finished.datasetId })
  expect(listDatasets(db).map((dataset) => dataset.datasetId)).toEqual(['set'])
  expect(listDrafts(db)).toEqual(['half'])
  for (const _ of discardRows(db, 'half')) expect(db.inTransaction).toBe(false)
  expect(listDrafts(db)).toEqual([])
  expect(listDatasets(db)).toHaveLength(1)
  close()
})

test('dataset.json says all that the database does', () => {
  const { db, close } = openStore(folder)
  const dataset = addDataset(db, folder, 'set', 3)
  writeDatasetFile(folder, dataset)
  expect(readDatasetFile(folder, 'set')).toEqual(listDatasets(db)[0])
  close()
})
