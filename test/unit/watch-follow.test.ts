import { expect, it } from 'vitest'
import { describe as say, extentOf, joinSteps, paceOf, soFar } from '../../renderer/watch/follow.ts'

const acted = (rewards: number[], ended: boolean, successes = rewards.map(() => false)) => ({
  from: 0,
  qpos: rewards.map(() => [0]),
  actions: rewards.map(() => [0]),
  rewards,
  successes,
  ended,
  checkpointStep: null,
  engine: null,
})

it('plays no faster than a screen shows, and skips steps for it', () => {
  expect(paceOf('real', 0.04)).toEqual({ everyMs: 40, steps: 1 })
  expect(paceOf('slow', 0.04)).toEqual({ everyMs: 160, steps: 1 })
  expect(paceOf('fast', 0.04)).toEqual({ everyMs: 16, steps: 2 })
})

it('shows what both have, and goes on with the longer one once both are at their end', () => {
  expect(extentOf([acted([1, 1, 1], false)])).toEqual({ last: 2, whole: false })
  expect(extentOf([acted([1, 1, 1, 1], true), acted([1, 1], false)])).toEqual({ last: 1, whole: false })
  expect(extentOf([acted([1, 1, 1, 1], true), acted([1, 1], true)])).toEqual({ last: 3, whole: true })
  const joined = joinSteps(acted([1, 2], false), { ...acted([3], true), from: 2 })
  expect([joined.from, joined.rewards, joined.ended]).toEqual([0, [1, 2, 3], true])
})

it('says return and success so far, in numbers and in words', () => {
  const one = acted([1, -2, 4], true, [false, true, false])
  expect([0, 1, 2].map((frame) => soFar(one, frame))).toEqual([
    { total: 1, success: false },
    { total: -1, success: true },
    { total: 3, success: true },
  ])
  expect(say(2, 3, [{ name: 'CPL', acted: one }], true)).toBe('Step 3 of 3. CPL: return 3, success, done.')
  expect(say(0, 3, [{ name: 'CPL', acted: one }], false)).toBe('Step 1 of 3. CPL: return 1.')
})
