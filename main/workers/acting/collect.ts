// A collection, from the worlds to the pairs that a data set takes.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sizeOfCollection, type CollectionSize, type CollectSettings } from '../../../shared/collecting.ts'
import { AppError } from '../../../shared/errors.ts'
import { behaviourName, scriptOf, withNoise } from '../../core/worlds/behaviours.ts'
import { collectSegments, type Behaviour, type CollectedSegments } from '../../core/worlds/collect.ts'
import type { WorldKind } from '../../core/worlds/define.ts'
import { exactRegretScores, rewardScores, rollOutRegretScores } from '../../core/worlds/label.ts'
import { findWorld } from '../../core/worlds/registry.ts'
import { eachOf } from '../../core/worlds/roll-out.ts'
import { readLearnedPolicy } from './learned-policy.ts'

/** Told of steps, all phases together: as many as a `CollectionSize` says. */
export type Tell = (phase: 'acting' | 'judging' | 'writing', done: number) => void

/**
 * Lets behaviours act in a world, and scores what they did. Comes up for air at every step.
 * @param checkpoint folder of the policy that acts, for `learned`   @throws AppError `spec-invalid`, `usage-invalid`
 */
export async function collect(
  settings: CollectSettings,
  checkpoint: string | null,
  tell: Tell,
): Promise<CollectedSegments> {
  const { acted } = sizeOf(settings)
  const set = await act(settings, checkpoint, (steps) => tell('acting', steps))
  set.scores.set(await judge(settings, set, (steps) => tell('judging', acted + steps)))
  return set
}

export function sizeOf(settings: CollectSettings): CollectionSize {
  const { info, advantage } = findWorld(settings.world)
  return sizeOfCollection(settings, { episodeSteps: info.episodeSteps, advantageKnown: advantage !== undefined })
}

/** What was done, without scores. @param tell steps so far */
export async function act(
  settings: CollectSettings,
  checkpoint: string | null,
  tell: (steps: number) => void,
): Promise<CollectedSegments> {
  const kind = findWorld(settings.world)
  const { perEpisode, episodes } = sizeOf(settings)
  const set = await collectSegments(kind, behavioursOf(kind, settings, checkpoint), {
    segments: perEpisode * episodes,
    length: settings.steps,
    seed: settings.seed,
    perEpisode,
    async breathe(acted) {
      tell(acted)
      await nextTurn()
    },
  })
  if (set.mask.some((real) => real === 0))
    throw new AppError({
      code: 'usage-invalid',
      message: `Episodes of ${kind.info.name} ended before ${settings.steps} steps.`,
      hint: 'Ask for shorter segments.',
    })
  return set
}

/** Scores by which segments are compared, NaN where people do. @param tell steps that were acted out so far */
export async function judge(
  { world, label }: CollectSettings,
  set: CollectedSegments,
  tell: (steps: number) => void,
): Promise<Float64Array> {
  const kind = findWorld(world)
  if (label === 'none') return new Float64Array(set.count).fill(NaN)
  if (label === 'reward') return rewardScores(set)
  // Exact where the world has it in closed form; else with the expert's value, acted out over an episode.
  if (kind.advantage !== undefined) return exactRegretScores(kind, set)
  const { episodeSteps } = kind.info
  return rollOutRegretScores(kind, set, { steps: episodeSteps, discount: 1 }, async (segments) => {
    tell(2 * segments * episodeSteps)
    await nextTurn()
  })
}

function behavioursOf(
  kind: WorldKind,
  { behaviour, noise, runId }: CollectSettings,
  checkpoint: string | null,
): Behaviour[] {
  const script = (name: 'expert' | 'weak' | 'random'): Behaviour => ({
    name: behaviourName(name, noise),
    policy: eachOf(scriptOf(kind, name, noise), kind.info),
  })
  if (behaviour === 'mixed') return [script('expert'), script('weak'), script('random')]
  if (behaviour !== 'learned') return [script(behaviour)]
  if (checkpoint === null)
    throw new AppError({
      code: 'usage-invalid',
      message: 'A learned policy needs a run.',
      hint: 'Name a run that learned from segments of this world.',
    })
  return [
    {
      name: behaviourName(`learned by ${runId}`, noise),
      policy: eachOf(withNoise(readLearnedPolicy(checkpoint, kind.info.id), noise), kind.info),
    },
  ]
}
