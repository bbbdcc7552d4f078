import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { cohenKappa, krippendorffAlpha } from '../../shared/statistics/agreement.ts'
import { openData, removeFolder, type OpenData } from '../support/open-data.ts'

interface PandaRow {
  readonly idx: number
  readonly instruction: string
  readonly input: string
  readonly response1: unknown
  readonly response2: unknown
  readonly annotator1: number
  readonly annotator2: number
  readonly annotator3: number
}
const file = fileURLToPath(new URL('../../resources/samples/pandalm/testset-v1.json', import.meta.url))
const source = JSON.parse(readFileSync(file, 'utf8')) as PandaRow[] // the bundled file
const good = source.filter((row) => typeof row.response1 === 'string' && typeof row.response2 === 'string')

let data: OpenData
let datasetId: DatasetId

beforeAll(async () => {
  data = openData()
  const first = await data.call('samples.open', { sampleId: 'pandalm' })
  const again = await data.call('samples.open', { sampleId: 'pandalm' })
  expect(again).toEqual(first) // the running import is joined
  const job = await data.imports.ended(first.jobId ?? '')
  if (job.datasetId === null) throw new Error(job.error?.message)
  datasetId = job.datasetId
})
afterAll(async () => {
  await data.close()
  removeFolder(data.dataFolder)
})

describe('the PandaLM sample', () => {
  it('has 993 pairs, 3 × 993 labels, six rows left out and 54 empty answers', async () => {
    const detail = await data.call('datasets.get', { datasetId })
    expect(detail).toMatchObject({
      name: 'PandaLM test set',
      licence: 'Apache-2.0',
      itemCount: 993,
      labeledCount: 993,
      labelCount: 3 * 993,
      rejectedRowCount: 6,
      annotators: ['annotator1', 'annotator2', 'annotator3'],
    })
    const report = await data.call('datasets.report', { datasetId, limit: 1000 })
    const errors = report.problems.filter((problem) => problem.severity === 'error')
    expect(errors.map(({ line, code }) => [line, code])).toEqual(
      [158, 159, 160, 162, 163, 165].map((line) => [line, 'answer-not-text']),
    )
    expect(errors[0]?.reason).toMatch(/^response[12] holds (true|false) instead of text\.$/)
    expect(report.groups.find((group) => group.code === 'answer-empty')).toMatchObject({
      severity: 'warning',
      count: 54,
    })
    expect(report.groups.filter((group) => group.severity === 'error')).toMatchObject([
      { code: 'answer-not-text', count: 6, lines: [158, 159, 160, 162, 163, 165] },
    ])
    expect(detail.warningCount).toBe(report.total - 6)
    expect((await data.call('datasets.rows', { datasetId, only: 'empty-answer' })).total).toBe(54)
  })

  it('holds every label of the file', () => {
    const words = ['tie', 'a', 'b'] as const
    const expected = good.flatMap((row) =>
      [row.annotator1, row.annotator2, row.annotator3].map(
        (value, index) => `${row.idx} annotator${index + 1} ${words[value] ?? '?'}`,
      ),
    )
    const stored = data.db
      .prepare<
        [string],
        string
      >(`SELECT p.pair_id || ' ' || annotator_id || ' ' || outcome FROM answers a JOIN pairs p ON p.dataset_id = a.dataset_id AND p.idx = a.pair_idx
      WHERE a.dataset_id = ? ORDER BY a.pair_idx, annotator_id`)
      .pluck()
      .all(datasetId)
    expect(stored).toEqual(expected)
  })

  it('reads the rows as they are: instruction and input make the prompt', async () => {
    const { total, rows } = await data.call('datasets.rows', { datasetId, offset: 157, limit: 2 })
    expect(total).toBe(993)
    const expected = good.slice(157, 159)
    expect(rows.map((row) => [row.index, row.pairId, row.prompt, row.a, row.b])).toEqual(
      expected.map((row, index) => [
        157 + index,
        String(row.idx),
        row.input === '' ? row.instruction : `${row.instruction}\n\n${row.input}`,
        row.response1,
        row.response2,
      ]),
    )
  })

  it('splits by prompt', async () => {
    const { counts } = (await data.call('datasets.get', { datasetId })).split
    expect(counts.train + counts.validation + counts.test).toBe(993)
    const sides = data.db
      .prepare<[string], number>('SELECT count(DISTINCT split) FROM pairs WHERE dataset_id = ? GROUP BY prompt_hash')
      .pluck()
      .all(datasetId)
    expect(new Set(sides)).toEqual(new Set([1]))
    const changed = await data.call('datasets.setSplit', { datasetId, seed: 5, validation: 0, test: 0.5 })
    expect(changed.counts.validation).toBe(0)
    expect(changed.counts.test).toBeGreaterThan(400)
    expect((await data.call('datasets.get', { datasetId })).split).toEqual(changed)
  })

  it('has the agreement that an independent calculation finds', async () => {
    const agreement = await data.call('datasets.agreement', { datasetId })
    const answers = good.map((row) => [row.annotator1, row.annotator2, row.annotator3])
    // From the definition: observed disagreement over all ordered pairs within units, expected over all pairs of answers.
    const all = answers.flat()
    let within = 0
    for (const unit of answers)
      for (const [i, x] of unit.entries())
        for (const [j, y] of unit.entries()) if (i !== j && x !== y) within += 1 / (unit.length - 1)
    let between = 0
    for (const [i, x] of all.entries()) for (const [j, y] of all.entries()) if (i !== j && x !== y) between += 1
    const alpha = 1 - within / all.length / (between / (all.length * (all.length - 1)))
    expect(alpha).toBeCloseTo(0.868, 3)
    expect(agreement.alpha).toBeCloseTo(alpha, 12)
    expect(agreement.alpha).toBeCloseTo(
      krippendorffAlpha([0, 1, 2].map((coder) => answers.map((unit) => unit[coder] ?? null))),
      12,
    )
    expect(agreement.alphaLow).toBeLessThan(alpha)
    expect(agreement.alphaHigh).toBeGreaterThan(alpha)
    expect((agreement.alphaHigh ?? 0) - (agreement.alphaLow ?? 0)).toBeLessThan(0.06)
    expect(agreement.pairs.map(({ first, second, n }) => [first, second, n])).toEqual([
      ['annotator1', 'annotator2', 993],
      ['annotator1', 'annotator3', 993],
      ['annotator2', 'annotator3', 993],
    ])
    const kappa = cohenKappa(
      answers.map((unit) => unit[0]),
      answers.map((unit) => unit[1]),
      [0, 1, 2],
    )
    expect(agreement.pairs[0]?.kappa).toBeCloseTo(kappa, 12)
    expect(agreement.bothLabeled).toBe(993)
    expect(agreement.allAgree).toBe(answers.filter((unit) => new Set(unit).size === 1).length)
  })

  it('counts balance, lengths and annotators as the file has them', async () => {
    const detail = await data.call('datasets.get', { datasetId })
    const majority = (row: PandaRow): number => {
      const given = [row.annotator1, row.annotator2, row.annotator3]
      return [1, 2].find((value) => given.filter((answer) => answer === value).length >= 2) ?? 0
    }
    const words = (text: unknown): number =>
      String(text)
        .split(/\s+/u)
        .filter((word) => word !== '').length
    const decided = good.filter((row) => majority(row) !== 0)
    expect(detail.balance).toEqual({
      a: decided.filter((row) => majority(row) === 1).length,
      b: decided.filter((row) => majority(row) === 2).length,
      tie: 993 - decided.length,
      bothBad: 0,
      unlabeled: 0,
    })
    const lengths = decided.map((row) =>
      majority(row) === 1 ? [words(row.response1), words(row.response2)] : [words(row.response2), words(row.response1)],
    )
    expect(detail.lengths.longerWins).toEqual({
      wins: lengths.filter(([chosen = 0, rejected = 0]) => chosen > rejected).length,
      n: lengths.filter(([chosen, rejected]) => chosen !== rejected).length,
    })
    expect(detail.lengths.chosen.reduce((sum, count) => sum + count, 0)).toBe(decided.length)
    const sorted = lengths.map(([chosen = 0]) => chosen).sort((x, y) => x - y)
    expect(detail.lengths.medianChosen).toBe(
      ((sorted[Math.floor(sorted.length / 2)] ?? 0) + (sorted[Math.ceil(sorted.length / 2) - 1] ?? 0)) / 2,
    )
    expect(detail.perAnnotator[0]).toMatchObject({
      annotator: 'annotator1',
      a: good.filter((row) => row.annotator1 === 1).length,
      tie: good.filter((row) => row.annotator1 === 0).length,
      skip: 0,
    })
    expect(detail.perAnnotator[0]?.withMajority).toBeGreaterThan(0.9)
  })

  it('finds text anywhere in a record, with a filter on top', async () => {
    const needle = 'Break complex "sentences"'.slice(0, 5).toLowerCase()
    const expected = good.flatMap((row, index) =>
      JSON.stringify(Object.values({ ...row, annotator1: 0, annotator2: 0, annotator3: 0 }))
        .toLowerCase()
        .includes(needle)
        ? [index]
        : [],
    )
    const { total, rows } = await data.call('datasets.rows', { datasetId, search: ' BREAK ', limit: 500 })
    expect(rows.map((row) => row.index)).toEqual(expected)
    const disagreeing = await data.call('datasets.rows', {
      datasetId,
      search: 'break',
      only: 'disagreement',
      limit: 500,
    })
    expect(disagreeing.total).toBeLessThan(total)
    expect(disagreeing.rows.every((row) => new Set(row.labels.map((label) => label.outcome)).size > 1)).toBe(true)
    expect((await data.call('datasets.rows', { datasetId, only: 'unlabeled' })).total).toBe(0)
    expect((await data.call('datasets.rows', { datasetId, only: 'labeled', limit: 1 })).total).toBe(993)
  })

  it('is found again instead of being imported twice', async () => {
    expect(await data.call('samples.open', { sampleId: 'pandalm' })).toEqual({ jobId: null, datasetId })
    expect(await data.call('samples.list', {})).toMatchObject([
      { sampleId: 'pandalm', kind: 'response-pairs', datasetId, licence: 'Apache-2.0' },
      { sampleId: 'cranfield', kind: 'rankings', datasetId: null },
      { sampleId: 'cranfield-texts', kind: 'contrast-groups', datasetId: null },
    ])
    await expect(data.call('samples.open', { sampleId: 'no' })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('tells its progress to the end', () => {
    const progress = data.eventsOf('import.progress')
    expect(progress.at(-1)).toMatchObject({ state: 'finished', rowsKept: 993, rowsRejected: 6, datasetId })
    expect(progress[0]).toMatchObject({ state: 'running', rowsKept: 0 })
  })
})
