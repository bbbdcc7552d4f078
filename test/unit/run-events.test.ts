import { QueryClient } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { applyEvent } from '../../renderer/api/apply-event.ts'
import type { AppEvent } from '../../shared/contract.ts'

const KEY = ['runs.get', { runId: 'r1' }]
const told = (state: string, step: number): AppEvent =>
  ({ seq: 1, name: 'run.state', payload: { runId: 'r1', state, lastStep: step } }) as unknown as AppEvent

test('an open run takes its numbers from events, and a new state only with what comes with it', () => {
  const cache = new QueryClient()
  cache.setQueryData(KEY, { runId: 'r1', state: 'training', lastStep: 1, checkpoints: [] })
  applyEvent(cache, told('training', 2))
  expect(cache.getQueryData(KEY)).toEqual({ runId: 'r1', state: 'training', lastStep: 2, checkpoints: [] })
  expect(cache.getQueryState(KEY)?.isInvalidated).toBe(false)
  applyEvent(cache, told('finished', 3))
  expect(cache.getQueryData(KEY)).toMatchObject({ state: 'training', checkpoints: [] })
  expect(cache.getQueryState(KEY)?.isInvalidated).toBe(true)
})
