import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openText, readTextHead } from '../../main/core/formats/text-of.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { createRandom } from '../support/seeded.ts'

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

const rowsOf = async (file: string): Promise<unknown[]> =>
  (await textOf(file))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

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
  const pairs = (await rowsOf(fixture('pairs-snappy.parquet'))) as { prompt_id: string }[]
  expect(pairs.map(({ prompt_id: id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => `p${at}`))
  expect(await rowsOf(fixture('answers.parquet'))).toEqual([
    {
      prompt: 'Name a colour.',
      completion: 'Blue.',
      label: true,
      id: '1152921504606846977',
      at: '2026-12-01T00:00:00.000Z',
      picture: '2 bytes',
      before: null,
      more: { by: null, tags: ['a', null] },
    },
    {
      prompt: 'Name a fruit.',
      completion: 'A chair.',
      label: false,
      id: 7,
      at: null,
      picture: null,
      before: [
        { content: 'Hello.', role: 'user' },
        { content: 'Hello!', role: 'assistant' },
      ],
      more: null,
    },
  ])
  // Read in two parts, each from the middle of pages.
  expect(await rowsOf(fixture('many.parquet'))).toEqual(
    Array.from({ length: 2500 }, (_, at) => ({ prompt: `Row ${at}`, tags: Array.from({ length: at % 3 }, () => 't') })),
  )
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
  bytes.fill(0xff, 4000, 4060)
  writeFileSync(damaged, bytes)
  await expect(textOf(damaged)).rejects.toMatchObject({
    code: 'dataset-invalid',
    message: expect.stringMatching(/cannot be read as Parquet, from row (1|21|41) on/),
  })
})

test('any damage ends with its reason, and none is read for ever', async () => {
  const random = createRandom(11)
  const whole = readFileSync(fixture('pairs-snappy.parquet'))
  const file = path.join(folder, 'any.parquet')
  for (let round = 0; round < 300; round += 1) {
    const bytes = Buffer.from(whole)
    // Half of it where the groups, their sizes and their counts are told.
    const from = random() < 0.5 ? bytes.length - 1500 : 4
    for (let flips = 0; flips < 4; flips += 1)
      bytes[from + Math.floor(random() * (bytes.length - from - 4))] = Math.floor(random() * 256)
    writeFileSync(file, bytes)
    const error = await textOf(file).then(
      () => null,
      (reason: unknown) => reason,
    )
    if (error !== null) expect(error, `round ${round}`).toMatchObject({ code: 'dataset-invalid' })
  }
}, 60_000)

test('one that says it has more rows than it holds is not read for ever', async () => {
  const bytes = readFileSync(fixture('pairs-none.parquet'))
  // The footer counts 50 rows, in groups of 20, 20 and 10, as variable-length integers of twice the number.
  const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
  const end = bytes.lastIndexOf(Buffer.from([0x16, 2 * 10]))
  expect(end).toBeGreaterThan(footer)
  bytes[end + 1] = 2 * 60
  const file = path.join(folder, 'more.parquet')
  writeFileSync(file, bytes)
  await expect(textOf(file)).rejects.toMatchObject({ code: 'dataset-invalid' })
})
