import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

let made: TestApp
beforeAll(async () => {
  made = await makeApp()
})
afterAll(() => made.end())

async function importLines(name: string, lines: readonly unknown[]): Promise<DatasetId> {
  const file = path.join(made.dataFolder, name)
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return (await made.client.call('texts.import', { path: file })).datasetId
}

test('texts are looked through whole, a page at a time, by what they say and by side', async () => {
  const { client } = made
  const long = `It goes on and on: ${'word '.repeat(2000)}end.`
  const datasetId = await importLines('lists.jsonl', [
    { query: 'Why is the sea salty?', positive: long, negatives: ['Tea.', 'A ferry LEAVES at nine.'] },
    ...Array.from({ length: 40 }, (_none, at) => ({
      query: `Question ${at}`,
      positive: `Answer ${at}`,
      negatives: [`Other ${at}`],
    })),
  ])
  const first = await client.call('texts.rows', { datasetId, limit: 1 })
  expect([first.total, first.rows[0]!.data]).toEqual([
    41,
    {
      form: 'triple',
      query: 'Why is the sea salty?',
      positive: long,
      negatives: ['Tea.', 'A ferry LEAVES at nine.'],
      source: null,
    },
  ])
  const page = await client.call('texts.rows', { datasetId, offset: 30, limit: 20 })
  expect(page.rows.map(({ index }) => index)).toEqual(Array.from({ length: 11 }, (_none, at) => 30 + at))
  expect((await client.call('texts.rows', { datasetId, search: 'ferry leaves' })).rows).toHaveLength(1)
  expect((await client.call('texts.rows', { datasetId, search: 'question 3' })).total).toBe(11)
  const { counts } = (await client.call('datasets.get', { datasetId })).split
  const onTest = await client.call('texts.rows', { datasetId, side: 'test', limit: 100 })
  expect([onTest.total, onTest.rows.every(({ split }) => split === 'test')]).toEqual([counts.test, true])
  // Drawn anew, the sides are the new ones.
  await client.call('datasets.setSplit', { datasetId, seed: 3, validation: 0.2, test: 0.4 })
  const anew = await client.call('datasets.get', { datasetId })
  const after = await client.call('texts.rows', { datasetId, side: 'test', limit: 100 })
  expect(after.total).toBe(anew.split.counts.test)
  expect(after.rows.map(({ index }) => index)).not.toEqual(onTest.rows.map(({ index }) => index))
})

test('scored pairs and lines are items too; another kind of data is refused in words', async () => {
  const { client } = made
  const scored = await importLines('scored.jsonl', [
    { sentence1: 'A man sleeps.', sentence2: 'A man is asleep.', score: 0.9 },
    { sentence1: 'A man sleeps.', sentence2: 'It rains.', score: 0.1 },
  ])
  expect((await client.call('texts.rows', { datasetId: scored, search: 'rains' })).rows[0]!.data).toEqual({
    form: 'scored-pair',
    first: 'A man sleeps.',
    second: 'It rains.',
    score: 0.1,
  })
  const { datasetId } = await client.call('segments.collect', {
    world: 'reach',
    pairs: 2,
    segmentSteps: 4,
    name: 'Reach',
  })
  await expect(client.call('texts.rows', { datasetId: datasetId as DatasetId })).rejects.toMatchObject({
    code: 'input-invalid',
  })
})

test('the bundled texts are the Cranfield queries with what their judges call most relevant', async () => {
  const { client } = made
  const { datasetId } = await client.call('samples.open', { sampleId: 'cranfield-texts' })
  expect(await client.call('samples.open', { sampleId: 'cranfield-texts' })).toEqual({ jobId: null, datasetId })
  const { datasetId: rankings } = await client.call('samples.open', { sampleId: 'cranfield' })
  const detail = await client.call('datasets.get', { datasetId: datasetId! })
  expect([detail.kind, detail.itemCount, detail.promptCount]).toEqual(['contrast-groups', 589, 225])
  const { rows } = await client.call('texts.rows', { datasetId: datasetId!, limit: 1 })
  const [{ itemId, split, data }] = rows as [(typeof rows)[number]]
  const query = await client.call('rankings.query', { datasetId: rankings!, index: 0 })
  const best = query.judgments.filter(({ grade }) => grade === query.judgments[0]!.grade)
  expect([split, data.form === 'triple' && data.query]).toEqual([query.split, query.text])
  expect(best.map(({ docId }) => `${query.queryId}-${docId}`)).toContain(itemId)
})
