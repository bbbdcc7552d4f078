import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { describe, expect, test } from 'vitest'
import { applyEvent } from '../../renderer/api/apply-event.ts'
import { judgeHealth } from '../../renderer/run/health.ts'
import { LiveCurves } from '../../renderer/run/live-curves.ts'
import { buildChart, planCharts } from '../../renderer/run/run-charts.ts'
import { grow, stretches, toCurves, type Curves } from '../../renderer/run/run-series.ts'
import type { FetchedCurves } from '../../shared/contract/runs.ts'
import type { CurveChange } from '../../shared/metric-columns.ts'

const points = (
  seq: number,
  steps: readonly number[],
  values: Readonly<Record<string, readonly (number | null)[]>>,
): CurveChange => ({
  type: 'points',
  seq,
  columns: {
    step: [...steps],
    wallMs: steps.map((step) => step * 10),
    ...Object.fromEntries(Object.entries(values).map(([name, column]) => [name, [...column]])),
  },
})
const fetched = (upTo: number, steps: readonly number[]): FetchedCurves => ({
  upTo,
  series: [
    {
      name: 'loss',
      step: [...steps],
      wallMs: steps.map((step) => step * 10),
      value: steps.map((step) => step / 10),
      total: steps.length,
    },
  ],
})
const stepsOf = (curves: Curves, name = 'loss'): readonly number[] | undefined => curves.get(name)?.step

describe('curves that events grow', () => {
  test('events that come before the page is painted once are all kept', () => {
    const live = new LiveCurves()
    const answer = fetched(1, [1])
    live.over(answer)
    live.take([points(2, [2], { loss: [0.2] })])
    live.take([points(3, [3], { 'eval/loss': [0.5] })])
    live.take([points(4, [4], { loss: [0.4] })])
    expect(live.over(answer).get('loss')).toEqual({ step: [1, 2, 4], wallMs: [10, 20, 40], value: [0.1, 0.2, 0.4] })
    expect(stepsOf(live.over(answer), 'eval/loss')).toEqual([3])
    expect(live.over(answer)).toBe(live.over(answer))
  })

  test('what comes while an answer is on its way is neither lost nor drawn twice', () => {
    const live = new LiveCurves()
    live.take([points(2, [2], { loss: [0.2] })])
    live.take([points(3, [3], { loss: [0.3] })])
    expect(stepsOf(live.over(fetched(2, [1, 2])))).toEqual([1, 2, 3])
    live.take([points(4, [4], { loss: [0.4] })])
    live.take([points(4, [4], { loss: [9] })]) // told again after a lost connection
    const late = fetched(3, [1, 2, 3])
    expect(live.over(late).get('loss')?.value).toEqual([0.1, 0.2, 0.3, 0.4])
    expect(live.waiting).toBe(1)
  })

  test('a return to a checkpoint leaves what is later behind, at once and in every curve', () => {
    const live = new LiveCurves()
    const answer = fetched(5, [1, 2, 3, 4, 5])
    live.over(answer)
    live.take([
      points(6, [4, 5], { 'eval/loss': [1, 2] }),
      { type: 'back', seq: 7, toStep: 3 },
      points(8, [4], { loss: [0.9] }),
    ])
    expect(live.over(answer).get('loss')).toEqual({
      step: [1, 2, 3, 4],
      wallMs: [10, 20, 30, 40],
      value: [0.1, 0.2, 0.3, 0.9],
    })
    expect(live.over(answer).has('eval/loss')).toBe(false)
  })

  test('a step that is evaluated again has its last value', () => {
    const curves = grow(toCurves([]), [points(1, [5], { 'eval/loss': [1] }), points(2, [5], { 'eval/loss': [2] })])
    expect(curves.get('eval/loss')).toEqual({ step: [5], wallMs: [50], value: [2] })
  })

  test('an evaluation now and then leaves no holes, and a number that was not finite stays one', () => {
    const curves = grow(new Map(), [
      points(1, [0], { 'eval/loss': [5] }),
      points(2, [1, 2, 3], { loss: [4, null, 2] }),
      points(3, [3], { 'eval/loss': [null] }),
      points(4, [4], { loss: [1] }),
      points(5, [4], { 'eval/loss': [3] }),
    ])
    expect(curves.get('loss')).toMatchObject({ step: [1, 2, 3, 4], value: [4, null, 2, 1] })
    expect(curves.get('eval/loss')).toMatchObject({ step: [0, 3, 4], value: [5, null, 3] })
    const [note] = judgeHealth({ curves, mainMetric: null, infos: [], totalSteps: 5, live: false })
    expect(note?.text).toContain('not finite at step 2.')
    const view = { xAxis: 'step', smoothing: 0, xLog: false, yLog: false } as const
    const [plan] = planCharts([...curves.keys()], [], null)
    const { series } = buildChart(
      plan!,
      curves,
      new Map(),
      [],
      { colour: '--r1', totalSteps: 4, batchSize: 1, samplePrompts: 0, items: 'pairs' },
      view,
    )
    expect(series.map(({ label, x, y }) => [label, x, y])).toEqual([
      ['training', [1, 2, 3, 4], [4, null, 2, 1]],
      ['held-out', [0, 3, 4], [5, null, 3]],
    ])
  })

  test('lines that are measured on held-out pairs alone have names, in colours that can be told apart', () => {
    const curves = grow(new Map(), [
      points(1, [0, 5], { 'eval/logps/chosen': [-9, -8], 'eval/logps/rejected': [-9, -9] }),
    ])
    const [plan] = planCharts([...curves.keys()], [], null)
    const view = { xAxis: 'step', smoothing: 0, xLog: false, yLog: false } as const
    const drawn = (colour: string): ReturnType<typeof buildChart>['series'] => {
      const run = { colour, totalSteps: 5, batchSize: 1, samplePrompts: 0, items: 'pairs' }
      return buildChart(plan!, curves, new Map(), [], run, view).series
    }
    expect(drawn('--r1').map(({ unnamed }) => unnamed)).toEqual([false, false])
    expect(drawn('--r1').map(({ colour }) => colour)).toEqual(['--r1', '--r2'])
    expect(drawn('--r6').map(({ colour }) => colour)).toEqual(['--r6', '--r2'])
  })

  test('what several resumes left behind is drawn as one line each', () => {
    const left = { step: [6, 7, 8, 7, 8, 4], wallMs: [1, 2, 3, 4, 5, 6], value: [1, 2, 3, 4, null, 6] }
    expect(stretches(left).map(({ step, value }) => [step, value])).toEqual([
      [
        [6, 7, 8],
        [1, 2, 3],
      ],
      [
        [7, 8],
        [4, null],
      ],
      [[4], [6]],
    ])
  })
})

test('curves that nobody looks at are fetched anew when somebody does', async () => {
  const cache = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } })
  const asked: string[] = []
  const look = (runId: string): (() => void) =>
    new QueryObserver(cache, {
      queryKey: ['runs.metrics', { runId, maxPoints: 9 }],
      queryFn: () => asked.push(runId),
    }).subscribe(() => {})
  const tell = (runId: string): void =>
    applyEvent(cache, { seq: 1, name: 'run.metrics', payload: { runId: runId as never, changes: [] } })
  const leave = look('watched')
  look('left')()
  await new Promise((resolve) => setTimeout(resolve))
  tell('watched')
  tell('left')
  await new Promise((resolve) => setTimeout(resolve))
  expect(asked).toEqual(['watched', 'left'])
  look('left')()
  look('other')()
  await new Promise((resolve) => setTimeout(resolve))
  expect(asked).toEqual(['watched', 'left', 'left', 'other'])
  leave()
  cache.clear()
})
