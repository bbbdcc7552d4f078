import { describe, expect, it } from 'vitest'
import { compareRuns } from '../../main/app/runs/comparison.ts'
import type { ComparedRun, CompareOptions } from '../../main/app/runs/comparison-groups.ts'
import { ACCURACY, sketch } from '../support/sketch-run.ts'

const options: CompareOptions = {
  metric: ACCURACY,
  at: 'last',
  interval: 't',
  groupBy: 'configuration',
  baseline: null,
  margin: null,
  goals: { 'rewards/accuracies': 'max' },
}

describe('a baseline that was not trained', () => {
  const still = (method: string, seeds: readonly number[], value: number, model: 'registered' | 'new'): ComparedRun[] =>
    seeds.map((seed) => {
      const run = sketch({ method, seed, accuracy: [value], training: { steps: 0 } })
      const from =
        model === 'new' ? run.spec.model : ({ kind: 'registered', modelId: 'm', path: '/m', hash: 'h' } as never)
      return { ...run, summary: { ...run.summary, totalSteps: 0 }, spec: { ...run.spec, model: from } }
    })
  const trained = [0.61, 0.64, 0.7].map((value, at) => sketch({ method: 'dpo', seed: at + 1, accuracy: [value] }))
  const compare = (runs: readonly ComparedRun[]): ReturnType<typeof compareRuns> => compareRuns(runs, options)

  it('stands with one run against every seed, where no seed changes it', () => {
    const { differences, conclusions, warnings, groups } = compare([
      ...still('dpo', [1], 0.5, 'registered'),
      ...trained,
    ])
    expect(groups.map(({ label }) => label)).toEqual(['DPO, before training', 'DPO'])
    // Of .11, .14 and .20: mean .15, standard error .0264575, t of two degrees of freedom 4.302653.
    expect(differences[0]).toMatchObject({
      paired: true,
      verdict: 'higher',
      seeds: { group: 3, baseline: 1 },
      interval: { mean: expect.closeTo(0.15, 12), low: expect.closeTo(0.15 - 4.302653 * 0.0264575, 6), n: 3 },
    })
    expect(conclusions[0]).toMatch(/over 3 seeds, against one that no seed changes, p = /)
    expect(warnings).toEqual([])
  })

  it('does not, where its weights are drawn', () => {
    const { differences, warnings } = compare([...still('dpo', [1], 0.5, 'new'), ...trained])
    expect(differences[0]).toMatchObject({ paired: false, verdict: 'cannot-tell', interval: { n: 1 } })
    expect(warnings.join(' ')).toContain('has no finished run with seeds 2, 3')
  })

  it('says of two such that the items alone can tell', () => {
    const runs = [...still('sft', [1], 0.5, 'registered'), ...still('dpo', [1], 0.6, 'registered')]
    const { conclusions } = compare(runs)
    expect(conclusions[0]).toMatch(/No seed changes either: what may be concluded, the items say\.$/)
    expect(conclusions.join(' ')).not.toContain('With one seed')
  })
})
