import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DatasetId } from '../../../../shared/domain.ts'
import { AppError } from '../../../../shared/errors.ts'
import type { CollectRequest } from '../../../../shared/contract/segments.ts'
import type { Policy, WorldKind } from '../../../core/worlds/define.ts'
import {
  collectSegments,
  segmentsOfEpisode,
  type Behaviour,
  type CollectedSegments,
} from '../../../core/worlds/collect.ts'
import { exactRegretScores, rewardScores, rollOutRegretScores } from '../../../core/worlds/label.ts'
import { findWorld } from '../../../core/worlds/registry.ts'
import { eachOf, noisy } from '../../../core/worlds/roll-out.ts'
import { addDataset, type AddContext } from '../add-dataset.ts'
import type { DatasetEntry } from '../../store/datasets.ts'
import { readLearnedPolicy } from './learned-policy.ts'
import { pairCollected } from '../../../core/formats/segment-items.ts'

/**
 * Lets behaviours act in a world, and keeps what they did as pairs of segments.
 * @param checkpoint folder of the policy that acts, for `learned`
 * @throws AppError `spec-invalid`, `usage-invalid`
 */
export async function collectDataset(
  request: CollectRequest,
  checkpoint: string | null,
  context: AddContext,
  datasetId?: DatasetId,
): Promise<DatasetEntry> {
  const kind = findWorld(request.world)
  const behaviours = behavioursOf(kind, request, checkpoint)
  const perEpisode = segmentsOfEpisode(kind, request.segmentSteps, request.perEpisode ?? Infinity)
  // Both halves begin with an episode: each is then compared with one other alone, and two can be kept on one side of a split.
  const half = Math.ceil(request.pairs / perEpisode) * perEpisode
  const set = await collectSegments(kind, behaviours, {
    segments: 2 * half,
    length: request.segmentSteps,
    seed: request.seed,
    perEpisode,
    breathe: nextTurn,
  })
  if (set.mask.some((real) => real === 0))
    throw new AppError({
      code: 'usage-invalid',
      message: `Episodes of ${kind.info.name} ended before ${request.segmentSteps} steps.`,
      hint: 'Ask for shorter segments.',
    })
  if (request.label !== 'none') set.scores.set(await scoresOf(kind, set, request))
  const how = request.label === 'none' ? 'unjudged' : `judged by ${request.label}`
  return addDataset(
    {
      ...(datasetId === undefined ? {} : { datasetId }),
      name: request.name,
      kind: 'segment-pairs',
      source: `collected in ${kind.info.id} with seed ${request.seed}: ${request.behaviour}, noise ${request.noise}, ${how}`,
      licence: null,
      question: `Which of the two is the better ${kind.info.name.toLowerCase()}?`,
      parts: pairCollected(set, request.pairs, request.label === 'none' ? null : request.label),
    },
    context,
  )
}

function behavioursOf(
  kind: WorldKind,
  { behaviour, noise, runId }: CollectRequest,
  checkpoint: string | null,
): Behaviour[] {
  const named = (name: string, policy: Policy): Behaviour => ({
    name: noise > 0 ? `${name}, noise ${noise}` : name,
    policy: eachOf(noise > 0 ? noisy(policy, noise) : policy, kind.info),
  })
  const limit = Number.isFinite(kind.info.actionLimit) ? kind.info.actionLimit : 1
  const random: Behaviour = {
    name: 'random',
    policy: eachOf((_observation, source) => kind.info.action.map(() => limit * (2 * source.uniform() - 1)), kind.info),
  }
  if (behaviour === 'random') return [random]
  if (behaviour === 'mixed') return [named('expert', kind.expert), named('weak', kind.weak), random]
  if (behaviour !== 'learned') return [named(behaviour, kind[behaviour])]
  if (checkpoint === null)
    throw new AppError({
      code: 'usage-invalid',
      message: 'A learned policy needs a run.',
      hint: 'Name a run that learned from segments of this world.',
    })
  return [named(`learned by ${runId}`, readLearnedPolicy(checkpoint, kind.info.id))]
}

/** Exact where the world has it in closed form; else with the expert's value, acted out over an episode. */
async function scoresOf(kind: WorldKind, set: CollectedSegments, { label }: CollectRequest): Promise<Float64Array> {
  if (label === 'reward') return rewardScores(set)
  if (kind.advantage !== undefined) return exactRegretScores(kind, set)
  return rollOutRegretScores(kind, set, { steps: kind.info.episodeSteps, discount: 1 }, nextTurn)
}
