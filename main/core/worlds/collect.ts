import { segmentsPerEpisode } from '../../../shared/collecting.ts'
import type { SegmentSet } from '../../../shared/segments.ts'
import { createRandom, type Random } from '../learn/random.ts'
import type { World, WorldKind, WorldState } from './define.ts'
import { stepTogether, type BatchPolicy } from './roll-out.ts'

/** Actions stay this far inside their limit, as in CPL's data: a squashed policy cannot reach the limit itself. */
const ACTION_MARGIN = 1e-5
/** Worlds that act side by side. */
const MOST_WORLDS = 32

export interface Behaviour {
  readonly name: string
  readonly policy: BatchPolicy
}

/** Segments, and what is needed to draw, to label and to repeat them. */
export interface CollectedSegments extends SegmentSet {
  readonly qposSize: number
  /** Before each step, all that is needed to draw it [segment, time, qpos] */
  readonly qpos: Float32Array
  /** Of the world before the first and before the last step [segment] */
  readonly firstStates: readonly WorldState[]
  readonly lastStates: readonly WorldState[]
  /** Who acted [segment] */
  readonly behaviours: readonly string[]
  /** Seed of the collection, and which episode of it [segment] */
  readonly seed: number
  readonly episodes: readonly number[]
}

export interface CollectOptions {
  readonly segments: number
  /** Steps of each. */
  readonly length: number
  readonly seed: number
  /** Segments of an episode, from its start; as many as it holds where absent. */
  readonly perEpisode?: number
  /** Called between pieces of work. @param acted steps so far */
  breathe?(acted: number): Promise<void>
}

/**
 * Episodes cut into segments, one behind the other; the behaviours take turns. An episode that ends inside a segment
 * leaves it padded. The same seed gives the same segments.
 */
export async function collectSegments(
  kind: WorldKind,
  behaviours: readonly Behaviour[],
  { segments, length, seed, perEpisode: wanted = Infinity, breathe }: CollectOptions,
): Promise<CollectedSegments> {
  const perEpisode = segmentsPerEpisode(kind.info.episodeSteps, length, wanted)
  const set = emptySet(kind, segments, length, seed)
  const episodes = Math.ceil(segments / perEpisode)
  const each = Math.ceil(episodes / behaviours.length)
  for (let start = 0; start < episodes;) {
    const behaviour = Math.floor(start / each)
    const worlds = Math.min(MOST_WORLDS, episodes - start, (behaviour + 1) * each - start)
    const before = start * perEpisode * length
    await playEpisodes(kind, behaviours[behaviour]!, set, start, worlds, perEpisode, (acted) =>
      breathe?.(before + acted),
    )
    start += worlds
  }
  return set
}

function emptySet({ info }: WorldKind, count: number, time: number, seed: number): CollectedSegments {
  const [observationSize, actionSize, qposSize] = [info.observation.length, info.action.length, info.qposSize]
  const steps = count * time
  return {
    world: info.id,
    count,
    time,
    observationSize,
    actionSize,
    qposSize,
    observations: new Float32Array(steps * observationSize),
    actions: new Float32Array(steps * actionSize),
    rewards: new Float32Array(steps),
    mask: new Float32Array(steps),
    qpos: new Float32Array(steps * qposSize),
    scores: new Float64Array(count).fill(NaN),
    firstStates: [],
    lastStates: [],
    behaviours: [],
    seed,
    episodes: [],
  }
}

async function playEpisodes(
  kind: WorldKind,
  behaviour: Behaviour,
  set: CollectedSegments,
  start: number,
  count: number,
  perEpisode: number,
  breathe: (acted: number) => Promise<void> | undefined,
): Promise<void> {
  const worlds: World[] = []
  try {
    for (let world = 0; world < count; world += 1) worlds.push(await kind.open())
    const randoms = worlds.map((_, world) => createRandom(set.seed).fork(`collect ${start + world}`))
    worlds.forEach((world, at) => world.reset(randoms[at]!))
    const ended = worlds.map(() => false)
    for (let step = 0; step < perEpisode * set.time; step += 1) {
      await playStep({ kind, behaviour, set, start, perEpisode, worlds, randoms, ended }, step)
      await breathe((step + 1) * count)
    }
  } finally {
    for (const world of worlds) world.dispose()
  }
}

interface Play {
  readonly kind: WorldKind
  readonly behaviour: Behaviour
  readonly set: CollectedSegments
  readonly start: number
  readonly perEpisode: number
  readonly worlds: readonly World[]
  readonly randoms: readonly Random[]
  readonly ended: boolean[]
}

async function playStep(
  { kind, behaviour, set, start, perEpisode, worlds, randoms, ended }: Play,
  step: number,
): Promise<void> {
  const t = step % set.time
  const segmentOf = (world: number): number => (start + world) * perEpisode + Math.floor(step / set.time)
  worlds.forEach((world, at) => {
    const segment = segmentOf(at)
    if (segment >= set.count) return
    const row = segment * set.time + t
    set.observations.set(world.observe(), row * set.observationSize)
    set.qpos.set(world.qpos(), row * set.qposSize)
    noteState(set, segment, t, world, behaviour.name, start + at)
  })
  const limit = kind.info.actionLimit - ACTION_MARGIN
  const cut: BatchPolicy = async (...given) =>
    Float64Array.from(await behaviour.policy(...given), (value) => Math.min(limit, Math.max(-limit, value)))
  await stepTogether(worlds, cut, randoms, (at, result, action) => {
    const segment = segmentOf(at)
    if (segment >= set.count || ended[at]) return
    const row = segment * set.time + t
    set.actions.set(action, row * set.actionSize)
    set.rewards[row] = result.reward
    set.mask[row] = 1
    ended[at] = result.done
  })
}

function noteState(
  set: CollectedSegments,
  segment: number,
  t: number,
  world: World,
  behaviour: string,
  episode: number,
): void {
  const [firstStates, lastStates] = [set.firstStates as WorldState[], set.lastStates as WorldState[]] // ours until it is given out
  if (t === 0) {
    firstStates[segment] = world.save()
    ;(set.behaviours as string[])[segment] = behaviour
    ;(set.episodes as number[])[segment] = episode
  }
  if (t === set.time - 1) lastStates[segment] = world.save()
}
