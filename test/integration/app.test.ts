import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApp, type App } from '../../main/app/app.ts'
import { contract, type AppEvent } from '../../shared/contract.ts'
import { dispatch, inProcess, type Client } from '../../shared/rpc.ts'
import { temporaryFolder } from '../support/filled-store.ts'
import { waitUntil } from '../support/make-app.ts'

let folder: string
let app: App
let client: Client
let heard: AppEvent[]

async function start(): Promise<void> {
  app = await createApp({ dataFolder: folder })
  client = inProcess(app.handlers)
  heard = []
  app.events.subscribe((event) => heard.push(event))
}
async function restart(): Promise<void> {
  await app.close('continue')
  await start()
}
beforeEach(async () => {
  folder = temporaryFolder()
  await start()
})
afterEach(async () => {
  await app.close('continue')
  rmSync(folder, { recursive: true })
})

/** A real file, imported through the contract. */
async function importPairs(count: number): Promise<string> {
  const file = path.join(folder, 'pairs.jsonl')
  writeFileSync(
    file,
    Array.from(
      { length: count },
      (_, index) =>
        `${JSON.stringify({ prompt: `Question ${index}?`, chosen: `good answer ${index}`, rejected: `bad ${index}` })}\n`,
    ).join(''),
  )
  const { jobId } = await client.call('datasets.import', { path: file, name: 'Pairs' })
  await waitUntil('the import', async () => (await client.call('datasets.importJob', { jobId })).state !== 'running')
  const job = await client.call('datasets.importJob', { jobId })
  expect(job).toMatchObject({ state: 'finished', error: null })
  return job.datasetId ?? ''
}

test('has a handler for every call of the contract, and no other', () => {
  expect(Object.keys(app.handlers).sort()).toEqual(Object.keys(contract).sort())
})

test('says what it runs on', async () => {
  const info = await client.call('system.info', {})
  expect(info).toMatchObject({ dataFolder: folder, electronVersion: null, nodeVersion: process.versions.node })
  expect(info.sqliteVersion).toMatch(/^3\.\d+\.\d+$/)
  expect(info.diskFreeBytes).toBeGreaterThan(0)
  expect(info.dataBytes).toBeGreaterThan(0)
})

test('a second app on the folder is refused; after closing it opens', async () => {
  await expect(createApp({ dataFolder: folder })).rejects.toMatchObject({ code: 'db-locked' })
  await restart()
  await app.close()
  await app.close()
  await start()
})

test('settings change by key, are told, and stay', async () => {
  expect(await client.call('settings.set', { theme: 'dark' })).toMatchObject({ theme: 'dark', slots: 1 })
  expect(heard.map((event) => event.name)).toEqual(['settings.changed'])
  await client.call('settings.set', { slots: 2 })
  await restart()
  expect(await client.call('settings.get', {})).toMatchObject({ theme: 'dark', slots: 2 })
})

test('an unexpected failure is one line of the log, an expected one is not', async () => {
  await expect(
    client.call('labels.progress', { datasetId: 'none', annotatorId: 'none' } as never),
  ).rejects.toMatchObject({ code: 'not-found' })
  const { lines, path: logPath } = await client.call('system.log', { lines: 10 })
  expect(lines.join('\n')).not.toContain('labels.progress')
  expect(lines.at(-1)).toContain(`opened ${folder}`)
  expect(readFileSync(logPath, 'utf8')).toContain('opened')
})

describe('labeling through the contract', () => {
  test('from the queue to the history, and over a restart', async () => {
    const datasetId = (await importPairs(6)) as never
    const { annotatorId } = await client.call('annotators.add', { name: '  Eva ' })
    expect(annotatorId).toBe('Eva')
    const who = { datasetId, annotatorId }
    const { items, matching } = await client.call('labels.queue', { ...who, filter: { only: 'unlabeled' }, limit: 2 })
    expect(matching).toBe(6)
    expect(items.map((item) => [item.index, item.current, item.flagged])).toEqual([
      [0, null, false],
      [1, null, false],
    ])
    heard.length = 0
    const [item] = items
    if (item === undefined) throw new Error('no item')
    const answer = {
      ...who,
      pairId: item.pairId,
      outcome: 'a',
      strength: 'clearly',
      comment: 'better',
      shownOrder: item.shownOrder,
      durationMs: 1200,
      clientKey: 'first-answer',
    } as const
    const { labelId, progress } = await client.call('labels.add', answer)
    expect(progress).toEqual({
      total: 6,
      answered: 1,
      skipped: 0,
      flagged: 0,
      paceMs: 1200,
      remainingMs: 6000,
      canUndo: true,
      canRedo: false,
      journalTrouble: null,
    })
    expect(heard.map(({ name, payload }) => ({ name, payload }))).toEqual([{ name: 'labels.changed', payload: who }])
    expect(await client.call('labels.add', answer)).toMatchObject({ labelId })
    await client.call('labels.flag', { ...who, pairId: item.pairId, flagged: true, clientKey: 'first-flag' })
    expect(
      (await client.call('labels.queue', { ...who, filter: {}, exclude: [items[1]?.pairId ?? ''] })).items.map(
        (next) => next.index,
      ),
    ).toEqual([2, 3, 4])
    await restart()
    expect(await client.call('labels.item', { ...who, pairId: item.pairId })).toEqual({
      ...item,
      current: { labelId, outcome: 'a', strength: 'clearly', comment: 'better' },
      flagged: true,
    })
    expect(await client.call('labels.undo', { ...who, clientKey: 'first-undo' })).toMatchObject({
      pairId: item.pairId,
      index: 0,
      progress: { answered: 0, canRedo: true },
    })
    expect(await client.call('labels.redo', { ...who, clientKey: 'first-redo' })).toMatchObject({
      pairId: item.pairId,
      progress: { answered: 1, canRedo: false },
    })
    expect(await client.call('labels.redo', { ...who, clientKey: 'second-redo' })).toMatchObject({
      pairId: null,
      index: null,
    })
    const history = await client.call('labels.history', who)
    expect(history.events.map((event) => event.kind)).toEqual(['redo', 'undo', 'flag', 'answer'])
    expect(history.events.at(-1)).toMatchObject({ title: 'Question 0?', inForce: true, durationMs: 1200 })
    const habits = await client.call('labels.habits', who)
    expect(habits.left).toMatchObject({ n: 1, wins: item.shownOrder === 'ab' ? 1 : 0 })
    expect(habits.left.low).toBeGreaterThanOrEqual(0)
  })

  test('searches what is shown: prompt and both answers, whatever the case', async () => {
    const who = {
      datasetId: (await importPairs(12)) as never,
      annotatorId: (await client.call('annotators.add', { name: 'Eva' })).annotatorId,
    }
    const search = async (text: string): Promise<number[]> =>
      (await client.call('labels.queue', { ...who, filter: { only: 'all', search: text }, limit: 20 })).items.map(
        (item) => item.index,
      )
    expect({
      prompt: await search('question 3?'),
      answer: await search('BAD 1'),
      nothing: await search('%'),
      padded: await search(' bad 5 '),
    }).toEqual({ prompt: [3], answer: [1, 10, 11], nothing: [], padded: [5] })
  })

  test('refuses in words', async () => {
    const datasetId = await importPairs(2)
    await client.call('annotators.add', { name: 'Eva' })
    expect(await dispatch(app.handlers, 'annotators.add', { name: 'E\u200Bva' })).toMatchObject({
      ok: false,
      error: { code: 'label-conflict' },
    })
    const answer = {
      datasetId,
      annotatorId: 'Eva',
      pairId: 'nowhere',
      outcome: 'a',
      strength: null,
      shownOrder: 'ab',
      durationMs: 1,
      clientKey: 'some-key-1',
    }
    expect(await dispatch(app.handlers, 'labels.add', answer)).toMatchObject({
      ok: false,
      error: { code: 'not-found' },
    })
    expect(await dispatch(app.handlers, 'labels.add', { ...answer, outcome: 'c' })).toMatchObject({
      ok: false,
      error: { code: 'input-invalid' },
    })
  })
})
