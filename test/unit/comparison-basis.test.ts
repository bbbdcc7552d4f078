import { describe, expect, it } from 'vitest'
import { compareRuns } from '../../main/app/runs/comparison.ts'
import type { ComparedRun, CompareOptions } from '../../main/app/runs/comparison-groups.ts'
import { formatTable } from '../../main/app/runs/comparison-table.ts'
import { comparisonTable } from '../../main/doors/headless/verbs/compare.ts'
import type { Comparison } from '../../shared/contract/comparisons.ts'
import { ACCURACY, sketch, type RunSketch } from '../support/sketch-run.ts'

/** Three seeds, far below or above the others: a verdict, where one may be given. */
function seeds(method: string, level: number, change: Partial<RunSketch> = {}): ComparedRun[] {
  return [1, 2, 3].map((seed) => sketch({ method, seed, accuracy: [level, level + seed / 1000], ...change }))
}

function compare(runs: readonly ComparedRun[], change: Partial<CompareOptions> = {}): Comparison {
  return compareRuns(runs, {
    metric: ACCURACY,
    at: 'last',
    interval: 't',
    groupBy: 'configuration',
    baseline: null,
    margin: null,
    goals: { 'rewards/accuracies': 'max', loss: 'min' },
    ...change,
  })
}

function expectNoVerdict(result: Comparison, why: RegExp): void {
  expect(result.differences).toHaveLength(1)
  expect(result.differences[0]).toMatchObject({
    interval: { mean: null, low: null, high: null },
    verdict: 'not-comparable',
    whyNot: expect.stringMatching(why),
  })
  expect(result.conclusions.join(' ')).not.toMatch(/better|worse|higher|lower|paired over|differs by/)
  expect(result.conclusions.find((sentence) => sentence.includes('no verdict'))).toMatch(why)
}

describe('runs whose references move otherwise', () => {
  const moving = { training: { referenceSyncEvery: 10, referenceMixup: 0.5 } }
  it('get no verdict on what is measured against the reference', () => {
    const result = compare([...seeds('dpo', 0.9), ...seeds('dpo', 0.3, moving)])
    expectNoVerdict(result, /their references follow the policy in different ways/)
    const other = { training: { referenceSyncEvery: 10, referenceMixup: 1 } }
    expectNoVerdict(compare([...seeds('dpo', 0.9, moving), ...seeds('dpo', 0.3, other)]), /their references/)
  })
  it('are compared where they move alike', () => {
    const result = compare([...seeds('dpo', 0.3, moving), ...seeds('ipo', 0.9, moving)])
    expect(result.differences.map((one) => one.verdict)).toEqual(['higher'])
    const mixup = { training: { referenceMixup: 0.5 } } // α of a reference that stays
    expect(compare([...seeds('dpo', 0.3), ...seeds('ipo', 0.9, mixup)]).differences[0]!.verdict).toBe('higher')
  })
})

describe('runs on different data', () => {
  const cases: readonly (readonly [string, Partial<RunSketch>, RegExp])[] = [
    ['other records', { data: { fingerprint: 'g', viewHash: 'v2', datasetName: 'E' } }, /different data \(D, E\)/],
    ['other records of the same name', { data: { fingerprint: 'g', viewHash: 'v2' } }, /records of D are not the same/],
    ['another split', { data: { viewHash: 'v2', split: { seed: 1, validation: 0.1, test: 0.2 } } }, /different splits/],
    ['labels of other people', { data: { viewHash: 'v2', annotators: ['Ann'] } }, /labels of different people/],
    ['changed labels', { data: { viewHash: 'v2', labelCount: 10 } }, /labels or sides changed/],
  ]
  it.each(cases)('get no verdict: %s', (_name, change, why) => {
    const result = compare([...seeds('dpo', 0.9), ...seeds('copg', 0.3, change)])
    expectNoVerdict(result, why)
    // The exported rows say it too.
    const names = result.groups.map((group) => group.data)
    expect(new Set(names).size).toBe(2)
    for (const text of [
      formatTable(result, [ACCURACY], 'csv'),
      formatTable(result, [ACCURACY], 'latex'),
      formatTable(result, [ACCURACY], 'markdown'),
      comparisonTable(result, [ACCURACY]),
    ])
      for (const name of names) expect(text).toContain(name)
  })

  it('keep the verdict of those that share their data, and mixed groups have none', () => {
    const other = { data: { fingerprint: 'g', viewHash: 'v2', datasetName: 'E' } }
    const three = compare([...seeds('dpo', 0.3), ...seeds('ipo', 0.9), ...seeds('copg', 0.9, other)])
    expect(three.differences.map((one) => one.verdict)).toEqual(['higher', 'not-comparable'])
    const mixed = compare([...seeds('dpo', 0.3), ...seeds('ipo', 0.9), ...seeds('ipo', 0.9, other)], {
      groupBy: 'method',
    })
    expectNoVerdict(mixed, /different data/)
  })

  it('are judged where the same records were imported under another name', () => {
    expect(
      compare([...seeds('dpo', 0.3), ...seeds('copg', 0.9, { data: { datasetId: 'e', datasetName: 'E' } })])
        .differences[0]?.verdict,
    ).toBe('higher')
  })
})

describe('a metric that means another thing', () => {
  const withMetric = (runs: readonly ComparedRun[], metric: string): ComparedRun[] =>
    runs.map((run) => ({ ...run, curves: { [metric]: run.curves[ACCURACY]! } }))
  const cases: readonly (readonly [string, Partial<RunSketch>, string, RegExp])[] = [
    ['loss', {}, 'copg', /different quantities/],
    ['eval/loss', {}, 'copg', /different quantities/],
    ['eval/rewards/margins', { beta: 0.5 }, 'dpo', /another scale/],
    ['test/ndcg', { config: { cutoff: 5 } }, 'dpo', /cut-off/],
    ['eval/samples/reward', { training: { samplePrompts: 4 } }, 'dpo', /different prompts/],
  ]
  it.each(cases)('gets no verdict: %s', (metric, change, method, why) => {
    expectNoVerdict(compare(withMetric([...seeds('dpo', 0.9), ...seeds(method, 0.3, change)], metric), { metric }), why)
  })
  it('at checkpoints of which some were measured on a part of the validation side, others on all of it, has none', () => {
    const at = (method: string, accuracy: number, chosen: number): ComparedRun[] =>
      seeds(method, accuracy, {
        chosen,
        training: { evalPairs: 4 },
        data: { counts: { train: 7, validation: 9, test: 9 } },
      })
    const [early, late] = [50, 100] as const
    expectNoVerdict(
      compare([...at('dpo', 0.9, early), ...at('copg', 0.3, late)], { at: 'best' }),
      /compare the test side/,
    )
    expect(compare([...at('dpo', 0.9, early), ...at('copg', 0.3, early)], { at: 'best' }).differences[0]?.verdict).toBe(
      'lower',
    )
  })
  it('counted by the token has none where a token is another thing', () => {
    const infos = [{ name: 'loss', label: 'Loss', unit: 'nats/token', goal: 'min', help: '' }] as const
    const of = (change: Partial<RunSketch>): ComparedRun[] => withMetric(seeds('sft', 0.9, change), 'test/loss')
    const against = (change: Partial<RunSketch>): Comparison => {
      const first = of({ vocabSize: 258, beta: 0.2 })
      return compare([...first, ...of(change)], { metric: 'test/loss', infos })
    }
    for (const change of [{ vocabSize: 1024 }, { vocabSize: 258, training: { maxLength: 512 } }])
      expectNoVerdict(against(change), /mean over tokens/)
    expect(against({ vocabSize: 258 }).differences[0]?.whyNot).toBeNull()
  })
  it('on a part of the held-out side against another part or the whole has none', () => {
    expectNoVerdict(
      compare([...seeds('dpo', 0.9), ...seeds('copg', 0.3, { training: { evalPairs: 4 } })], { at: 50 }),
      /not evaluated on the same/,
    )
    expectNoVerdict(
      compare([...seeds('dpo', 0.9), ...seeds('copg', 0.3, { state: 'training' })]),
      /whole held-out side/,
    )
    expect(
      compare([...seeds('dpo', 0.9), ...seeds('copg', 0.3, { training: { evalPairs: 4 } })]).differences[0]?.verdict,
    ).toBe('lower')
  })
  it('of the same method is compared', () => {
    expect(
      compare(withMetric([...seeds('sft', 0.9), ...seeds('sft', 0.3, { training: { batchSize: 8 } })], 'loss'), {
        metric: 'loss',
      }).differences[0]?.verdict,
    ).toBe('lower')
  })
})
