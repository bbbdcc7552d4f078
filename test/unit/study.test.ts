import { describe, expect, it } from 'vitest'
import { figure, reproductionReport } from '../../shared/contract/papers.ts'
import { formatReport } from '../../main/workers/reproduce/format-report.ts'
import { studyReport, type Axis, type StudyResult } from '../../main/workers/reproduce/study.ts'

const axis = (changes: Partial<Axis> = {}): Axis => ({
  title: 'β',
  metric: 'reward',
  goal: 'max',
  usual: { name: '0.1', values: [1, 2, 3] },
  others: [],
  ...changes,
})
const study = (axes: readonly Axis[]) => {
  const given: StudyResult = { id: 's', title: 'S', form: 'quick', seeds: [1, 2, 3], setup: 'x', axes, notes: ['n'] }
  return reproductionReport.parse(structuredClone(studyReport(given)))
}

describe('a study', () => {
  it('compares each setting with the usual one, seed by seed, and claims nothing', () => {
    const report = study([axis({ others: [{ name: '0.3', values: [2.1, 3, 3.9] }] })])
    expect([report.verdict, report.gates]).toEqual([null, []])
    const [usual, other] = report.tables[0]!.rows
    expect(usual).toEqual(['0.1, the usual', expect.objectContaining({ mean: 2, n: 3 }), null, null])
    // Differences 1.1, 1, 0.9: mean 1, standard error 0.1/√3, t = 17.32 with two degrees of freedom.
    expect(other?.[2]).toMatchObject({ mean: expect.closeTo(1, 12), n: 3 })
    expect(other?.[3]).toBeCloseTo(0.003317, 5)
    expect(figure.parse(report.figures[0])).toMatchObject({
      from: '0.1',
      rows: [{ name: '0.3', mean: expect.closeTo(1, 12), low: expect.closeTo(0.7516, 3), verdict: 'higher' }],
    })
  })

  it('adjusts for all that it compares, over every axis', () => {
    const clear = { name: 'clear', values: [2.1, 3, 3.9] }
    const alike = { name: 'alike', values: [1.1, 1.9, 3.1] }
    const lower = { name: 'lower', values: [0.1, 1, 1.9] }
    const { tables, figures } = study([axis({ others: [clear, alike] }), axis({ title: 'K', others: [lower] })])
    const p = tables.map(({ rows }) => rows.slice(1).map((row) => row[3] as number)).flat()
    // Holm: the two of .003317 are weighed three times and, since no later one may be smaller, both stand at that.
    expect(p[0]).toBeCloseTo(3 * 0.003317, 4)
    expect(p[2]).toBeCloseTo(3 * 0.003317, 4)
    expect(p[1]).toBeGreaterThan(0.5)
    expect(
      figures.flatMap((one) => (one.kind === 'differences' ? one.rows : [])).map(({ verdict }) => verdict),
    ).toEqual(['higher', 'cannot tell', 'lower'])
  })

  it('says of a setting how many seeds ran away, and leaves them out of both sides', () => {
    const report = study([axis({ others: [{ name: '1', values: [Number.NaN, 2.5, 3.5] }] })])
    expect(report.tables[0]!.rows[1]).toEqual([
      '1 (1 of 3 ran away)',
      expect.objectContaining({ mean: 3, n: 2 }),
      expect.objectContaining({ mean: 0.5, n: 2 }),
      expect.any(Number),
    ])
    const lost = study([axis({ others: [{ name: '1', values: [Number.NaN, -Infinity, Number.NaN] }] })])
    expect(lost.tables[0]!.rows[1]).toEqual(['1 (3 of 3 ran away)', null, null, null])
    expect(lost.figures[0]).toMatchObject({ rows: [] })
  })

  it('of one seed tells numbers and no interval', () => {
    const one = axis({ usual: { name: '0.1', values: [1] }, others: [{ name: '0.3', values: [3] }] })
    const report = study([one])
    expect(report.tables[0]!.rows[1]).toEqual(['0.3', 3, 2, null])
    expect(report.figures[0]).toMatchObject({ rows: [{ mean: 2, low: null, high: null, verdict: 'cannot tell' }] })
    expect(formatReport(report)).toMatch(/s: done$/)
  })

  it('two that end alike are not told apart', () => {
    const report = study([axis({ others: [{ name: '0.2', values: [1, 2, 3] }] })])
    expect(report.tables[0]!.rows[1]?.[3]).toBe(1)
  })
})
