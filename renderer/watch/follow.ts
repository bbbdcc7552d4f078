// What is seen of episodes that are played in step: pure, so that it can be tested without a page.
import type { Output } from '../../shared/contract.ts'
import { formatNumber } from '../../shared/units.ts'

type Steps = Output<'watch.act'>

export const SPEEDS = ['slow', 'real', 'fast'] as const
export type Speed = (typeof SPEEDS)[number]
const TIMES: Readonly<Record<Speed, number>> = { slow: 0.25, real: 1, fast: 4 }
/** A screen shows no more. */
const SHORTEST_MS = 16

/** How long a picture stays, and how many steps the next one is on. @param stepSeconds of the world */
export function paceOf(speed: Speed, stepSeconds: number): { readonly everyMs: number; readonly steps: number } {
  const stepMs = (1000 * stepSeconds) / TIMES[speed]
  const everyMs = Math.max(SHORTEST_MS, stepMs)
  return { everyMs, steps: Math.max(1, Math.round(everyMs / stepMs)) }
}

export function joinSteps(before: Steps, more: Steps): Steps {
  return {
    ...more,
    from: before.from,
    qpos: [...before.qpos, ...more.qpos],
    actions: [...before.actions, ...more.actions],
    rewards: [...before.rewards, ...more.rewards],
    successes: [...before.successes, ...more.successes],
  }
}

/** The last picture that can be shown, and whether none will follow. Episodes of different lengths wait for nobody: the shorter one stands. */
export function extentOf(episodes: readonly Steps[]): { readonly last: number; readonly whole: boolean } {
  const lengths = episodes.map(({ rewards }) => rewards.length)
  const going = episodes.flatMap(({ ended, rewards }) => (ended ? [] : [rewards.length]))
  const last = (going.length > 0 ? Math.min(...going) : Math.max(0, ...lengths)) - 1
  return { last: Math.max(0, last), whole: episodes.length > 0 && going.length === 0 }
}

export interface SoFar {
  /** Sum of the rewards up to and with the step that is shown. */
  readonly total: number
  /** At some step, as evaluations count it. */
  readonly success: boolean
}

export function soFar({ rewards, successes }: Steps, frame: number): SoFar {
  return {
    total: rewards.slice(0, frame + 1).reduce((sum, reward) => sum + reward, 0),
    success: successes.slice(0, frame + 1).includes(true),
  }
}

/** A sentence for those who do not see the picture. @param success whether the world has a notion of it */
export function describe(
  frame: number,
  steps: number,
  sides: readonly { readonly name: string; readonly acted: Steps }[],
  success: boolean,
): string {
  const each = sides.map(({ name, acted }) => {
    const { total, success: reached } = soFar(acted, frame)
    const over = acted.ended && frame >= acted.rewards.length - 1 ? ', done' : ''
    return `${name}: return ${formatNumber(total)}${success ? (reached ? ', success' : ', no success yet') : ''}${over}`
  })
  return `Step ${frame + 1} of ${steps}. ${each.join('. ')}.`
}
