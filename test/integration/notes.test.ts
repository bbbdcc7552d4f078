import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'

let made: TestApp
let annotatorId: AnnotatorId
beforeAll(async () => {
  made = await makeApp()
  annotatorId = (await made.client.call('annotators.add', { name: 'Mara' })).annotatorId
})
afterAll(() => made.end())

async function importFile(file: string): Promise<DatasetId> {
  const { jobId } = await made.client.call('datasets.import', { path: file })
  await waitUntil(
    'the import',
    async () => (await made.client.call('datasets.importJob', { jobId })).state !== 'running',
  )
  return (await made.client.call('datasets.importJob', { jobId })).datasetId as DatasetId // it ended well
}

function note(datasetId: DatasetId, pairId: string, comment: string): Promise<unknown> {
  return made.client.call('labels.add', {
    datasetId,
    annotatorId,
    pairId,
    outcome: 'a',
    strength: null,
    comment,
    shownOrder: 'ab',
    durationMs: 10,
    clientKey: `a note on ${pairId}: ${comment}`,
  })
}

test('notes are shown beside their answers, filtered, and go with what is exported', async () => {
  const { client } = made
  const file = path.join(made.dataFolder, 'pairs.jsonl')
  writeFileSync(
    file,
    Array.from({ length: 5 }, (_none, at) => `{"prompt":"p${at}","chosen":"yes ${at}","rejected":"no ${at}"}\n`).join(
      '',
    ),
  )
  const datasetId = await importFile(file)
  const ids = (await client.call('datasets.rows', { datasetId })).rows.map(({ pairId }) => pairId)
  await note(datasetId, ids[1]!, 'Both say so.')
  await note(datasetId, ids[3]!, '')
  await note(datasetId, ids[4]!, 'Gone again.')
  await note(datasetId, ids[4]!, '') // a new answer replaces the one with a note
  const noted = await client.call('datasets.rows', { datasetId, only: 'noted' })
  expect([noted.total, noted.rows.map(({ pairId }) => pairId)]).toEqual([1, [ids[1]]])
  expect(noted.rows[0]!.labels.find(({ annotator }) => annotator === 'Mara')!.comment).toBe('Both say so.')
  expect((await client.call('datasets.rows', { datasetId, only: 'noted', search: 'p3' })).total).toBe(0)
  const exported = await client.call('datasets.export', { datasetId, format: 'pairs-with-labels' })
  const rows = readFileSync(exported.path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(rows.map((row) => row['note:Mara'])).toEqual([undefined, 'Both say so.', undefined, undefined, undefined])
  // What was exported is imported again, its notes among what is known of a row.
  const again = await client.call('datasets.rows', { datasetId: await importFile(exported.path) })
  expect(again.rows[1]!.metadata['note:Mara']).toBe('Both say so.')
  expect(again.rows[1]!.labels.map(({ outcome }) => outcome)).toContain('a')
})

test('a pair of segments has notes too', async () => {
  const { client } = made
  const { datasetId } = await client.call('segments.collect', {
    world: 'reach',
    pairs: 3,
    segmentSteps: 4,
    label: 'none',
    name: 'Reach',
  })
  const { pairId } = await client.call('segments.row', { datasetId, index: 2 })
  await note(datasetId, pairId, 'It stands still.')
  expect((await client.call('segments.row', { datasetId, index: 2 })).labels).toEqual([
    { annotator: 'Mara', outcome: 'a', strength: null, comment: 'It stands still.' },
  ])
  const events = await client.call('datasets.export', { datasetId, format: 'label-events' })
  expect(readFileSync(events.path, 'utf8')).toContain('It stands still.')
})
