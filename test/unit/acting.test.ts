import { describe, expect, it } from 'vitest'
import { collectSettings, sizeOfCollection } from '../../shared/collecting.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { behaviourName, readBehaviour, scriptOf } from '../../main/core/worlds/behaviours.ts'
import { findWorld } from '../../main/core/worlds/registry.ts'
import { eachOf, rollOut } from '../../main/core/worlds/roll-out.ts'
import { act, judge } from '../../main/workers/acting/collect.ts'
import { openEpisode } from '../../main/workers/acting/episode.ts'
import { draftOf, shownFields } from '../../renderer/collect/collect-form.ts'

describe('a collection, before it is made', () => {
  it.each([
    // lqr: 64 steps an episode, exact; pendulum: 200 steps, regret is acted out.
    [
      'lqr',
      { segments: 7, steps: 16 },
      { segments: 6, pairs: 3, perEpisode: 4, episodes: 2, transitions: 96, acted: 128, valued: 0 },
    ],
    ['lqr', { segments: 6, steps: 16, perEpisode: 1 }, { pairs: 3, perEpisode: 1, episodes: 6, acted: 96 }],
    ['pendulum', { segments: 4, steps: 100 }, { perEpisode: 2, episodes: 2, valued: 4, valueSteps: 1600 }],
    ['pendulum', { segments: 4, steps: 100, label: 'none' }, { valued: 0, valueSteps: 0 }],
    ['lqr', { segments: 2, steps: 65 }, { perEpisode: 1, episodes: 2 }],
  ] as const)('in %s with %j comes to %j', async (world, given, size) => {
    const settings = collectSettings.parse({ world, ...given })
    const kind = findWorld(world)
    const foreseen = sizeOfCollection(settings, {
      episodeSteps: kind.info.episodeSteps,
      advantageKnown: kind.advantage !== undefined,
    })
    expect(foreseen).toMatchObject(size)
    let [acted, valueSteps] = [0, 0]
    const set = await act(settings, null, (steps) => (acted = steps))
    await judge(settings, set, (steps) => (valueSteps = steps))
    expect([set.count, acted, valueSteps]).toEqual([
      foreseen.perEpisode * foreseen.episodes,
      foreseen.acted,
      foreseen.valueSteps,
    ])
  })

  it('is a form: what does not count is hidden, what is wrong is said at its place', () => {
    const paths = (typed: Record<string, string>): string[] => shownFields(typed).map(({ path }) => path)
    expect(paths({})).toEqual(['segments', 'steps', 'behaviour', 'noise', 'label', 'seed', 'perEpisode'])
    expect(paths({ behaviour: 'random' })).not.toContain('noise')
    expect(paths({ behaviour: 'learned' })).toEqual(expect.arrayContaining(['runId', 'checkpoint']))
    expect(draftOf('reach', {}, '')).toEqual({
      request: { ...collectSettings.parse({ world: 'reach' }), name: 'reach, by regret' },
      problems: {},
    })
    expect(draftOf('reach', { segments: '1', noise: 'much', behaviour: 'weak' }, 'x')).toEqual({
      request: null,
      problems: { segments: 'Segments must be at least 2.', noise: 'Noise must be a number, not “much”.' },
    })
    expect(draftOf('reach', { behaviour: 'learned' }, '').problems).toEqual({ runId: 'Choose a run.' })
  })
})

describe('an episode that is watched', () => {
  it.each(['lqr', 'reach'] as const)('in %s is one of those that are counted', async (world) => {
    const kind = findWorld(world)
    const policy = eachOf(scriptOf(kind, 'weak', 0.3), kind.info)
    const outcomes = await rollOut(kind, policy, { episodes: 2, seed: 5 })
    for (const [episode, outcome] of outcomes.entries()) {
      const watched = await openEpisode(kind, policy, { seed: 5, episode })
      const parts = []
      for (const from of [0, 30, 60]) parts.push(await watched.steps(from, 30))
      expect(parts.map(({ ended }) => ended)).toEqual([false, false, true])
      const whole = await watched.steps(0, 1000)
      expect(whole.rewards).toEqual(parts.flatMap(({ rewards }) => rewards))
      expect(whole.rewards.reduce((sum, reward) => sum + reward, 0)).toBe(outcome.total)
      expect([whole.rewards.length, whole.successes.includes(true)]).toEqual([outcome.steps, outcome.success])
      expect(whole.qpos[0]).toHaveLength(kind.info.qposSize)
      watched.dispose()
    }
  })
})

describe('who acts', () => {
  it('is named in data so that it can act again', () => {
    expect(behaviourName('weak', 0.3)).toBe('weak, noise 0.3')
    expect(readBehaviour('weak, noise 0.3')).toEqual({ script: 'weak', noise: 0.3 })
    expect(readBehaviour(behaviourName('random', 0.3))).toEqual({ script: 'random', noise: 0 })
    expect(readBehaviour('learned by bc-1, noise 0.3')).toBeNull()
    const kind = findWorld('pendulum')
    const actions = Array.from({ length: 200 }, () => scriptOf(kind, 'random', 0)([0, 0, 0], createRandom(1))[0]!)
    expect(Math.max(...actions.map(Math.abs))).toBeLessThanOrEqual(kind.info.actionLimit)
  })
})
