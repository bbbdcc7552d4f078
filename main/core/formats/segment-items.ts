// Segments, wherever they come from, as items of a data set of kind `segment-pairs`.
import { episodeGroup, type Segment, type SegmentPair } from '../../../shared/segment-pair.ts'
import type { CollectedSegments } from '../worlds/collect.ts'
import type { SplitName } from '../../../shared/data-kinds.ts'
import type { NewItem, NewPart } from './parsed-rows.ts'

export interface SegmentItem {
  readonly pairId: string
  /** Line of a text file or number of the pair, from 1. */
  readonly line: number
  readonly pair: SegmentPair
  /** P(b preferred over a): 1, 0 or ½; null where nobody says. */
  readonly secondPreferred: number | null
  /** Who says so. */
  readonly judge: string
  /** In place of both, where the source has the labels one by one. */
  readonly labels?: NewItem['labels']
  /** The side that the source gives; null or left out where it gives none. */
  readonly split?: SplitName | null
}

/** Both segments are shown under one title; pairs of the same episodes stay together in a split. */
export function toPart({ pairId, line, pair, secondPreferred, judge, labels, split = null }: SegmentItem): NewPart {
  const steps = pair.a.observations.length
  return {
    item: {
      pairId,
      line,
      group: episodeGroup(pair) ?? pairId,
      title: `${pair.world ?? 'segments'} ${line}: ${steps} steps`,
      split,
      data: pair,
      labels:
        labels ??
        (secondPreferred === null
          ? []
          : [
              {
                annotator: judge,
                outcome: secondPreferred > 0.5 ? 'b' : secondPreferred < 0.5 ? 'a' : 'tie',
                strength: null,
              },
            ]),
    },
  }
}

/** P(second preferred) by scores; null where one is missing. */
export function preferenceOf(first: number | null, second: number | null): number | null {
  if (first === null || second === null) return null
  return second > first ? 1 : second < first ? 0 : 0.5
}

/** Segment i against segment i + half of all, as in CPL's files. @param pairs the first so many   @param judge null leaves the pairs unjudged */
export function* pairCollected(set: CollectedSegments, pairs: number, judge: string | null): Generator<NewPart> {
  const half = Math.floor(set.count / 2)
  for (let pair = 0; pair < Math.min(pairs, half); pair += 1) {
    const [a, b] = [collectedSegment(set, pair), collectedSegment(set, pair + half)]
    yield toPart({
      pairId: `pair-${pair + 1}`,
      line: pair + 1,
      pair: { world: set.world, a, b },
      secondPreferred: judge === null ? null : preferenceOf(a.score, b.score),
      judge: judge ?? '',
    })
  }
}

function collectedSegment(set: CollectedSegments, index: number): Segment {
  const time = set.mask.subarray(index * set.time, (index + 1) * set.time).reduce((sum, real) => sum + real, 0)
  const rows = (data: Float32Array, size: number): number[][] =>
    Array.from({ length: time }, (_, t) =>
      Array.from(data.subarray((index * set.time + t) * size, (index * set.time + t + 1) * size), shorten),
    )
  const score = set.scores[index]!
  return {
    observations: rows(set.observations, set.observationSize),
    actions: rows(set.actions, set.actionSize),
    rewards: Array.from(set.rewards.subarray(index * set.time, index * set.time + time), shorten),
    qpos: rows(set.qpos, set.qposSize),
    score: Number.isNaN(score) ? null : score,
    behaviour: set.behaviours[index]!,
    origin: { seed: set.seed, episode: set.episodes[index]! },
  }
}

/** The fewest digits that give the same single-precision number again. */
export function shorten(value: number): number {
  for (let digits = 6; digits <= 9; digits += 1) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return value
}
