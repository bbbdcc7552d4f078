import { describe, expect, test } from 'vitest'
import type { Comparison } from '../../shared/contract/comparisons.ts'
import type { RunId } from '../../shared/domain.ts'
import {
  differenceRows,
  overlayModel,
  sortMetrics,
  verdictWords,
  divergences,
} from '../../renderer/compare/compare-charts.ts'
import { lookOfGroups } from '../../renderer/compare/group-looks.ts'

describe('looks of groups', () => {
  const hashes = Array.from({ length: 8 }, (_, at) => `group-${at}`)

  test('eight groups have eight colours, four have four dashes', () => {
    const looks = lookOfGroups(hashes)
    expect(new Set([...looks.values()].map((look) => look.colour)).size).toBe(8)
    const four = lookOfGroups(hashes.slice(0, 4))
    expect(new Set([...four.values()].map((look) => look.dash.join(' '))).size).toBe(4)
  })

  test('do not depend on the order in which groups come', () => {
    expect(lookOfGroups(hashes.toReversed())).toEqual(lookOfGroups(hashes))
  })
})

const info = { name: 'eval/reward', label: 'Held-out reward', unit: '', goal: 'max' as const, help: '' }

function comparison(): Comparison {
  const group = (groupHash: string, seeds: readonly number[]): Comparison['groups'][number] => ({
    groupHash,
    label: groupHash.toUpperCase(),
    method: 'dpo',
    data: 'D',
    counted: seeds.map(() => true),
    runIds: seeds.map((seed) => `${groupHash}-${seed}` as RunId),
    seeds: [...seeds],
    values: {},
    members: {},
  })
  return {
    metric: '',
    curveMetric: '',
    metricNames: [],
    diff: [],
    robust: null,
    sameSettings: 0,
    conclusions: [],
    warnings: [],
    groups: [group('a', [1, 2]), group('b', [1])],
    curves: [
      { groupHash: 'a', step: [0, 10, 20], mean: [0, 1, 2], low: [-1, 0, 1], high: [1, 2, 3], n: [2, 2, 1] },
      { groupHash: 'b', step: [0, 10], mean: [0, 1], low: [null, null], high: [null, null], n: [1, 1] },
    ],
    differences: [
      {
        groupHash: 'b',
        baseline: 'a',
        interval: { mean: -1, low: -2, high: 0.5, n: 1 },
        paired: true,
        seeds: { group: 1, baseline: 2 },
        p: null,
        adjustedP: null,
        seedsToTell: null,
        items: null,
        verdict: 'cannot-tell',
        whyNot: null,
      },
    ],
  }
}

describe('the overlay', () => {
  const options = { info, looks: lookOfGroups(['a', 'b']), xLog: false, yLog: false }

  test('has a band only where at least two runs stand behind the point, and names it', () => {
    const model = overlayModel(comparison(), { ...options, interval: 'bootstrap', hidden: new Set() })
    expect(model.series.map((line) => [line.label, line.n, line.band?.low])).toEqual([
      ['A', 2, [-1, 0, null]],
      ['B', 1, undefined],
    ])
    expect(model.bandName).toBe('95 % bootstrap')
  })

  test('has none when no interval is asked for or every banded group is hidden', () => {
    expect(overlayModel(comparison(), { ...options, interval: 'none', hidden: new Set() }).bandName).toBeNull()
    const hidden = overlayModel(comparison(), { ...options, interval: 'sd', hidden: new Set(['a']) })
    expect([hidden.bandName, hidden.series.map((line) => line.key)]).toEqual([null, ['b']])
  })
})

test('drawn against a divergence, points are those that have both, in the order of the divergence', () => {
  const curves = [
    { groupHash: 'a', step: [0, 10, 20], mean: [0, 3, 1], low: [], high: [], n: [2, 2, 2] },
    { groupHash: 'b', step: [20], mean: [7], low: [], high: [], n: [1] },
  ]
  const against = { info: { ...info, label: 'KL' }, curves }
  const options = {
    info,
    looks: lookOfGroups(['a', 'b']),
    xLog: false,
    yLog: false,
    interval: 't',
    hidden: new Set<string>(),
  } as const
  const model = overlayModel(comparison(), { ...options, against })
  // Group a: step 20 at KL 1 before step 10 at KL 3; b has no step in common.
  expect(model.series.map(({ key, x, y, counts }) => [key, x, y, counts])).toEqual([
    ['a', [0, 1, 3], [0, 2, 1], [2, 1, 2]],
  ])
  expect(model.xTitle).toBe('KL')
  expect(divergences(['eval/kl/k1', 'test/kl/k1', 'eval/rollout/kl', 'eval/loss', 'kl/k1'])).toEqual([
    'eval/kl/k1',
    'eval/rollout/kl',
  ])
})

test('a difference that reaches zero is said in words', () => {
  expect(differenceRows(comparison(), lookOfGroups(['a', 'b'])).map((row) => [row.label, row.verdict])).toEqual([
    ['B', 'cannot tell'],
  ])
  expect([verdictWords('higher'), verdictWords('lower'), verdictWords('not-comparable')]).toEqual([
    'higher',
    'lower',
    'no verdict',
  ])
})

test('metrics to choose from: held-out, test, training; no interval ends and no counts', () => {
  const names = ['loss', 'test/loss', 'eval/loss', 'eval/loss_low', 'eval/loss_high', 'eval/pairs', 'epoch']
  expect(sortMetrics(names)).toEqual(['eval/loss', 'test/loss', 'loss'])
})
