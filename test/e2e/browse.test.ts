// Judged lists and texts, looked through in the browser; what leads to them, and what leads on.
import { cpSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DatasetId, RunId } from '../../shared/domain.ts'
import { waitForState } from '../support/tiny-app.ts'
import { accessibilityInBothThemes, chromiumPath, openLab, type Lab } from './support.ts'

let lab: Lab

describe.skipIf(chromiumPath === null)('looking through judged lists and texts', () => {
  beforeAll(async () => {
    lab = await openLab()
  })
  afterAll(() => lab.end())

  test('Home opens a sample of each kind, and offers what can be done next', async () => {
    const { page, client } = lab
    await lab.open('/')
    await page.getByText('Nothing to go on with yet.').waitFor()
    await page.getByRole('button', { name: 'Open Cranfield', exact: true }).click()
    await page.getByRole('heading', { name: 'Cranfield' }).waitFor()
    await lab.open('/')
    await page.getByText('What is here came judged').waitFor()
    await page.getByText('Cranfield: 225 queries, and no run yet.').waitFor()
    expect(await page.getByRole('button', { name: /^(Start|Continue) labeling/ }).count()).toBe(0)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search, or run a command' }).fill('label cranfield')
    expect(await page.getByRole('option', { name: /^(Label|Continue labeling) Cranfield/ }).count()).toBe(0)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Collect segments in Reach' }).click()
    await page.locator('.segment-browser').waitFor({ timeout: 110_000 }) // a process acts meanwhile
    // It is found again, and can be labeled.
    await lab.open('/')
    await page.getByRole('button', { name: 'Open the segments of Reach' }).waitFor()
    await page.getByRole('button', { name: /^Start labeling/ }).waitFor()
    expect(await accessibilityInBothThemes(page)).toEqual([])
    expect((await client.call('datasets.list', {})).map(({ kind }) => kind).toSorted()).toEqual([
      'rankings',
      'segment-pairs',
    ])
  })

  test('data sets are found by name and by kind', async () => {
    const { page } = lab
    await lab.open('/data')
    await page.getByRole('row', { name: /^Cranfield judged lists/ }).waitFor()
    await page.getByLabel('Kind of data').selectOption('judged lists')
    expect(await page.getByRole('link', { name: 'Reach, by regret' }).count()).toBe(0)
    await page.getByLabel('Kind of data').selectOption('')
    await page.keyboard.press('Escape')
    await page.locator('h1').click()
    await page.keyboard.press('/')
    await page.keyboard.type('reach')
    await page.getByRole('link', { name: 'Reach, by regret' }).waitFor()
    expect(await page.getByRole('link', { name: 'Cranfield' }).count()).toBe(0)
    expect(await accessibilityInBothThemes(page)).toEqual([])
  })

  test('queries are searched and walked through; documents open whole, and lead to the queries that judged them', async () => {
    const { page, client } = lab
    const datasetId = (await client.call('datasets.list', {})).find(({ kind }) => kind === 'rankings')!.datasetId
    await lab.open(`/data/${datasetId}`)
    await page.getByText('1,400 documents.').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('flutter')
    const found = await client.call('rankings.queries', { datasetId, search: 'flutter' })
    const place = page.getByLabel('Number of the query')
    await page.getByText(`of ${found.total}`, { exact: true }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.press('ArrowDown')
    await page.locator('.query-text').getByText(found.rows[1]!.text).waitFor()
    expect(await place.inputValue()).toBe('2')
    await place.fill('abc')
    await place.press('Enter')
    await page.getByText(`Write a number from 1 to ${found.total}.`).waitFor()
    expect(await place.getAttribute('aria-invalid')).toBe('true')
    await place.press('Escape')
    const { index } = found.rows[1]!
    const { bm25 } = await client.call('rankings.orders', { datasetId, index })
    const first = page.locator('.orders .panel', { hasText: 'BM25' }).nth(1).locator('.document-row').first()
    await first.getByText(bm25!.rows[0]!.docId, { exact: true }).waitFor()
    await first.click()
    const whole = await client.call('rankings.document', { datasetId, docId: bm25!.rows[0]!.docId })
    await page.locator('.document-whole').first().waitFor()
    await page.waitForFunction((text) => document.querySelector('.document-whole')?.textContent === text, whole.text)
    expect(await accessibilityInBothThemes(page)).toEqual([])
    await page.getByText('Documents', { exact: true }).first().click()
    // As among the queries, one is open from the start.
    await page.getByText('Judged for').waitFor()
    expect(await accessibilityInBothThemes(page)).toEqual([])
    const { judgments } = await client.call('rankings.query', { datasetId, index })
    const [judged] = await client.call('rankings.documents', { datasetId, docIds: [judgments[0]!.docId] })
    await page.getByLabel('Search the documents').fill(judged!.title)
    await page.locator('.pick-list button', { hasText: judged!.title }).first().click()
    await page.getByRole('heading', { name: 'Judged for' }).waitFor()
    await page.locator('.pick-list button', { hasText: found.rows[1]!.text }).click()
    await page.locator('.query-text').getByText(found.rows[1]!.text).waitFor()
    expect(await place.inputValue()).toBe(String(index + 1))
  })

  test('a run’s order stands beside BM25’s, and what moved is marked', async () => {
    const { page, client } = lab
    const folder = path.join(lab.dataFolder, 'tiny')
    cpSync(path.resolve(import.meta.dirname, '../fixtures/beir_tiny'), folder, { recursive: true })
    writeFileSync(path.join(folder, 'qrels/train.tsv'), 'query-id\tcorpus-id\tscore\nq9\td3\t1\n')
    const { datasetId } = await client.call('rankings.import', { path: folder, name: 'Tiny' })
    const runId = await trainRanker(datasetId)
    await lab.open(`/data/${datasetId}`)
    await page.getByLabel('Which run’s order').selectOption(runId)
    const ranker = page.locator('.orders .panel').last()
    await ranker.getByText('3 candidates, under its last weights').waitFor()
    const { run, bm25 } = await client.call('rankings.orders', { datasetId, index: 0, runId })
    const rows = ranker.locator('.document-row')
    await rows.nth(2).waitFor()
    expect(await rows.count()).toBe(3)
    for (const [at, row] of run!.rows.entries()) {
      const text = (await rows.nth(at).textContent())!
      expect(text).toContain(row.docId)
      expect(text.includes('from')).toBe(row.otherRank !== row.rank)
    }
    await ranker.getByText('nDCG@10').waitFor()
    expect(bm25!.ndcg10).not.toBeNull()
    // Of a query to train on there is no order.
    await page.getByLabel('Side of the split').selectOption('train')
    await page.getByText('this one is to train on').waitFor()
    expect(await accessibilityInBothThemes(page)).toEqual([])
  })

  test('texts are paged, searched and filtered by side', async () => {
    const { page, client } = lab
    await lab.open('/')
    await page.getByRole('button', { name: 'Open Cranfield queries and abstracts' }).click()
    await page.getByText('of 589', { exact: true }).waitFor()
    expect(await page.locator('.text-items > li').count()).toBe(20)
    const jump = page.getByLabel('Number of the item')
    await jump.fill('123')
    await jump.press('Enter')
    await page.locator('.text-items > li[aria-current="true"]', { hasText: '123' }).waitFor()
    await page.keyboard.press('j')
    await page.locator('.text-items > li', { hasText: '141' }).first().waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('propeller slipstream')
    const datasetId = (await client.call('datasets.list', {})).find(({ kind }) => kind === 'contrast-groups')!.datasetId
    const { total } = await client.call('texts.rows', { datasetId, search: 'propeller slipstream' })
    await page.getByText(`of ${total}`, { exact: true }).waitFor()
    await page.getByLabel('Side of the split').selectOption('validation')
    const less = await client.call('texts.rows', { datasetId, search: 'propeller slipstream', side: 'validation' })
    if (less.total === 0) await page.getByText('Nothing matches.').waitFor()
    else await page.getByText(`of ${less.total}`, { exact: true }).waitFor()
    expect(await accessibilityInBothThemes(page)).toEqual([])
    expect(lab.complaints).toEqual([])
  })
})

async function trainRanker(datasetId: DatasetId): Promise<RunId> {
  const { client } = lab
  const [runId] = (
    await client.call('runs.start', {
      request: {
        method: 'pg-rank',
        config: { temperature: 1, hidden: 0, candidates: 3, rankings: 4, listSize: 3 },
        training: { steps: 2, batchSize: 1, evalEvery: 0, checkpointEvery: 0, samplePrompts: 0 },
        model: { kind: 'networks' },
        data: { datasetId },
        engine: 'wasm',
      },
    })
  ).runIds
  expect(await waitForState(client, runId!)).toBe('finished')
  return runId!
}
