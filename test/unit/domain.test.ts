import { expect, test } from 'vitest'
import {
  canMove,
  ENDED_STATES,
  isLive,
  LIVE_STATES,
  RUN_TRANSITIONS,
  runStates,
  type RunState,
} from '../../shared/domain.ts'

// Written out once more by hand: a change of the table must be meant.
const LEGAL: Record<RunState, string> = {
  queued: 'starting cancelled',
  starting: 'training evaluating failed cancelled interrupted lost',
  training: 'evaluating finished failed cancelled interrupted lost',
  evaluating: 'training finished failed cancelled interrupted lost',
  finished: '',
  failed: 'queued',
  cancelled: 'queued',
  interrupted: 'queued',
  lost: 'queued training evaluating finished failed cancelled interrupted',
}

test('a run moves along the table and in no other way', () => {
  for (const from of runStates)
    for (const to of runStates)
      expect([from, to, canMove(from, to)]).toEqual([from, to, LEGAL[from].split(' ').includes(to)])
})

test('every state is waiting, live or ended, and a live one can end in every way', () => {
  expect([...LIVE_STATES, ...ENDED_STATES, 'queued'].toSorted()).toEqual([...runStates].toSorted())
  for (const state of runStates) expect(isLive(state)).toBe(LIVE_STATES.includes(state))
  for (const state of LIVE_STATES)
    expect(RUN_TRANSITIONS[state]).toEqual(expect.arrayContaining(['failed', 'cancelled', 'interrupted', 'lost']))
})
