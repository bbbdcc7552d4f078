import { describe, expect, test } from 'vitest'
import { algorithms } from '../../main/core/learn/registry.ts'
import { WATCHED_CURVES } from '../../renderer/run/health-rewards.ts'
import { judgeHealth, type HealthInput } from '../../renderer/run/health.ts'
import { planCharts } from '../../renderer/run/run-charts.ts'
import type { Curve } from '../../renderer/run/run-series.ts'

function curve(values: readonly (number | null)[], every = 1): Curve {
  return { step: values.map((_, at) => at * every), wallMs: values.map((_, at) => at * 100), value: values }
}

function line(from: number, to: number, points = 100): Curve {
  return curve(Array.from({ length: points }, (_, at) => from + ((to - from) * at) / (points - 1)))
}

function judge(curves: Record<string, Curve>, more: Partial<HealthInput> = {}): string[] {
  const notes = judgeHealth({
    curves: new Map(Object.entries(curves)),
    mainMetric: null,
    infos: [],
    totalSteps: 100,
    live: false,
    ...more,
  })
  return notes.map((note) => `${note.tone} ${note.id}`)
}

describe('health of a run', () => {
  test('a young run gets no verdict', () => {
    expect(judge({ loss: line(0.69, 0.7, 10) }, { totalSteps: 1000 })).toEqual([])
  })

  test('a loss that falls is fine, one that stands is named', () => {
    expect(judge({ loss: line(0.69, 0.4) })).toEqual(['good loss-falls'])
    expect(judge({ loss: line(0.69, 0.69) })).toEqual(['warn loss-stands'])
  })

  test('a loss that changed its meaning is judged from there on: CPL’s, once cloning has ended', () => {
    const [cloning, contrast] = [line(-2, -3, 50), line(0.693, 0.3, 50)]
    const loss = curve([...cloning.value, ...contrast.value])
    const score = { step: contrast.step.map((step) => step + 50), wallMs: contrast.wallMs, value: contrast.value }
    expect(judge({ loss })).toEqual(['warn loss-stands'])
    expect(judge({ loss, 'cpl/score': score })).toEqual(['good loss-falls'])
    const stands = curve([...cloning.value, ...line(0.693, 0.7, 50).value])
    expect(judge({ loss: stands, 'cpl/score': score })).toEqual(['warn loss-stands'])
  })

  test('the loss of a policy gradient is not judged', () => {
    const infos = [{ name: 'loss', label: 'Loss', unit: '', goal: 'none' as const, help: '' }]
    expect(judge({ loss: line(0.69, 0.69) }, { infos })).toEqual([])
  })

  test('nothing is made of numbers that start afresh with each reference', () => {
    const curves = {
      loss: line(0.69, 0.69),
      'eval/rewards/accuracies': curve([0.5, 0.8, 0.55, 0.5, 0.5], 25),
    }
    const infos = [{ name: 'rewards/accuracies', label: 'Accuracy', unit: '', goal: 'max' as const, help: '' }]
    const more = { mainMetric: 'eval/rewards/accuracies', infos }
    expect(judge(curves, more)).toEqual(['warn main-past-best', 'warn loss-stands', 'warn at-chance'])
    expect(judge(curves, { ...more, referenceMoves: true })).toEqual([])
    const reward = { 'eval/rollout/reward': curve([0.1, 0.2, 0.3], 50) }
    expect(judge(reward, { mainMetric: 'eval/rollout/reward', referenceMoves: true })).toEqual(['good main-improves'])
  })

  test('a loss that was not finite is bad and says where', () => {
    const broken = curve([0.7, 0.6, null, 0.5, 0.5, 0.4])
    expect(judge({ loss: broken })).toContain('bad loss-not-finite')
    expect(
      judgeHealth({ curves: new Map([['loss', broken]]), mainMetric: null, infos: [], totalSteps: 5, live: false })[0]
        ?.text,
    ).toContain('step 2')
  })

  test('the margin may grow for the wrong reason: both log-probs fall', () => {
    const margin = line(0, 2)
    expect(
      judge({ 'logps/chosen': line(-40, -48), 'logps/rejected': line(-40, -60), 'rewards/margins': margin }),
    ).toEqual(['warn both-fall'])
    expect(
      judge({ 'logps/chosen': line(-40, -38), 'logps/rejected': line(-40, -60), 'rewards/margins': margin }),
    ).toEqual([])
  })

  test('an accuracy whose interval holds ½ cannot be told from guessing', () => {
    const near = {
      'eval/rewards/accuracies': curve([0.5, 0.56], 100),
      'eval/rewards/accuracies/low': curve([0.4, 0.48], 100),
      'eval/rewards/accuracies/high': curve([0.6, 0.64], 100),
    }
    expect(judge(near)).toEqual(['warn at-chance'])
    expect(judge({ ...near, 'eval/rewards/accuracies/low': curve([0.4, 0.51], 100) })).toEqual([])
    expect(judge({ 'eval/rewards/accuracies': curve([0.5, 0.51], 100) })).toEqual(['warn at-chance'])
  })

  test('KL past ten nats is watched', () => {
    expect(judge({ 'kl/k3': line(0, 9) })).toEqual([])
    expect(judge({ 'kl/k3': line(0, 30) })).toEqual(['warn kl-far'])
  })

  test('a gap between training and held-out accuracy is over-fitting', () => {
    expect(
      judge({ 'rewards/accuracies': line(0.5, 0.98), 'eval/rewards/accuracies': curve([0.5, 0.62], 100) }),
    ).toEqual(['warn over-fits'])
  })

  test('the metric the method is judged by: rising, or past its best', () => {
    const infos = [
      { name: 'rewards/accuracies', label: 'Preference accuracy', unit: 'fraction', goal: 'max' as const, help: '' },
    ]
    const more = { mainMetric: 'eval/rewards/accuracies', infos, live: true }
    expect(judge({ 'eval/rewards/accuracies': curve([0.5, 0.6, 0.7], 50) }, more)).toEqual(['good main-improves'])
    expect(judge({ 'eval/rewards/accuracies': curve([0.5, 0.7, 0.65, 0.64, 0.6], 25) }, more)).toEqual([
      'warn main-past-best',
    ])
  })
})

describe('health of a run whose outcome is scored', () => {
  test('all preferences met while the return falls is over-optimization, and the best step is named', () => {
    const accuracy = curve(Array.from({ length: 100 }, (_, at) => Math.min(1, 0.6 + at / 100)))
    expect(judge({ 'rewards/accuracies': accuracy, 'eval/return': curve([-7, -5, -4.9, -6.5], 25) })).toEqual([
      'bad solved-and-falling',
    ])
    expect(judge({ 'rewards/accuracies': accuracy, 'eval/return': curve([-7, -5, -4.9, -5], 25) })).toEqual([])
    expect(judge({ 'rewards/accuracies': line(0.6, 0.9), 'eval/return': curve([-7, -5, -4.9, -6.5], 25) })).toEqual([])
    const [note] = judgeHealth({
      curves: new Map([
        ['rewards/accuracies', accuracy],
        ['eval/return', curve([-7, -5, -4.9, -6.5], 25)],
      ]),
      mainMetric: null,
      infos: [],
      totalSteps: 100,
      live: false,
    })
    expect(note?.text).toContain('from −4.9 at step 50 to −6.5')
  })

  test('for segments too, with what helps there', () => {
    const met = curve(Array.from({ length: 100 }, (_, at) => Math.min(1, 0.6 + at / 100)))
    const falling = { 'preferences/accuracy': met, 'eval/return': curve([-7, -5, -4.9, -6.5], 25) }
    expect(judge(falling)).toEqual(['bad solved-and-falling'])
    expect(judge({ ...falling, 'preferences/accuracy': line(0.6, 0.9) })).toEqual([])
    const words = (curves: Record<string, Curve>): string =>
      judgeHealth({
        curves: new Map(Object.entries(curves)),
        mainMetric: null,
        infos: [],
        totalSteps: 100,
        live: false,
      })[0]?.text ?? ''
    expect(words(falling)).toMatch(/over-optimization\. Stop at that step, .*smaller λ.*cloned start/)
    expect(words({ ...falling, 'rewards/accuracies': met })).toContain('a larger β')
  })

  test('every curve that a rule reads is one that some method or the trainer reports', () => {
    const reported = new Set([
      ...algorithms.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
      'samples/reward',
      'samples/kl',
      'samples/tokens',
      'rollout/kl',
    ])
    const unknown = WATCHED_CURVES.filter((name) => !reported.has(name.replace(/^eval\//, '')))
    expect(unknown).toEqual([])
  })

  test('a reward that rises far from the reference is doubted', () => {
    const rising = curve([0.1, 0.5, 0.9], 50)
    expect(judge({ 'eval/samples/reward': rising, 'eval/samples/kl': curve([0, 8, 25], 50) })).toEqual([
      'warn kl-far',
      'warn reward-by-distance',
    ])
    expect(judge({ 'eval/samples/reward': rising, 'eval/samples/kl': curve([0, 2, 4], 50) })).toEqual([])
    expect(
      judge({ 'eval/samples/reward': curve([0.9, 0.5, 0.1], 50), 'eval/samples/kl': curve([0, 8, 25], 50) }),
    ).toEqual(['warn kl-far'])
  })

  test('entropy that is nearly gone', () => {
    expect(judge({ 'rollout/entropy': line(2, 0.05) })).toEqual(['warn entropy-collapses'])
    expect(judge({ 'rollout/entropy': line(4, 0.6) })).toEqual(['warn entropy-collapses'])
    expect(judge({ 'rollout/entropy': line(2, 1.2) })).toEqual([])
  })

  test('responses that grow', () => {
    expect(judge({ 'rollout/tokens': line(10, 18) })).toEqual(['warn length-grows'])
    expect(judge({ 'eval/samples/tokens': curve([10, 12, 20], 50) })).toEqual(['warn length-grows'])
    expect(judge({ 'rollout/tokens': line(10, 12) })).toEqual([])
    expect(judge({ 'rollout/tokens': line(1, 2) })).toEqual([])
  })

  test('advantages that are all 0', () => {
    expect(judge({ 'rollout/equal-rewards': line(0.95, 1) })).toEqual(['bad no-advantage'])
    expect(judge({ 'advantages/size': line(0, 0) })).toEqual(['bad no-advantage'])
    expect(judge({ 'rollout/equal-rewards': line(0.1, 0.3), 'advantages/size': line(0.5, 0.4) })).toEqual([])
  })
})

test('charts: what the method is judged by comes first, pairs share one, interval ends get none', () => {
  const names = [
    'learning_rate',
    'loss',
    'eval/loss',
    'logps/chosen',
    'logps/rejected',
    'rewards/accuracies',
    'eval/rewards/accuracies',
    'eval/rewards/accuracies/low',
    'eval/rewards/accuracies/high',
  ]
  expect(planCharts(names, [], 'eval/rewards/accuracies').map((plan) => [plan.id, plan.names])).toEqual([
    ['rewards/accuracies', ['rewards/accuracies', 'eval/rewards/accuracies']],
    ['loss', ['loss', 'eval/loss']],
    ['logps', ['logps/chosen', 'logps/rejected']],
    ['learning_rate', ['learning_rate']],
  ])
})

describe('health of a ranker', () => {
  test('the utility counts, and the loss says nothing', () => {
    expect(judge({ loss: line(0, 0), utility: line(0.3, 0.5) })).toEqual(['good utility-rises'])
    expect(judge({ loss: line(0, 0), utility: line(0.5, 0.4) })).toEqual(['warn utility-stands'])
  })
  test('a reranker below its first stage is named', () => {
    expect(judge({ 'eval/ndcg': curve([0.3, 0.32], 50), 'eval/first_stage_ndcg': curve([0.36, 0.36], 50) })).toEqual([
      'warn below-first-stage',
    ])
    expect(judge({ 'eval/ndcg': curve([0.3, 0.4], 50), 'eval/first_stage_ndcg': curve([0.36, 0.36], 50) })).toEqual([])
    expect(judge({ 'eval/ndcg': curve([0.3]), 'eval/first_stage_ndcg': curve([0.36]) })).toEqual([])
  })
  test('a policy that has settled, or hears nothing, is named', () => {
    expect(
      judge({
        utility: line(0.3, 0.5),
        entropy: curve([...Array.from({ length: 50 }, () => 2), ...Array.from({ length: 50 }, () => 0.01)]),
      }),
    ).toEqual(['good utility-rises', 'warn settled'])
    expect(judge({ utility: line(0.3, 0.5), entropy: line(2, 1) })).toEqual(['good utility-rises'])
    expect(judge({ utility: line(0.3, 0.5), no_signal: line(0.2, 0.9) })).toEqual([
      'good utility-rises',
      'warn few-signals',
    ])
  })
})
