import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { assignSplits } from '../../main/app/data/split.ts'
import { buildView } from '../../main/app/data/view.ts'
import { recoverStore } from '../../main/app/store/recover.ts'
import { openData, removeFolder, type OpenData } from '../support/open-data.ts'

let data: OpenData
let files: string

beforeEach(() => {
  files = mkdtempSync(path.join(tmpdir(), 'pairlab-labels-'))
  data = openData()
})
afterEach(async () => {
  await data.close()
  removeFolder(data.dataFolder)
  removeFolder(files)
})

type Row = Readonly<Record<string, unknown>>
function write(rows: readonly Row[]): string {
  const file = path.join(files, 'pairs.jsonl')
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return file
}
async function imported(file: string): Promise<DatasetId> {
  const job = await data.importFile(file, {})
  if (job.datasetId === null) throw new Error(job.error?.message)
  return job.datasetId
}
async function sides(datasetId: DatasetId): Promise<Record<string, string>> {
  const { rows } = await data.call('datasets.rows', { datasetId, limit: 500 })
  return Object.fromEntries(rows.map((row) => [row.prompt as string, row.split]))
}

describe('labels of a whole file', () => {
  const row = (index: number, winner: unknown): Row => ({
    prompt: `p${index}`,
    response_a: 'x',
    response_b: 'y',
    winner,
  })

  it('are refused before anything is stored while they can be meant in two ways', async () => {
    const path_ = write([row(0, -1), row(1, 1)])
    await expect(data.call('datasets.import', { path: path_ })).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('winner holds -1, 1'),
      hint: expect.stringMatching(
        /--direction negative-is-first[^]*row 1: -1 → response_a wins[^]*--direction negative-is-second[^]*row 1: -1 → response_b wins/,
      ),
    })
    expect(await data.call('datasets.list', {})).toEqual([])
    const { mapping } = await data.call('datasets.inspect', { path: path_, labels: { lowIs: 'first' } })
    const { jobId } = await data.call('datasets.import', { path: path_, mapping })
    const { datasetId } = await data.imports.ended(jobId)
    expect(await data.call('datasets.get', { datasetId: datasetId as DatasetId })).toMatchObject({
      balance: { a: 1, b: 1 },
      mapping: { labelsSaidBy: 'person', labelWords: expect.stringContaining('negative means response_a') },
    })
  })

  it('end the import where a late value shows that the earlier ones were misread', async () => {
    const file = write([...Array.from({ length: 20_500 }, (_, index) => row(index, index % 2)), row(20_500, 2)])
    const { jobId } = await data.call('datasets.import', { path: file })
    expect(await data.imports.ended(jobId)).toMatchObject({
      state: 'failed',
      error: {
        message: expect.stringContaining('Line 20501: winner holds 2'),
        hint: expect.stringContaining('--values'),
      },
    })
    expect(await data.call('datasets.list', {})).toEqual([])
  }, 60_000)

  it('take in a late value that fits, and list one that does not', async () => {
    const numbered = (index: number, winner: unknown): Row => ({
      prompt: `p${index}`,
      response1: 'x',
      response2: 'y',
      winner,
    })
    const file = write([
      ...Array.from({ length: 20_500 }, (_, index) => numbered(index, 1 + (index % 2))),
      numbered(20_500, 0),
      numbered(20_501, 'purple'),
    ])
    const datasetId = await imported(file)
    expect(await data.call('datasets.get', { datasetId })).toMatchObject({
      balance: { a: 10_250, b: 10_250, tie: 1 },
      rejectedRowCount: 1,
    })
    expect((await data.call('datasets.report', { datasetId })).problems).toMatchObject([
      { line: 20_502, code: 'label-unknown' },
    ])
  }, 60_000)

  it('are found anew where a mapping that was guessed for another file comes with roles for this one', async () => {
    const first = await data.call('datasets.inspect', { path: write([row(0, 0), row(1, 1)]) })
    const file = write([
      { prompt: 'p', response_a: 'x', response_b: 'y', winner: 1 },
      { prompt: 'q', response_a: 'x', response_b: 'y', winner: 2 },
    ])
    const { jobId } = await data.call('datasets.import', { path: file, mapping: first.mapping })
    const { datasetId } = await data.imports.ended(jobId)
    expect((await data.call('datasets.get', { datasetId: datasetId as DatasetId })).balance).toMatchObject({
      a: 1,
      b: 1,
      tie: 0,
    })
  })
})

describe('a source’s own split', () => {
  const words = ['train_prefs', 'test_prefs', 'dev', null] as const
  const rows = Array.from({ length: 40 }, (_, index) => ({
    prompt: `t${index}`,
    chosen: 'good',
    rejected: 'bad',
    split: words[index % 4],
  }))
  const expected = (side: string | undefined, index: number): string | undefined =>
    ['train', 'test', 'validation'][index % 4] ?? side

  it('is kept in the data set, in what a run reads, through recovery and through an export', async () => {
    const datasetId = await imported(write(rows))
    const kept = await sides(datasetId)
    rows.forEach(({ prompt }, index) => expect(kept[prompt]).toBe(expected(kept[prompt], index)))
    const view = await buildView(data.db, data.dataFolder, {
      datasetId,
      split: { seed: 7, validation: 0.3, test: 0.3 },
      annotators: [],
      aggregation: 'mean',
    })
    const read = readFileSync(view.viewPath, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { prompt: string; split: string })
    expect(Object.fromEntries(read.map((row) => [row.prompt, row.split]))).toEqual(kept)
    const { path: exported } = await data.call('datasets.export', { datasetId, format: 'preferences' })
    expect(JSON.parse(readFileSync(exported, 'utf8').split('\n')[1] ?? '')).toMatchObject({
      split: 'test',
      'metadata.split': 'test_prefs',
    })
    expect(await sides(await imported(exported))).toEqual(kept)
    await data.close()
    await recoverStore(data.dataFolder, { assignSplits, nowMs: 1 })
    data = openData(data.dataFolder)
    expect(await sides(datasetId)).toEqual(kept)
  })

  it('gives way where somebody asks for other sides, and stays away after recovery', async () => {
    const datasetId = await imported(write(rows))
    const before = await sides(datasetId)
    await data.call('datasets.setSplit', { datasetId, seed: 5, validation: 0.1, test: 0.2 })
    const drawn = await sides(datasetId)
    expect(drawn).not.toEqual(before)
    await data.close()
    await recoverStore(data.dataFolder, { assignSplits, nowMs: 1 })
    data = openData(data.dataFolder)
    expect(await sides(datasetId)).toEqual(drawn)
  })

  it('is drawn where the source names one side alone, or where its column is said to be something else', async () => {
    const one = await imported(write(rows.map((row) => ({ ...row, split: 'train' }))))
    expect((await data.call('datasets.get', { datasetId: one })).split.counts).toEqual({
      train: 28,
      validation: 4,
      test: 8,
    })
    const { mapping } = await data.call('datasets.inspect', { path: write(rows), roles: { split: 'metadata' } })
    const { jobId } = await data.call('datasets.import', { path: path.join(files, 'pairs.jsonl'), mapping })
    const { datasetId } = await data.imports.ended(jobId)
    expect((await data.call('datasets.get', { datasetId: datasetId as DatasetId })).split.counts).toEqual({
      train: 28,
      validation: 4,
      test: 8,
    })
  })

  it('is kept and named where it tears a prompt', async () => {
    const datasetId = await imported(
      write([
        { prompt: 'p', chosen: 'c', rejected: 'r', set: 'train' },
        { prompt: 'p', chosen: 'd', rejected: 'r', set: 'test' },
        { prompt: 'p', chosen: 'e', rejected: 'r', set: null },
      ]),
    )
    const { rows: read } = await data.call('datasets.rows', { datasetId })
    expect(read.map((row) => row.split)).toEqual(['train', 'test', 'train'])
    expect((await data.call('datasets.report', { datasetId })).problems).toMatchObject([
      {
        line: 2,
        severity: 'warning',
        code: 'prompt-on-several-sides',
        reason: expect.stringContaining('1 of 1 prompts'),
      },
    ])
  })
})
