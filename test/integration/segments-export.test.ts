import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

let made: TestApp
beforeAll(async () => {
  made = await makeApp()
})
afterAll(() => made.end())

test('writes JSON Lines that give the same records, people, labels and sides again', async () => {
  const { client, dataFolder } = made
  const { datasetId } = await client.call('segments.collect', {
    world: 'pendulum',
    pairs: 8,
    segmentSteps: 5,
    perEpisode: 1,
    name: 'To and fro',
  })
  const people = await Promise.all(
    ['Ada', 'Ben'].map(async (name) => (await client.call('annotators.add', { name })).annotatorId),
  )
  const answers = [
    ['pair-1', 'a', 'far'],
    ['pair-2', 'tie', null],
    ['pair-3', 'skip', null],
    ['pair-4', 'b', 'slightly'],
  ] as const
  for (const [at, annotatorId] of people.entries())
    for (const [pairId, outcome, strength] of answers.slice(at))
      await client.call('labels.add', {
        ...{ datasetId, annotatorId, pairId, outcome, strength, shownOrder: 'ab', durationMs: 1 },
        clientKey: `to-and-fro-${at}-${pairId}`,
      })
  await client.call('datasets.setSplit', { datasetId, seed: 9, validation: 0.3, test: 0.3 })
  const described = async (of: DatasetSummary['datasetId']): Promise<unknown> => {
    const rows = await Promise.all(
      Array.from({ length: 8 }, (_none, index) => client.call('segments.row', { datasetId: of, index })),
    )
    return rows.map(({ labels, ...row }) => ({
      ...row,
      // People of a file are its own, and are told apart from those here by its name.
      labels: labels
        .map((label) => ({ ...label, annotator: label.annotator.replace(' (And back)', '') }))
        .toSorted((one, other) => one.annotator.localeCompare(other.annotator)),
    }))
  }
  const first = await described(datasetId)
  const { path: file } = await client.call('segments.export', { datasetId, format: 'segments-jsonl' })
  const packed = path.join(dataFolder, 'to and fro.jsonl.gz')
  writeFileSync(packed, gzipSync(readFileSync(file)))
  const again = await client.call('segments.import', { path: packed, name: 'And back' })
  expect(await described(again.datasetId)).toEqual(first)
  expect(JSON.stringify(first)).toContain('"annotator":"Ben","outcome":"b","strength":"slightly"')
  expect(new Set((first as { split: string }[]).map(({ split }) => split)).size).toBe(3)
  // A data set that nobody changed is the same down to its bytes.
  const points = await client.call('segments.collect', {
    world: 'point-mass',
    pairs: 12,
    segmentSteps: 6,
    name: 'Points',
  })
  const { path: plain } = await client.call('segments.export', {
    datasetId: points.datasetId,
    format: 'segments-jsonl',
  })
  const same = await client.call('segments.import', { path: plain, name: 'The same points' })
  expect([same.fingerprint, same.annotators]).toEqual([points.fingerprint, points.annotators])
})
