import type { SegmentSet } from '../../../../shared/segments.ts'
import type { Pairing, SegmentBatch } from './control.ts'
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'

/**
 * Draws pairs with replacement, as the official code does. `rank`, `dense` and `any` take any two segments of the
 * pool and order them by score; `comparison` takes judged pairs.
 * @throws RangeError where the set has no judged pairs, or no segment is left
 */
export function drawPairs(
  set: SegmentSet,
  pairing: Pairing,
  pool: Int32Array | null,
  pairs: number,
  random: Random,
): { readonly segments: Int32Array; readonly labels: number[] } {
  if (pairing === 'comparison') {
    const judged = set.comparisons?.first.length ?? 0
    return takePairs(
      set,
      Array.from({ length: pairs }, () => random.int(Math.max(1, judged))),
    )
  }
  const segments = new Int32Array(2 * pairs)
  const size = pool?.length ?? set.count
  if (size === 0) throw new RangeError('there is no segment to learn from')
  for (let at = 0; at < segments.length; at += 1)
    segments[at] = pool === null ? random.int(size) : pool[random.int(size)]!
  return {
    segments,
    labels: Array.from({ length: pairs }, (_, pair) =>
      labelOf(set.scores[segments[pair]!]!, set.scores[segments[pairs + pair]!]!),
    ),
  }
}

/** Judged pairs by their numbers. @throws RangeError where there is no such pair */
export function takePairs(
  { comparisons }: SegmentSet,
  judged: readonly number[],
): { readonly segments: Int32Array; readonly labels: number[] } {
  const segments = new Int32Array(2 * judged.length)
  const labels = judged.map((number, pair) => {
    const label = comparisons?.secondPreferred[number]
    if (comparisons == null || label === undefined) throw new RangeError('this set has no judged pairs')
    segments[pair] = comparisons.first[number]!
    segments[judged.length + pair] = comparisons.second[number]!
    return label
  })
  return { segments, labels }
}

/** P(second preferred) by score: 1, 0, or ½ for a tie and where a score is missing. */
function labelOf(first: number, second: number): number {
  if (second > first) return 1
  return first > second ? 0 : 0.5
}

/** Copies the segments of a drawn batch into tensors; the caller disposes of them by `disposeSegmentBatch`. */
export function segmentBatch(set: SegmentSet, segments: Int32Array, labels: readonly number[]): SegmentBatch {
  const { time, observationSize, actionSize } = set
  const rows = segments.length
  const gather = (source: Float32Array, width: number): Float32Array => {
    const target = new Float32Array(rows * width)
    segments.forEach((segment, row) => target.set(source.subarray(segment * width, (segment + 1) * width), row * width))
    return target
  }
  const mask = gather(set.mask, time)
  return {
    kind: 'segments',
    pairs: labels.length,
    time,
    observations: tf.tensor2d(gather(set.observations, time * observationSize), [rows * time, observationSize]),
    actions: tf.tensor2d(gather(set.actions, time * actionSize), [rows * time, actionSize]),
    mask: tf.tensor2d(mask, [rows, time]),
    secondPreferred: tf.tensor1d([...labels]),
    labels,
    scores: Array.from(segments, (segment) => set.scores[segment]!),
    steps: mask.reduce((sum, value) => sum + value, 0),
  }
}

export function disposeSegmentBatch({ observations, actions, mask, secondPreferred }: SegmentBatch): void {
  tf.dispose([observations, actions, mask, secondPreferred])
}

/** The best share of all segments by a number, at least one; equal ones by position. */
export function topSegments(values: ArrayLike<number>, share: number): Int32Array {
  const order = Array.from(values, (_, at) => at).sort((a, b) => values[b]! - values[a]! || a - b)
  return Int32Array.from(order.slice(0, Math.max(1, Math.round(share * order.length))))
}
