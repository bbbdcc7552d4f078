import { extraRecord, itemRow, type SplitName } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'
import { episodeGroup, segmentPair, type Segment } from '../../../../shared/segment-pair.ts'
import type { SegmentSet } from '../../../../shared/segments.ts'
import { readViewLines } from '../view-lines.ts'

export interface SegmentData {
  /** Id of the world that all segments come from; null where it is not named. */
  readonly world: string | null
  readonly sets: Readonly<Record<SplitName, SegmentSet>>
}

interface Pair {
  readonly a: Segment
  readonly b: Segment
  readonly world: string | null
  /** P(a preferred over b); null where nobody judged. */
  readonly preferenceA: number | null
  /** Shared by pairs of the same episodes. */
  readonly group: string
}

/**
 * Segments of a frozen view, by side of the split. Shorter ones are padded to the longest.
 * @throws AppError `file-not-found`, `dataset-invalid` for another file than the run was made for, or for segments that do not go together
 */
export async function readSegments(viewPath: string, viewHash: string): Promise<SegmentData> {
  const sides: Readonly<Record<SplitName, Pair[]>> = { train: [], validation: [], test: [] }
  await readViewLines(viewPath, viewHash, (value, misfit) => {
    if (extraRecord.safeParse(value).success) return
    const row = itemRow.safeParse(value)
    const pair = segmentPair.safeParse(row.data?.data)
    if (!row.success || !pair.success) throw misfit((row.error ?? pair.error)!) // one of the two failed
    sides[row.data.split].push({
      ...pair.data,
      preferenceA: row.data.preferenceA,
      group: episodeGroup(pair.data) ?? row.data.pairId,
    })
  })
  const sizes = sizesOf(Object.values(sides).flat())
  return {
    world: sizes.world,
    sets: {
      train: packSide(sides.train, sizes),
      validation: packSide(sides.validation, sizes),
      test: packSide(sides.test, sizes),
    },
  }
}

interface Sizes {
  readonly world: string | null
  readonly time: number
  readonly observation: number
  readonly action: number
}

function sizesOf(pairs: readonly Pair[]): Sizes {
  const segments = pairs.flatMap(({ a, b }) => [a, b])
  const first = segments[0]
  if (first === undefined)
    throw new AppError({
      code: 'dataset-invalid',
      message: 'The run has no segments.',
      hint: 'Start the run again from its request.',
    })
  const [observation, action] = [first.observations[0]!.length, first.actions[0]!.length]
  const worlds = new Set(pairs.map((pair) => pair.world))
  if (segments.some((one) => one.observations[0]!.length !== observation || one.actions[0]!.length !== action))
    throw new AppError({
      code: 'dataset-invalid',
      message: 'The segments have observations or actions of different sizes.',
      hint: 'Keep the segments of each world in a data set of their own.',
    })
  return {
    world: worlds.size === 1 ? [...worlds][0]! : null,
    time: Math.max(...segments.map((one) => one.observations.length)),
    observation,
    action,
  }
}

/** Pair i becomes segments i and i + pairs, as in CPL's own files. */
function packSide(pairs: readonly Pair[], { world, time, observation, action }: Sizes): SegmentSet {
  const count = 2 * pairs.length
  const set = {
    world: world ?? '',
    count,
    time,
    observationSize: observation,
    actionSize: action,
    observations: new Float32Array(count * time * observation),
    actions: new Float32Array(count * time * action),
    rewards: new Float32Array(count * time),
    mask: new Float32Array(count * time),
    scores: new Float64Array(count).fill(NaN),
  }
  for (const [index, one] of [...pairs.map(({ a }) => a), ...pairs.map(({ b }) => b)].entries()) {
    one.observations.forEach((row, t) => set.observations.set(row, (index * time + t) * observation))
    one.actions.forEach((row, t) => set.actions.set(row, (index * time + t) * action))
    set.rewards.set(one.rewards, index * time)
    set.mask.fill(1, index * time, index * time + one.observations.length)
    set.scores[index] = one.score ?? NaN
  }
  const judged = pairs.flatMap(({ preferenceA }, pair) =>
    preferenceA === null ? [] : [{ pair, secondPreferred: 1 - preferenceA }],
  )
  return {
    ...set,
    groups: pairs.map(({ group }) => group),
    comparisons: {
      first: Int32Array.from(judged, ({ pair }) => pair),
      second: Int32Array.from(judged, ({ pair }) => pair + pairs.length),
      secondPreferred: Float32Array.from(judged, ({ secondPreferred }) => secondPreferred),
    },
  }
}
