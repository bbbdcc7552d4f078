import { expect, test } from 'vitest'
import { tellEnd } from '../../renderer/frame/run-end.ts'
import { runStates } from '../../shared/domain.ts'

const run = { runId: 'dpo-1' as never, seed: 2, error: null }

test('an end that nobody asked for is news, once', () => {
  expect(tellEnd('training', { ...run, state: 'finished' })).toMatchObject({
    title: 'dpo-1 finished',
    short: '✓ dpo-1',
    good: true,
  })
  const error = { code: 'out-of-memory', message: 'No room.', hint: 'Lower the batch.' } as const
  expect(tellEnd('starting', { ...run, state: 'failed', error })).toMatchObject({
    title: 'dpo-1 failed',
    text: 'No room. Lower the batch.',
    good: false,
  })
  expect(tellEnd('training', { ...run, state: 'lost' })?.title).toBe('dpo-1 was lost')
})

test('what a person stopped, what goes on, and what had ended before is not', () => {
  for (const state of ['cancelled', 'interrupted', 'queued', 'starting', 'training', 'evaluating'] as const)
    expect(tellEnd('training', { ...run, state })).toBeNull()
  for (const before of [undefined, 'finished', 'failed'] as const)
    expect(tellEnd(before, { ...run, state: 'finished' })).toBeNull()
  expect(runStates.filter((before) => tellEnd(before, { ...run, state: 'finished' }) !== null)).toEqual([
    'queued',
    'starting',
    'training',
    'evaluating',
  ])
})
