import { createElement, type ReactElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { QueryClientProvider, type QueryClient } from '@tanstack/react-query'
import { beforeAll, expect, test, vi } from 'vitest'
import type { RunDetail, SampleItem } from '../../shared/contract/runs.ts'
import type { AnnotatorId, DatasetId } from '../../shared/domain.ts'
import { algorithmHandlers } from '../../main/app/handlers/algorithms.ts'
import { PreviewProblems } from '../../renderer/data/import/PreviewProblems.tsx'

// Words that are true of some kinds of data and in some states only, as the parts of a page write them.

// A window whose host never answers: what the parts ask for is already known.
vi.stubGlobal('window', { bridge: { call: () => new Promise(() => undefined), subscribe: () => () => undefined } })

let client: QueryClient
let Habits: typeof import('../../renderer/label/Habits.tsx').Habits
let RunSamples: typeof import('../../renderer/run/RunSamples.tsx').RunSamples
beforeAll(async () => {
  ;({ Habits } = await import('../../renderer/label/Habits.tsx'))
  ;({ RunSamples } = await import('../../renderer/run/RunSamples.tsx'))
  client = (await import('../../renderer/api/queries.ts')).queryClient
  client.setQueryData(['algorithms.list', {}], await algorithmHandlers()['algorithms.list']({}))
  client.setQueryData(['datasets.list', {}], [])
})

/** What a reader of the page finds. */
function read(part: ReactElement): string {
  return renderToStaticMarkup(createElement(QueryClientProvider, { client }, part)).replace(/<[^>]+>/g, '|')
}

test('the row check praises what was read, and nothing that was not', () => {
  const check = (unread: boolean, problems: Parameters<typeof PreviewProblems>[0]['problems'] = []): string =>
    read(createElement(PreviewProblems, { problems, note: 'first 20 rows', unread }))
  const praise = 'Every row of the preview can be read.'
  expect(check(false)).toContain(praise)
  expect(check(true)).not.toContain(praise)
  expect(check(true)).toContain('No row was checked yet')
  const problem = { line: 3, severity: 'error', code: 'c', reason: 'The prompt is empty.', hint: 'Fill it.' } as const
  for (const unread of [true, false]) {
    const said = check(unread, [problem])
    expect(said).toContain('The prompt is empty.')
    expect(said).not.toMatch(/Every row|No row/)
  }
})

test('the honesty meter speaks of length where texts are compared, and not of segments', () => {
  const [datasetId, annotatorId] = ['d' as DatasetId, 'a' as AnnotatorId]
  const share = { wins: 90, n: 100, low: 0.83, high: 0.94 }
  client.setQueryData(['labels.habits', { datasetId, annotatorId }], { left: share, longer: share })
  const meter = (texts: boolean): string => read(createElement(Habits, { datasetId, annotatorId, texts }))
  expect(meter(true)).toMatch(/Picked longer.*the longer answer more often/)
  expect(meter(false)).toContain('left side more often')
  expect(meter(false)).not.toMatch(/longer/i)
})

test('what a run shows of itself has its own columns: no tokens of an order, a rationale for a text', () => {
  const item: SampleItem = {
    promptIndex: 0,
    pairId: 'p',
    prompt: 'p',
    completion: 'c',
    reward: 0.5,
    logRatio: null,
    tokens: 0,
  }
  const heads = (method: string): string[] => {
    const [samples, all] = [{ step: 4, items: [item] }, [{ step: 4, items: [item] }]]
    const shown = { all, error: null, steps: [4], at: 0, setWanted: () => {}, move: () => {}, ...samples }
    const run = { method, datasetId: 'd', spec: { training: { samplePrompts: 1 } }, state: 'done' } as unknown
    const html = renderToStaticMarkup(
      createElement(
        QueryClientProvider,
        { client },
        createElement(RunSamples, { run: run as RunDetail, samples: shown }),
      ),
    )
    return [...html.matchAll(/<th[^>]*>([^<]*)<\/th>/g)].map((cell) => cell[1]!)
  }
  expect(heads('dpo')).toEqual(['Prompt', 'Completion at step 4', 'Reward ↑', 'Log-ratio, nats', 'Tokens'])
  expect(heads('pg-rank')).toEqual(['Query', 'Order at step 4', 'nDCG@k ↑'])
  expect(heads('grace').slice(0, 2)).toEqual(['Text', 'Rationale at step 4'])
})
