import { describe, expect, it, test } from 'vitest'
import { comparison as comparisonSchema } from '../../shared/contract/comparisons.ts'
import { compareRuns } from '../../main/app/runs/comparison.ts'
import { valueAt } from '../../main/app/runs/comparison-values.ts'
import { asBefore } from '../../main/app/requests/later-settings.ts'
import type { ComparedRun, CompareOptions } from '../../main/app/runs/comparison-groups.ts'
import { formatTable, showInterval } from '../../main/app/runs/comparison-table.ts'
import { describeMetric } from '../../shared/metric-names.ts'
import { decimalsFor } from '../../main/app/runs/comparison-words.ts'
import { holm } from '../../shared/statistics/student.ts'
import { ACCURACY, sketch, type RunSketch } from '../support/sketch-run.ts'

const options: CompareOptions = {
  metric: ACCURACY,
  at: 'last',
  interval: 'bootstrap',
  groupBy: 'configuration',
  baseline: null,
  margin: null,
  goals: { 'rewards/accuracies': 'max', loss: 'min' },
}

const dpo = [0.6, 0.62, 0.64].map((value, index) => sketch({ method: 'dpo', seed: index + 1, accuracy: [0.5, value] }))
const copg = [0.7, 0.71, 0.75].map((value, index) =>
  sketch({ method: 'copg', seed: index + 1, accuracy: [0.5, value] }),
)

describe('compareRuns', () => {
  it('groups by configuration, pairs by seed and says which is better', () => {
    const result = compareRuns([...dpo, ...copg], options)
    expect(comparisonSchema.parse(result)).toEqual(result)
    expect(result.groups.map((group) => [group.label, group.seeds, group.values[ACCURACY]?.n])).toEqual([
      ['DPO', [1, 2, 3], 3],
      ['COPG', [1, 2, 3], 3],
    ])
    expect(result.groups[0]?.values[ACCURACY]?.mean).toBeCloseTo(0.62, 12)
    const [difference] = result.differences
    expect(difference).toMatchObject({ groupHash: 'copg:0.1', baseline: 'dpo:0.1', paired: true, verdict: 'higher' })
    expect(difference?.interval.mean).toBeCloseTo(0.1, 12)
    // Three differences of 0.1 ± 0.01: mean − t₂ · s/√3.
    expect(difference?.interval.low).toBeCloseTo(0.1 - (4.30265273 * 0.01) / Math.sqrt(3), 6)
    expect(result.conclusions[0]).toMatch(
      /^COPG has a higher eval\/rewards\/accuracies than DPO, which is better: by \+0\.\d+ \(95 % interval .*\), paired over 3 seeds, p = \.003\.$/,
    )
    expect(result.warnings).toEqual([])
    expect(result.diff.map((row) => row.path)).toEqual(['method'])
  })

  it('calls a metric as the page does, in its sentences and in the tables that people read', () => {
    const info = {
      name: 'rewards/accuracies',
      label: 'Accuracy of rewards',
      unit: 'fraction',
      goal: 'max',
      help: '',
    } as const
    const result = compareRuns([...dpo, ...copg], { ...options, infos: [info] })
    expect(result.conclusions[0]).toMatch(/^COPG has a higher held-out accuracy of rewards than DPO, /)
    const none = compareRuns([...dpo, ...copg], { ...options, infos: [info], metric: 'eval/kl_div' })
    expect(none.warnings).toContain('DPO has no held-out kl div.')
    const nameOf = (name: string): string => describeMetric(name, [info]).label
    expect(formatTable(result, [ACCURACY], 'markdown', nameOf)).toContain(
      '| Method | n | Held-out accuracy of rewards |',
    )
    expect(formatTable(result, [ACCURACY], 'latex', nameOf)).toContain('Method & n & Held-out accuracy of rewards \\\\')
    expect(formatTable(result, [ACCURACY], 'csv', nameOf)).toContain(`seeds,at,${ACCURACY},`)
  })

  it.each(['constructor', '__proto__', 'toString'])(
    'a metric called %s that no run has is one that no run has',
    (metric) => {
      const result = compareRuns([...dpo, ...copg], { ...options, metric })
      expect(result.curves.map((curve) => curve.step)).toEqual([[], []])
      expect(result.differences.every(({ verdict }) => verdict === 'cannot-tell')).toBe(true)
    },
  )

  it('concludes nothing from one seed, nor from two', () => {
    const one = compareRuns([dpo[0]!, copg[0]!], options)
    expect(one.conclusions[0]).toContain('With one seed nothing can be concluded')
    expect(one.differences[0]).toMatchObject({ verdict: 'cannot-tell', interval: { low: null, high: null, n: 1 } })
    const two = compareRuns([...dpo.slice(0, 2), ...copg.slice(0, 2)], options)
    expect(two.conclusions[0]).toContain('With two seeds nothing can be concluded')
    expect(two.differences[0]?.verdict).toBe('cannot-tell')
  })

  it('cannot tell when the interval includes 0', () => {
    const noisy = [0.5, 0.7, 0.62].map((value, index) =>
      sketch({ method: 'ipo', seed: index + 1, accuracy: [0.5, value] }),
    )
    const result = compareRuns([...dpo, ...noisy], options)
    expect(result.differences[0]?.verdict).toBe('cannot-tell')
    expect(result.conclusions[0]).toContain('it cannot be told')
  })

  it('leaves failed runs out and names them, and seeds that are missing', () => {
    const failed = sketch({ method: 'copg', seed: 3, accuracy: [0.5, 0.99], state: 'failed' })
    const result = compareRuns([...dpo, ...copg.slice(0, 2), failed], options)
    expect(result.groups[1]?.members[ACCURACY]).toEqual([0.7, 0.71, null])
    expect(result.warnings).toEqual([
      'COPG, seed 3, failed at step 50 of 100 and is left out of the numbers.',
      'COPG has no finished run with seed 3, which others have.',
    ])
    expect(result.differences[0]?.interval.n).toBe(2)
  })

  it('warns of other data and of a repeated seed', () => {
    const other = sketch({ method: 'copg', seed: 1, accuracy: [0.5, 0.7], viewHash: 'other' })
    const warnings = compareRuns([dpo[0]!, dpo[0]!, other], options).warnings.join(' ')
    for (const part of ['did not learn from the same data', 'same seed more than once'])
      expect(warnings).toContain(part)
  })

  it('takes each run at the checkpoint that its validation side chose, and says so', () => {
    const chosen = [50, 150].map((step, index) =>
      sketch({ method: 'dpo', seed: index + 1, accuracy: [0.6, 0.9, 0.7], chosen: step }),
    )
    const at = { ...options, at: 'best' } as const
    const result = compareRuns(chosen, at)
    expect(result.groups[0]?.members[ACCURACY]).toEqual([0.6, 0.7])
    expect(result.conclusions.at(-1)).toBe(
      'Values are taken at the checkpoint that each run’s validation side chose. Intervals are over seeds, on this validation side (1 item).',
    )
    expect(result.warnings).toEqual([
      `The checkpoints were chosen by this very number, which flatters it: ${ACCURACY} of the test side is the one to report.`,
    ])
    const mixed = compareRuns([...chosen, sketch({ method: 'dpo', seed: 3, accuracy: [0.6, 0.8, 0.5] })], at)
    expect(mixed.groups[0]?.members[ACCURACY]).toEqual([0.6, 0.7, 0.5])
    expect(mixed.warnings).toContain(
      'Of DPO, seed 3, no checkpoint was chosen by a validation side: its last number counts.',
    )
    expect(compareRuns(dpo, at).warnings[0]).toMatch(/^Of none of these runs/)
    const never = [0, 50].map((step, at) => sketch({ method: 'dpo', seed: at + 1, accuracy: [0.6, 0.5], chosen: step }))
    expect(compareRuns(never, at).warnings).toContain(
      'DPO, seed 1: no step was better than the weights that training began with, which count here.',
    )
    const longer = sketch({ method: 'dpo', seed: 3, accuracy: [0.6, 0.8, 0.5, 0.4], chosen: 50 })
    expect(compareRuns([...chosen, longer], at).warnings.join(' ')).toContain('has more checkpoints to choose from')
  })

  it('draws the curve of the validation side beside a number of the test side, which has none', () => {
    const runs = dpo.map((run) => ({
      ...run,
      chosen: 50,
      curves: { ...run.curves, 'test/rewards/accuracies': { step: [50, 100], value: [0.55, 0.58] } },
    }))
    const result = compareRuns(runs, { ...options, metric: 'test/rewards/accuracies', at: 'best' })
    expect([result.metric, result.curveMetric, result.curves[0]?.step]).toEqual([
      'test/rewards/accuracies',
      ACCURACY,
      [50, 100],
    ])
    expect(result.groups[0]?.values[result.metric]?.mean).toBeCloseTo(0.55, 12)
    expect(result.curves[0]?.mean[1]).toBeCloseTo(0.62, 12)
  })

  const level = (
    method: string,
    values: readonly number[],
    first = 1,
    change: Partial<RunSketch> = {},
  ): ComparedRun[] => values.map((value, at) => sketch({ method, seed: first + at, accuracy: [0.5, value], ...change }))

  it('sets all seeds against all where pairing would throw some away', () => {
    // Six against six, of which two are shared: by those two nothing can be told.
    const ours = [0.62, 0.65, 0.63, 0.66, 0.61, 0.64]
    const theirs = [0.58, 0.6, 0.57, 0.61, 0.59, 0.6]
    for (const first of [5, 7]) {
      const { differences, conclusions } = compareRuns(
        [...level('dpo', theirs), ...level('copg', ours, first)],
        options,
      )
      // scipy.stats.ttest_ind(ours, theirs, equal_var=False)
      expect(differences[0]).toMatchObject({
        paired: false,
        seeds: { group: 6, baseline: 6 },
        p: expect.closeTo(0.0013910364444875613, 9),
        interval: { n: 6, low: expect.closeTo(0.02151611274, 9), high: expect.closeTo(0.06515055393, 9) },
        verdict: 'higher',
      })
      expect(conclusions[0]).toContain('6 seeds against 6, not paired, p = .001')
    }
    expect(compareRuns([...level('dpo', theirs), ...level('copg', ours)], options).differences[0]!.paired).toBe(true)
  })

  it('asks more of a difference among several, and says how many seeds would tell', () => {
    const base = level('dpo', [0.6, 0.61, 0.62, 0.6])
    // Paired differences .01, .03, .02, −.01: scipy.stats.ttest_1samp gives p = .2394; 17 seeds have a power of .81 by simulation.
    const near = level('ipo', [0.61, 0.64, 0.64, 0.59])
    const one = compareRuns([...base, ...near], options)
    expect(one.differences[0]).toMatchObject({
      p: expect.closeTo(0.239442598636, 9),
      seedsToTell: 17,
      verdict: 'cannot-tell',
    })
    expect(one.conclusions[0]).toContain('could be told in four of five repeats with 17 seeds of each')
    // p = .03 alone, and the smallest of three.
    const clear = level('copg', [0.61, 0.635, 0.63, 0.62])
    const alone = compareRuns([...base, ...clear], options).differences[0]!
    expect([alone.verdict, alone.p === alone.adjustedP, alone.p! < 0.05 && alone.p! > 0.05 / 3]).toEqual([
      'higher',
      true,
      true,
    ])
    const among = compareRuns([...base, ...clear, ...near, ...level('kto', [0.6, 0.62, 0.61, 0.6])], options)
    const found = among.differences.find(({ groupHash }) => groupHash.startsWith('copg'))!
    expect([found.verdict, found.adjustedP]).toEqual(['cannot-tell', expect.closeTo(3 * alone.p!, 12)])
    expect(among.conclusions.join(' ')).toContain('its interval alone excludes 0')
    expect(among.conclusions.join(' ')).toContain('3 comparisons are shown')
  })

  it('calls two equivalent where the whole interval lies within a margin, never by the difference itself', () => {
    const runs = [...level('dpo', [0.6, 0.61, 0.62]), ...level('copg', [0.601, 0.609, 0.621])]
    const verdict = (margin: number | null): string => compareRuns(runs, { ...options, margin }).differences[0]!.verdict
    expect([verdict(null), verdict(0.02), verdict(0.001)]).toEqual(['cannot-tell', 'equivalent', 'cannot-tell'])
    expect(compareRuns(runs, { ...options, margin: 0.02 }).conclusions[0]).toMatch(
      /^COPG and DPO are equivalent in .*, all of it within the margin of 0\.02\.$/,
    )
  })

  it('tells groups of one method apart by what differs', () => {
    const strong = sketch({ method: 'dpo', seed: 1, accuracy: [0.5, 0.6], beta: 0.5 })
    const result = compareRuns([...dpo, strong], options)
    expect(result.groups.map((group) => group.label)).toEqual(['DPO · beta 0.1', 'DPO · beta 0.5'])
    expect(result.diff).toEqual([{ path: 'config.beta', values: [0.1, 0.5] }])
    expect(result.sameSettings).toBeGreaterThan(20)
    const merged = compareRuns([...dpo, strong], { ...options, groupBy: 'method' })
    expect(merged.groups).toHaveLength(1)
    expect(merged.warnings.join(' ')).toContain('runs of different settings are averaged')
    expect(compareRuns([...dpo, strong], { ...options, groupBy: 'none' }).groups).toHaveLength(4)
  })

  it('sees no difference to runs from before a setting came, where that is left as it was', () => {
    const rloo = (seed: number, config: Record<string, unknown>): ComparedRun => {
      const run = sketch({ method: 'rloo', seed, accuracy: [0.5, 0.6], config })
      return {
        ...run,
        spec: asBefore(run.spec),
        summary: { ...run.summary, groupHash: config['maskTruncated'] === true ? 'masked' : 'plain' },
      }
    }
    const runs = [{}, { maskTruncated: false }, { maskTruncated: true }, { maskTruncated: true }]
    const { diff } = compareRuns(
      runs.map((config, at) => rloo(1 + (at % 2), config)),
      options,
    )
    expect(diff).toEqual([{ path: 'config.maskTruncated', values: [null, true] }])
  })

  it('draws the curve of the runs that the table counts', () => {
    const short = sketch({ method: 'dpo', seed: 4, accuracy: [0.8], state: 'cancelled' })
    const [band] = compareRuns([...dpo, short], options).curves
    expect(band?.step).toEqual([50, 100])
    expect(band?.n).toEqual([3, 3])
    expect(band?.mean[0]).toBeCloseTo(0.5, 12)
    expect(band?.low[1]).toBeGreaterThanOrEqual(0.6)
    expect(band?.high[1]).toBeLessThanOrEqual(0.64)
  })

  it('counts the same runs in table, curve, files and sentences, whatever became of the others', () => {
    for (const state of [
      'failed',
      'lost',
      'cancelled',
      'interrupted',
      'training',
      'evaluating',
      'starting',
      'queued',
    ]) {
      const dead = sketch({ method: 'dpo', seed: 4, accuracy: [0.99], state })
      const result = compareRuns([...dpo, dead], options)
      expect(result.groups[0]?.counted).toEqual([true, true, true, false])
      expect(result.curves[0]?.n).toEqual([3, 3])
      expect(result.curves[0]?.mean.at(-1)).toBe(result.groups[0]?.values[ACCURACY]?.mean)
      expect(result.warnings.join(' ')).toContain('seed 4')
      expect(result.warnings.join(' ')).toContain('is left out of the numbers')
      expect(formatTable(result, [ACCURACY], 'csv')).toContain('DPO,dpo,1 2 3,')
    }
    const alone = compareRuns(
      ['failed', 'training', 'lost'].map((state, at) =>
        sketch({ method: 'dpo', seed: at + 1, accuracy: [0.5 + at / 10], state }),
      ),
      options,
    )
    expect([
      alone.groups[0]?.counted,
      alone.curves[0]?.n,
      alone.curves[0]?.mean,
      alone.groups[0]?.values[ACCURACY]?.n,
    ]).toEqual([[false, true, false], [1], [0.6], 1])
  })

  it('does not depend on the order of the runs within a group', () => {
    const forwards = compareRuns([...dpo, ...copg], options)
    const backwards = compareRuns([...dpo.toReversed(), ...copg.toReversed()], options)
    expect(backwards).toEqual(forwards)
  })
})

describe('valueAt', () => {
  const curve = { step: [10, 20, 30, 40], value: [3, 1, 2, null] }
  it('takes the last number, the one at the chosen step whatever its neighbours are, or the latest up to a step', () => {
    expect([valueAt(curve, 'last', 10), valueAt(curve, 'best', 20), valueAt(curve, 'best', 10)]).toEqual([2, 1, 3])
    expect([valueAt(curve, 'best', null), valueAt(curve, 'best', 0)]).toEqual([2, null])
    expect([valueAt(curve, 25, 10), valueAt(curve, 5, 10)]).toEqual([1, null])
  })
})

test('Holm’s p-values are in their order and never fall', () => {
  // R: p.adjust(c(.01, .04, .03, .005), "holm")
  expect(holm([0.01, 0.04, 0.03, 0.005]).map((value) => value.toFixed(6))).toEqual([
    '0.030000',
    '0.060000',
    '0.060000',
    '0.020000',
  ])
  expect(holm([0.7, 0.6])).toEqual([1, 1])
  expect(holm([])).toEqual([])
})

describe('formatTable', () => {
  const result = compareRuns([...dpo, ...copg], { ...options, interval: 'sd' })
  it('shows the digits that the interval supports', () => {
    expect(showInterval({ mean: 0.7134, low: 0.68, high: 0.74, n: 3 })).toBe('0.713 ± 0.030')
    expect(showInterval({ mean: 0.7134, low: 0.7, high: 0.724, n: 3 })).toBe('0.713 ± 0.012')
    expect(showInterval({ mean: 153.4, low: 130, high: 177, n: 3 })).toBe('153 ± 24')
    expect(showInterval({ mean: null, low: null, high: null, n: 0 })).toBe('–')
    expect([decimalsFor(0), decimalsFor(0.0999), decimalsFor(0.1)]).toEqual([3, 3, 2])
  })
  it('writes Markdown, LaTeX and CSV', () => {
    expect(formatTable(result, [ACCURACY], 'markdown')).toBe(
      `| Method | n | ${ACCURACY} |\n| --- | ---: | ---: |\n| DPO | 3 | 0.620 ± 0.020 |\n| COPG | 3 | 0.720 ± 0.026 |\n\nValues are taken at the checkpoint that each run’s validation side chose.\n`,
    )
    expect(formatTable(result, [ACCURACY], 'latex')).toContain('DPO & 3 & $0.620 \\pm 0.020$ \\\\')
    const csv = formatTable(result, [ACCURACY], 'csv').split('\r\n')
    expect(csv[0]).toBe(`group,method,seeds,at,${ACCURACY},${ACCURACY} low,${ACCURACY} high,${ACCURACY} n`)
    expect(csv[1]).toMatch(/^DPO,dpo,1 2 3,best,0\.62/)
  })
  it('leaves no name a way out of a LaTeX or Markdown table', () => {
    const named = (label: string): string =>
      formatTable(
        { ...result, groups: result.groups.slice(0, 1).map((group) => ({ ...group, label })) },
        [ACCURACY],
        'latex',
      ).split('\n')[5]!
    expect(named('\\input{/etc/passwd} {$x$} #1 ~^')).toBe(
      '  \\textbackslash{}input\\{/etc/passwd\\} \\{\\$x\\$\\} \\#1 \\textasciitilde{}\\textasciicircum{} & 3 & $0.620 \\pm 0.020$ \\\\',
    )
    expect(named('[9cm] x')).toMatch(/^ {2}\{\}\[9cm\] x &/)
    expect(named('* x')).toMatch(/^ {2}\{\}\* x &/)
    expect(named('a\nb\u2028c % d')).toContain('a b c \\% d')
    const marked = formatTable(
      { ...result, groups: result.groups.map((group) => ({ ...group, label: 'a|b\nc<img>' })) },
      [ACCURACY],
      'markdown',
    )
    expect(marked).toContain('| a\\|b c\\<img> |')
  })
  it('says where fewer runs stand behind a number than behind its row', () => {
    const fewer = {
      ...result,
      groups: result.groups.map((group) => ({
        ...group,
        values: { ...group.values, loss: { mean: 0.5, low: 0.4, high: 0.6, n: 2 } },
      })),
    }
    expect(formatTable(fewer, [ACCURACY, 'loss'], 'markdown')).toContain('| 3 | 0.620 ± 0.020 | 0.50 ± 0.10 (n = 2) |')
    expect(formatTable(fewer, [ACCURACY, 'loss'], 'latex')).toContain('$0.50 \\pm 0.10$ (n = 2)')
  })
  it('escapes what LaTeX and spreadsheets would run', () => {
    const odd = { ...result, groups: result.groups.map((group) => ({ ...group, label: '=a_b & 50%, "x"' })) }
    expect(formatTable(odd, [ACCURACY], 'latex')).toContain('=a\\_b \\& 50\\%')
    expect(formatTable(odd, [ACCURACY], 'csv')).toContain(`"'=a_b & 50%, ""x"""`)
  })
})
