import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { writeLetor, writeTexts } from '../support/tiny-files.ts'

// Paths as a file manager copies them, in quotes, at every door that takes one.

let made: TestApp
let folder: string
beforeAll(async () => {
  made = await makeApp()
  folder = path.join(made.dataFolder, 'given here')
  mkdirSync(folder)
})
afterAll(() => made.end())

const quoted = (file: string): string => `"${file}" `

test('a file in quotes is looked at and imported under its own name', async () => {
  const { client } = made
  const file = path.join(folder, 'my pairs.jsonl')
  writeFileSync(file, `${JSON.stringify({ prompt: 'q', chosen: 'a', rejected: 'b' })}\n`)
  expect(await client.call('datasets.inspect', { path: quoted(file) })).toMatchObject({ fileName: 'my pairs.jsonl' })
  const { jobId } = await client.call('datasets.import', { path: quoted(file) })
  await waitUntil('the import', async () => (await client.call('datasets.importJob', { jobId })).state === 'finished')
  const lists = await client.call('rankings.import', { path: quoted(writeLetor(path.join(folder, 'letor'))) })
  const texts = await client.call('texts.import', { path: quoted(writeTexts(folder, { train: 2, heldOut: 1 })) })
  const names = new Map((await client.call('datasets.list', {})).map((one) => [one.datasetId, one.name]))
  expect([...names.values()]).toContain('my pairs')
  expect(names.get(lists.datasetId)).toBe('letor')
  expect(names.get(texts.datasetId)).not.toMatch(/["' ]$/)
})

test('a model in quotes is added from where it is', async () => {
  const { client } = made
  const { path: place } = await makeModelFolder(path.join(folder, 'a model'))
  expect((await client.call('models.inspect', { path: quoted(place) })).problems).toEqual([])
  await client.call('models.add', { source: { kind: 'folder', path: quoted(place) } })
  await waitUntil('the model', async () => (await client.call('models.list', {})).length === 1)
  expect((await client.call('models.list', {}))[0]).toMatchObject({ path: place, state: 'ready' })
})
