import { expect, test } from 'vitest'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { canTrainOn, findFamily, nextSteps } from '../../renderer/home/next-steps.ts'

const data = (datasetId: string, kind: DatasetSummary['kind'], labeledCount = 0): DatasetSummary =>
  ({ datasetId, name: datasetId, kind, itemCount: 10, labeledCount, labelCount: labeledCount }) as DatasetSummary // what is read of it
const run = (runId: string, of: Partial<RunSummary> = {}): RunSummary =>
  ({
    runId,
    name: runId,
    state: 'finished',
    mainMetric: 'eval/accuracy',
    datasetId: 'pairs',
    datasetName: 'pairs',
    ...of,
  }) as RunSummary // what is read of it

test('what people label needs labels before it is trained on; what came judged does not', () => {
  expect(canTrainOn(data('pairs', 'response-pairs'))).toBe(false)
  expect(canTrainOn(data('pairs', 'segment-pairs', 1))).toBe(true)
  expect(canTrainOn(data('lists', 'rankings'))).toBe(true)
  expect(nextSteps([data('pairs', 'response-pairs')], [])).toEqual([])
  expect(nextSteps([], [])).toEqual([])
})

test('training is offered where nothing was trained yet, else on the newest', () => {
  const both = [data('pairs', 'response-pairs', 4), data('lists', 'rankings')]
  expect(nextSteps(both, [run('a')])).toEqual([
    { id: 'train', text: 'lists: 10 queries, and no run yet.', action: 'Train', href: '/train?data=lists' },
  ])
  expect(nextSteps(both, [run('a'), run('b', { datasetId: 'lists' })])[0]!.text).toBe('pairs: 4 labeled pairs.')
})

test('only runs on the same data, measured alike, are set side by side', () => {
  const runs = [
    run('test', { mainMetric: 'eval/ndcg', datasetId: 'lists' }),
    run('other', { mainMetric: 'eval/loss' }),
    run('one'),
    run('failed', { state: 'failed' }),
    run('two', { mainMetric: 'test/accuracy' }),
  ]
  expect(findFamily(runs).map(({ runId }) => runId)).toEqual(['one', 'two'])
  expect(findFamily(runs.slice(0, 3))).toEqual([])
  expect(nextSteps([], runs)).toEqual([
    {
      id: 'compare',
      text: '2 finished runs on pairs are measured alike.',
      action: 'Compare',
      href: '/compare?runs=one,two',
    },
  ])
})

test('what runs is watched: one on its page, several in their list', () => {
  const live = run('live', { state: 'training' })
  expect(nextSteps([], [live, run('q', { state: 'queued' })])).toEqual([
    { id: 'watch', text: 'live is training, 1 waits.', action: 'Watch', href: '/runs/live' },
  ])
  expect(nextSteps([], [live, run('more', { state: 'evaluating' })])[0]).toMatchObject({
    text: '2 runs are training.',
    href: '/runs',
  })
})
