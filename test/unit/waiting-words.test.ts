import { describe, expect, test } from 'vitest'
import { waitingWords } from '../../renderer/run/waiting-words.ts'
import { ENDED_STATES, LIVE_STATES } from '../../shared/domain.ts'

const run = { phase: '', step: 0, startedAtMs: 5, queuePosition: null } as const

describe('while a run has no point to draw', () => {
  test('no live run is said to have ended, in no phase and at no step', () => {
    for (const state of LIVE_STATES) {
      for (const phase of [
        'starting',
        'loading',
        'tokenizer',
        'reference',
        'rewards',
        'training',
        'evaluating',
        'saving',
        '',
      ]) {
        for (const step of [0, 7]) {
          const { title, text } = waitingWords({ ...run, state, phase, step }, false)
          expect(`${title}. ${text}`).not.toMatch(/ended|no curves/)
          expect(text).toContain('The curves appear with')
        }
      }
    }
  })

  test('each state says what is so', () => {
    const titles = (state: (typeof LIVE_STATES)[number], phase: string, step = 0): string =>
      waitingWords({ ...run, state, phase, step }, false).title
    expect(titles('starting', 'starting')).toBe('Starting')
    expect(titles('starting', 'loading')).toBe('Reading the data')
    expect(titles('starting', 'reference')).toBe('Scoring the data with the reference')
    expect(titles('evaluating', 'evaluating')).toBe('Evaluating for the first time')
    expect(titles('evaluating', 'evaluating', 7)).toBe('Evaluating')
    expect(titles('training', 'training')).toBe('Training')
    expect(titles('training', 'saving')).toBe('Saving')
  })

  test('a queued run says its place, or that the queue is paused', () => {
    const queued = { ...run, state: 'queued', startedAtMs: null, queuePosition: 3 } as const
    expect(waitingWords(queued, false).title).toBe('Waiting, place 3 in the queue')
    expect(waitingWords(queued, true).title).toBe('The queue is paused')
  })

  test('only an ended run ended before its first step, and one that never began did not', () => {
    for (const state of ENDED_STATES) {
      expect(waitingWords({ ...run, state }, false).text).toBe('It ended before its first step.')
      expect(waitingWords({ ...run, state, step: 7 }, false).text).not.toContain('first step')
    }
    expect(waitingWords({ ...run, state: 'cancelled', startedAtMs: null }, false).text).toBe(
      'It was taken out of the queue before it began.',
    )
    expect(waitingWords({ ...run, state: 'failed', startedAtMs: null }, false).text).toBe(
      'It ended before it could begin.',
    )
  })
})
