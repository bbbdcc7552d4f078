import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { tinyRequest } from '../support/tiny-app.ts'

let made: TestApp
beforeEach(async () => {
  made = await makeApp()
})
afterEach(() => made.end())

/** Five pairs; every name of `people` labels each of them. */
async function importLabels(name: string, people: readonly string[]): Promise<string> {
  const file = path.join(made.dataFolder, `${name}.jsonl`)
  const columns = Object.fromEntries(people.map((person) => [person, 'label']))
  writeFileSync(
    file,
    Array.from(
      { length: 5 },
      (_, index) =>
        `${JSON.stringify({ q: `Q ${index}`, x: `x ${index}`, y: `y ${index}`, ...Object.fromEntries(people.map((person, at) => [person, (index + at) % 2 === 0 ? '1' : '2'])) })}\n`,
    ).join(''),
  )
  const mapping = {
    format: 'jsonl' as const,
    layout: 'mapped' as const,
    columns: { q: 'prompt' as const, x: 'a' as const, y: 'b' as const, ...(columns as Record<string, 'label'>) },
  }
  const { jobId } = await made.client.call('datasets.import', { path: file, name, mapping: mapping as never })
  await waitUntil(
    'the import',
    async () => (await made.client.call('datasets.importJob', { jobId })).state !== 'running',
  )
  const job = await made.client.call('datasets.importJob', { jobId })
  expect(job.error).toBeNull()
  return job.datasetId ?? ''
}
const summary = async (datasetId: string) =>
  (await made.client.call('datasets.list', {})).find((dataset) => dataset.datasetId === datasetId)

test('names keep their case, and nobody who came with a file is the person here', async () => {
  const { annotatorId } = await made.client.call('annotators.add', { name: 'me' })
  const datasetId = await importLabels('survey', ['Bob', 'bob', 'me'])
  expect(await summary(datasetId)).toMatchObject({ labelCount: 15, annotators: ['Bob', 'bob', 'me (survey)'] })
  const who = { datasetId: datasetId as never, annotatorId }
  expect(await made.client.call('labels.progress', who)).toMatchObject({ answered: 0, canUndo: false })
  expect(await made.client.call('labels.undo', { ...who, clientKey: 'take-back' })).toMatchObject({ pairId: null })
  expect(await summary(datasetId)).toMatchObject({ labelCount: 15 })
  const detail = await made.client.call('datasets.get', { datasetId: datasetId as never })
  expect(detail.perAnnotator.map((one) => [one.annotator, one.a + one.b])).toEqual([
    ['Bob', 5],
    ['bob', 5],
    ['me (survey)', 5],
  ])
})

test('one name in two files is two people, each called by its name beside its own labels', async () => {
  const first = await importLabels('first', ['Bob', 'Ann'])
  const second = await importLabels('second', ['Bob', 'BOB'])
  expect(await summary(first)).toMatchObject({ labelCount: 10, annotators: ['Ann', 'Bob'] })
  expect(await summary(second)).toMatchObject({ labelCount: 10, annotators: ['BOB', 'Bob'] })
  expect((await made.client.call('annotators.list', {})).map((one) => one.name).sort()).toEqual([
    'Ann',
    'BOB',
    'Bob',
    'Bob (second)',
  ])
  // Training is told of them by the name beside the labels, or by the one that tells them apart everywhere.
  const problemsWith = async (...annotators: string[]): Promise<string[]> => {
    const request = tinyRequest(second, { method: 'dpo', data: { datasetId: second as never, annotators } })
    const { problems } = await made.client.call('runs.check', { request })
    return problems.filter(({ path: place }) => place === 'data.annotators').map(({ message }) => message)
  }
  expect(await problemsWith('Bob', 'BOB', 'Bob (second)')).toEqual([])
  expect(await problemsWith('Ann')).toEqual([expect.stringMatching(/^Nobody called "Ann" .* of BOB, Bob\.$/)])
  // A person here may have the name too, and is a third.
  const { annotatorId } = await made.client.call('annotators.add', { name: 'Bob' })
  const who = { datasetId: first as never, annotatorId }
  expect(await made.client.call('labels.progress', who)).toMatchObject({ answered: 0, canUndo: false })
  const [item] = (await made.client.call('labels.queue', { ...who, filter: {}, limit: 1 })).items
  await made.client.call('labels.add', {
    ...who,
    pairId: item?.pairId ?? '',
    outcome: 'a',
    strength: null,
    shownOrder: 'ab',
    durationMs: 1,
    clientKey: 'by-hand-1',
  })
  expect((await summary(first))?.labelCount).toBe(11)
  expect(new Set((await summary(first))?.annotators).size).toBe(3)
})

test('how a letter is composed, spaces and what cannot be seen make no other person', async () => {
  const datasetId = await importLabels('accents', ['Jos\u00e9', 'Jose\u0301 ', 'Jos\u00e9\u200b', 'Zoe'])
  expect(await summary(datasetId)).toMatchObject({ annotators: ['Jos\u00e9', 'Zoe'], labelCount: 10 })
  // Who is asked for is the same person too, however the name is composed.
  const training = async (...annotators: string[]) =>
    made.client.call('runs.check', {
      request: tinyRequest(datasetId, { method: 'dpo', data: { datasetId: datasetId as never, annotators } }),
    })
  const [composed, apart] = [await training('Jos\u00e9'), await training('Jose\u0301\u200b')]
  expect(apart.problems).toEqual([])
  expect(apart.counts).toEqual(composed.counts)
  expect([apart.counts.labels > 0, apart.counts.labels < 10]).toEqual([true, true])
  expect((await training('jos\u00e9')).problems[0]?.message).toContain('Nobody called "jos\u00e9"')
  await made.client.call('annotators.add', { name: 'Ren\u00e9' })
  for (const name of ['Rene\u0301', ' Ren\u00e9', 'Re\u200bn\u00e9'])
    await expect(made.client.call('annotators.add', { name })).rejects.toMatchObject({ code: 'label-conflict' })
  await expect(made.client.call('annotators.add', { name: '\u200b\u2060' })).rejects.toMatchObject({
    code: 'input-invalid',
  })
  expect(await made.client.call('annotators.add', { name: 'RENÉ' })).toMatchObject({ name: 'RENÉ' })
})
