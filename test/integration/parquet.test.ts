import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openText, readTextHead } from '../../main/core/formats/text-of.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/parquet/${name}`, import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'pairlab parquet '))
let lab: TestApp
beforeAll(async () => {
  lab = await makeApp()
})
afterAll(async () => {
  await lab.end()
  rmSync(folder, { recursive: true, force: true })
})

async function textOf(file: string): Promise<string> {
  const source = await openText(file)
  const pieces: Buffer[] = []
  for await (const piece of source.chunks()) pieces.push(Buffer.from(piece))
  expect(source.bytesRead()).toBe(source.totalBytes)
  return Buffer.concat(pieces).toString('utf8')
}

test.each(['snappy', 'gzip', 'zstd', 'brotli', 'none'])(
  'pairs packed with %s come in as their rows',
  async (packed) => {
    const { client } = lab
    const file = fixture(`pairs-${packed}.parquet`)
    const seen = await client.call('imports.recognize', { path: file })
    expect(seen).toMatchObject({
      kind: 'response-pairs',
      columns: expect.arrayContaining(['prompt', 'chosen', 'score_chosen']),
    })
    const { jobId } = await client.call('datasets.import', { path: file, name: `Pairs, ${packed}` })
    await waitUntil('the import', async () => (await client.call('datasets.importJob', { jobId })).state !== 'running')
    const { datasetId } = await client.call('datasets.importJob', { jobId })
    expect(await client.call('datasets.get', { datasetId: datasetId! })).toMatchObject({
      itemCount: 50,
      labeledCount: 50,
    })
  },
)

test('all rows of all groups, in their order, with what JSON has no word for', async () => {
  const rows = (await textOf(fixture('pairs-snappy.parquet')))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { prompt_id: string })
  expect(rows.map(({ prompt_id: id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => `p${at}`))
  const answers = (await textOf(fixture('answers.parquet')))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  expect(answers).toEqual([
    {
      prompt: 'Name a colour.',
      completion: 'Blue.',
      label: true,
      id: '1152921504606846977',
      at: '2026-12-01T00:00:00.000Z',
      picture: '2 bytes',
    },
    { prompt: 'Name a fruit.', completion: 'A chair.', label: false, id: 7, at: null, picture: null },
  ])
  const head = await readTextHead(fixture('pairs-snappy.parquet'), 100)
  expect(head.toString('utf8')).toBe((await textOf(fixture('pairs-snappy.parquet'))).slice(0, 100))
})

test('what cannot be read says where that began, and what to do', async () => {
  await expect(textOf(fixture('pairs-lz4.parquet'))).rejects.toMatchObject({
    code: 'dataset-invalid',
    hint: expect.stringContaining('zstd'),
  })
  const damaged = path.join(folder, 'damaged.parquet')
  const bytes = readFileSync(fixture('pairs-none.parquet'))
  copyFileSync(fixture('pairs-none.parquet'), damaged)
  bytes.fill(0xff, 4000, 4060)
  writeFileSync(damaged, bytes)
  await expect(textOf(damaged)).rejects.toMatchObject({
    code: 'dataset-invalid',
    message: expect.stringMatching(/cannot be read as Parquet, from row (1|21|41) on/),
  })
})
