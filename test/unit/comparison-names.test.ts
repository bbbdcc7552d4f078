import { describe, expect, it } from 'vitest'
import { compareRuns } from '../../main/app/runs/comparison.ts'
import type { ComparedRun, CompareOptions, GroupBy } from '../../main/app/runs/comparison-groups.ts'
import { formatTable } from '../../main/app/runs/comparison-table.ts'
import { ACCURACY, sketch, type RunSketch } from '../support/sketch-run.ts'

const sft = (change: Partial<RunSketch>): ComparedRun =>
  sketch({ method: 'sft', seed: 1, accuracy: [0.5, 0.6], ...change })

function namesOf(runs: readonly ComparedRun[], groupBy: GroupBy = 'configuration'): string[] {
  const options: CompareOptions = { metric: ACCURACY, at: 'last', interval: 't', groupBy, baseline: null, margin: null }
  const result = compareRuns(runs, options)
  const names = result.groups.map((group) => group.label)
  expect(new Set(names).size).toBe(names.length)
  // No sentence sets a name against itself, and no row of a file carries another's name.
  for (const sentence of result.conclusions)
    for (const name of names) expect(sentence).not.toContain(`${name} against ${name}:`)
  expect(
    new Set(
      formatTable(result, [ACCURACY], 'csv')
        .trimEnd()
        .split('\r\n')
        .slice(1)
        .map((row) => row.split(`,${ACCURACY}`)[0]),
    ).size,
  ).toBe(names.length)
  return names
}

describe('the names of groups', () => {
  it('tell apart what differs in a fourth setting only', () => {
    const runs = [
      sft({ training: { steps: 4, batchSize: 4, microBatchSize: 4 } }),
      sft({ training: { steps: 6, batchSize: 8, microBatchSize: 8, learningRate: 0.002 } }),
      sft({ training: { steps: 6, batchSize: 8, microBatchSize: 8, learningRate: 0.01 } }),
    ]
    expect(namesOf(runs)).toEqual(['SFT · learningRate 0.001', 'SFT · learningRate 0.002', 'SFT · learningRate 0.01'])
  })

  it('carry the fewest settings that do, as many as it takes', () => {
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
      sft({ beta: bits & 1 ? 0.5 : 0.1, training: { batchSize: bits & 2 ? 8 : 4, dropout: bits & 4 ? 0.1 : 0 } }),
    )
    expect(namesOf(corners)[5]).toBe('SFT · beta 0.5, batchSize 4, dropout 0.1')
    // Two values each of nine settings: one at a time, it takes all nine but none of what is the same.
    const fields = [
      'steps',
      'batchSize',
      'microBatchSize',
      'learningRate',
      'warmupFraction',
      'weightDecay',
      'clipNorm',
      'dropout',
      'evalPairs',
    ]
    const oneAtATime = [
      sft({}),
      ...fields.map((field) =>
        sft({ training: { [field]: field === 'warmupFraction' || field === 'dropout' ? 0.25 : 3 } }),
      ),
    ]
    expect(namesOf(oneAtATime).every((name) => name.includes('batchSize'))).toBe(true)
  })

  it('are told by data, labels, code or the run where no setting differs', () => {
    expect(namesOf([sft({}), sft({ data: { datasetName: 'Other', datasetId: 'e', viewHash: 'v2' } })])).toEqual([
      'SFT · data D',
      'SFT · data Other',
    ])
    const hashes = ['a', 'b'].map((letter) => `0123${letter.repeat(60)}`)
    expect(namesOf(hashes.map((viewHash) => sft({ data: { viewHash } })))).toEqual([
      'SFT · data 0123aaaa',
      'SFT · data 0123bbbb',
    ])
    expect(
      namesOf([
        sft({ data: { split: { seed: 0, validation: 0.1, test: 0.2 } } }),
        sft({ data: { split: { seed: 4, validation: 0.1, test: 0.2 } } }),
      ]),
    ).toEqual(['SFT · split seed 0', 'SFT · split seed 4'])
    const versions = [sft({ appVersion: '1.0.0' }), sft({ appVersion: '1.1.0' })].map((run, at) => ({
      ...run,
      summary: { ...run.summary, groupHash: `g${at}` },
    }))
    expect(namesOf(versions)).toEqual(['SFT · Pairlab 1.0.0', 'SFT · Pairlab 1.1.0'])
    const twins = [sft({}), sft({})].map((run, at) => ({
      ...run,
      summary: { ...run.summary, runId: `${run.summary.runId}-${at}` as typeof run.summary.runId, groupHash: `g${at}` },
    }))
    expect(namesOf(twins)).toEqual(['SFT (sft-01-1-0)', 'SFT (sft-01-1-1)'])
  })

  it('of single runs differ though their custom names are the same', () => {
    const named = (change: Partial<RunSketch>): ComparedRun => sft({ name: 'try', ...change })
    expect(namesOf([named({ seed: 1 }), named({ seed: 2 })], 'none')).toEqual(['try, seed 1', 'try, seed 2'])
    expect(namesOf([named({ seed: 1 }), named({ seed: 1, beta: 0.5 }), named({ seed: 2, beta: 0.5 })], 'none')).toEqual(
      ['try · beta 0.1, seed 1', 'try · beta 0.5, seed 1', 'try · beta 0.5, seed 2'],
    )
  })

  it('stay different for values that look alike', () => {
    const long = 'x'.repeat(60)
    const names = namesOf([
      sft({ config: { mode: `${long}a` } }),
      sft({ config: { mode: `${long}b` } }),
      sft({ config: { mode: '1' } }),
      sft({ config: { mode: 1, other: 0 } }),
    ])
    expect(names).toHaveLength(4)
  })

  it('of many groups are found at once', () => {
    const many = Array.from({ length: 80 }, (_, at) =>
      sft({ beta: 1 + at, training: { learningRate: 1e-3 * (1 + (at % 7)), batchSize: 4 + (at % 3) } }),
    )
    expect(namesOf(many)[79]).toBe('SFT · beta 80')
  })
})
