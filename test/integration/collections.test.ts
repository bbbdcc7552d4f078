import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { bm25Tokens, createBm25Index } from '../../main/core/learn/ranking/bm25.ts'
import { measureRanking, rankByScore } from '../../main/core/learn/ranking/ranking-metrics.ts'
import { gaugeEventLoop } from '../support/event-loop-gauge.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { createRandom } from '../support/seeded.ts'

const bundled = path.resolve(import.meta.dirname, '../../resources/samples/cranfield')
const linesOf = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)

let made: TestApp
beforeAll(async () => {
  made = await makeApp()
})
afterAll(() => made.end())

describe('the Cranfield collection', () => {
  let datasetId: DatasetId
  const corpus = linesOf<{ _id: string; title: string; text: string }>(path.join(bundled, 'corpus.jsonl'))

  beforeAll(async () => {
    const opened = await made.client.call('samples.open', { sampleId: 'cranfield' })
    datasetId = opened.datasetId!
  })

  test('queries are searched by text and id, on one side or on all', async () => {
    const { client } = made
    const all = await client.call('rankings.queries', { datasetId, limit: 200 })
    expect([all.total, all.rows.length]).toEqual([225, 200])
    const heat = await client.call('rankings.queries', { datasetId, search: 'HEAT', limit: 200 })
    expect(heat.total).toBeGreaterThan(5)
    expect(heat.rows.every(({ text }) => text.includes('heat'))).toBe(true)
    const { counts } = (await client.call('datasets.get', { datasetId })).split
    for (const side of ['train', 'validation', 'test'] as const) {
      const onSide = await client.call('rankings.queries', { datasetId, side, limit: 200 })
      expect([onSide.total, new Set(onSide.rows.map(({ split }) => split))]).toEqual([counts[side], new Set([side])])
      const both = await client.call('rankings.queries', { datasetId, side, search: 'heat', limit: 200 })
      expect(both.rows).toEqual(heat.rows.filter(({ split }) => split === side))
    }
    const second = await client.call('rankings.queries', { datasetId, search: 'heat', offset: 1, limit: 2 })
    expect(second.rows).toEqual(heat.rows.slice(1, 3))
    expect((await client.call('rankings.queries', { datasetId, search: 'zzzz' })).total).toBe(0)
    // Documents hold it, queries do not: the search ends where the queries do.
    expect((await client.call('rankings.queries', { datasetId, search: 'brenckman' })).total).toBe(0)
  })

  test('a document is shown whole, with the queries that judged it', async () => {
    const { client } = made
    expect(await client.call('rankings.collection', { datasetId })).toEqual({ documents: corpus.length })
    const longest = corpus.toSorted((a, b) => b.text.length - a.text.length)[0]!
    const [cut] = await client.call('rankings.documents', { datasetId, docIds: [longest._id, 'nothing'] })
    expect([cut!.docId, cut!.cut, longest.text.startsWith(cut!.text)]).toEqual([longest._id, true, true])
    const { judgments, queryId } = await client.call('rankings.query', { datasetId, index: 0 })
    const { docId, grade } = judgments[0]!
    const whole = await client.call('rankings.document', { datasetId, docId })
    expect(whole).toMatchObject({ docId, text: corpus.find(({ _id }) => _id === docId)!.text })
    expect(whole.judgedFor.find((one) => one.index === 0)).toMatchObject({ queryId, grade })
    await expect(client.call('rankings.document', { datasetId, docId: 'nothing' })).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  test('documents are found by what they say', async () => {
    const { client } = made
    const wanted = corpus.filter(({ title, text }) => `${title}\n${text}`.toLowerCase().includes('slipstream'))
    const found = await client.call('rankings.find', { datasetId, search: ' Slipstream', limit: 200 })
    expect([found.total, found.rows.map(({ docId }) => docId)]).toEqual([wanted.length, wanted.map(({ _id }) => _id)])
    const rest = await client.call('rankings.find', { datasetId, offset: corpus.length - 2 })
    expect([rest.total, rest.rows.map(({ docId }) => docId)]).toEqual([
      corpus.length,
      corpus.slice(-2).map(({ _id }) => _id),
    ])
  })

  test('BM25 orders the whole collection as training takes its candidates', async () => {
    const { client } = made
    const ids = corpus.map(({ _id }) => _id)
    const index = createBm25Index(corpus.map(({ title, text }) => bm25Tokens(`${title} ${text}`)))
    for (const at of [0, 57, 224]) {
      const { text, judgments } = await client.call('rankings.query', { datasetId, index: at })
      const scores = [...index.score(bm25Tokens(text), { k1: 0.9, b: 0.4 })]
      const order = rankByScore(scores, ids)
      const grades = new Map(judgments.map(({ docId, grade }) => [docId, grade]))
      const { bm25, run } = await client.call('rankings.orders', { datasetId, index: at, limit: 30 })
      expect(run).toBeNull()
      expect(bm25!.rows.map(({ docId, rank, score, grade }) => [docId, rank, score, grade])).toEqual(
        order.slice(0, 30).map((one, place) => [ids[one]!, place + 1, scores[one]!, grades.get(ids[one]!) ?? null]),
      )
      expect([bm25!.total, bm25!.judged]).toEqual([
        corpus.length,
        judgments.map(({ docId }) => {
          const place = order.indexOf(ids.indexOf(docId))
          return { docId, rank: place < 0 ? null : place + 1 }
        }),
      ])
      const ranked = order.map((one) => grades.get(ids[one]!) ?? 0)
      expect(bm25!.ndcg10).toBeCloseTo(measureRanking(ranked, [], 10).ndcgLinear, 12)
    }
  })
})

test('a query that is a document too is not found by itself', async () => {
  const folder = path.join(made.dataFolder, 'own')
  cpSync(path.resolve(import.meta.dirname, '../fixtures/beir_tiny'), folder, { recursive: true })
  const append = (name: string, line: string): void => writeFileSync(path.join(folder, name), line, { flag: 'a' })
  append('corpus.jsonl', '{"_id": "q2", "title": "", "text": "caffeine source"}\n')
  append('qrels/test.tsv', 'q2\tq2\t2\n')
  const { client } = made
  const { datasetId } = await client.call('rankings.import', { path: folder, name: 'Own' })
  const rows = (await client.call('rankings.queries', { datasetId, search: 'q2' })).rows
  expect(rows.map(({ queryId, judged }) => [queryId, judged])).toEqual([['q2', 2]])
  const { bm25 } = await client.call('rankings.orders', { datasetId, index: rows[0]!.index })
  expect([bm25!.total, bm25!.rows.map(({ docId }) => docId).includes('q2'), bm25!.rows[0]!.docId]).toEqual([
    3,
    false,
    '4983',
  ])
  expect([bm25!.ndcg10, bm25!.judged.map(({ docId }) => docId)]).toEqual([1, ['4983']])
})

test('a large collection is read beside the app, in view of who waits, who may end it', async () => {
  const folder = path.join(made.dataFolder, 'large')
  mkdirSync(path.join(folder, 'qrels'), { recursive: true })
  const random = createRandom(5)
  const word = (): string => `w${Math.floor(4000 * random() ** 3)}`
  const count = 9_000
  const documents = Array.from({ length: count }, (_none, at) =>
    JSON.stringify({ _id: `d${at}`, title: word(), text: Array.from({ length: 60 }, word).join(' ') }),
  )
  const queries = Array.from({ length: 400 }, (_none, at) =>
    JSON.stringify({ _id: `q${at}`, text: `${word()} ${word()}` }),
  )
  writeFileSync(path.join(folder, 'corpus.jsonl'), `${documents.join('\n')}\n`)
  writeFileSync(path.join(folder, 'queries.jsonl'), `${queries.join('\n')}\n`)
  writeFileSync(
    path.join(folder, 'qrels/test.tsv'),
    `query-id\tcorpus-id\tscore\n${queries.map((_query, at) => `q${at}\td${at * 7}\t1\n`).join('')}`,
  )
  const { client, app } = made
  const { datasetId } = await client.call('rankings.import', { path: folder, name: 'Large' })
  const doing = new Set<string>()
  const stop = app.events.subscribe((event) => {
    if (event.name === 'rankings.progress') doing.add((event.payload as { doing: string }).doing)
  })
  const cancelled = client.call('rankings.orders', { datasetId, index: 3 })
  cancelled.catch(() => undefined)
  await waitUntil('the words to be counted', () => doing.has('bm25'))
  await client.call('rankings.cancel', { datasetId })
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
  const { value, held } = await gaugeEventLoop(async () => {
    const [orders, found] = await Promise.all([
      client.call('rankings.orders', { datasetId, index: 3 }),
      client.call('rankings.find', { datasetId, search: 'w3999 ' }),
    ])
    return { orders, found, queries: await client.call('rankings.queries', { datasetId, search: 'q39' }) }
  })
  stop()
  expect(held.longestCpuMs).toBeLessThan(50)
  expect(value.orders.bm25!.total).toBe(count)
  expect(value.found.rows.every(({ title, text }) => `${title} ${text}`.includes('w3999') || text.length >= 300)).toBe(
    true,
  )
  expect(value.queries.total).toBe(11)
  expect([...doing].toSorted()).toEqual(['bm25', 'documents', 'search'])
})
