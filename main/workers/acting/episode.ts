import type { ActedSteps } from '../../../shared/contract/watch.ts'
import { createRandom } from '../../core/learn/random.ts'
import type { World, WorldKind } from '../../core/worlds/define.ts'
import { stepTogether, type BatchPolicy } from '../../core/worlds/roll-out.ts'

/** An episode that is acted as far as somebody looked. */
export interface Episode {
  /** Steps `from` … `from + count − 1`, fewer at its end. One call at a time. */
  steps(from: number, count: number): Promise<ActedSteps>
  dispose(): void
}

/** Begins and acts as `rollOut` does in its episode of this number, so that both give the same rewards. */
export async function openEpisode(
  kind: WorldKind,
  policy: BatchPolicy,
  { seed, episode }: { readonly seed: number; readonly episode: number },
): Promise<Episode> {
  const random = createRandom(seed).fork(`episode ${episode}`)
  const world: World = await kind.open()
  world.reset(random)
  const done: Omit<ActedSteps, 'from' | 'ended'> = { qpos: [], actions: [], rewards: [], successes: [] }
  let over = false

  async function step(): Promise<void> {
    done.qpos.push([...world.qpos()])
    await stepTogether([world], policy, [random], (_world, result, action) => {
      done.actions.push([...action])
      done.rewards.push(result.reward)
      done.successes.push(result.success)
      over = result.done
    })
    over ||= done.rewards.length >= kind.info.episodeSteps
  }

  return {
    async steps(from, count) {
      const to = from + count
      while (!over && done.rewards.length < to) await step()
      return {
        from,
        qpos: done.qpos.slice(from, to),
        actions: done.actions.slice(from, to),
        rewards: done.rewards.slice(from, to),
        successes: done.successes.slice(from, to),
        ended: over && to >= done.rewards.length,
      }
    },
    dispose: () => world.dispose(),
  }
}
