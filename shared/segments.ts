/** Pieces of behaviour of one length, packed: step t of segment i begins at (i · time + t) · size. */
export interface SegmentSet {
  /** Of which world: its id. */
  readonly world: string
  readonly count: number
  /** Steps of each segment. */
  readonly time: number
  readonly observationSize: number
  readonly actionSize: number
  /** [segment, time, observation] */
  readonly observations: Float32Array
  /** As they were carried out, after cutting [segment, time, action] */
  readonly actions: Float32Array
  /** [segment, time] */
  readonly rewards: Float32Array
  /** 1 on real steps, 0 on padding behind the end of an episode [segment, time] */
  readonly mask: Float32Array
  /** By which segments are compared, greater is better; NaN where nobody scored [segment] */
  readonly scores: Float64Array
  /** Of what pairs that are packed one behind the other have in common: their episodes [pair] */
  readonly groups?: readonly string[]
  /** Judged pairs, where there are any. */
  readonly comparisons?: Comparisons | null
}

/** Added to a run's seed: where its evaluations begin, which is not where data are collected. */
export const ROLL_OUT_SEED = 1_000_000

export interface Comparisons {
  /** Segment numbers [pair] */
  readonly first: Int32Array
  readonly second: Int32Array
  /** P(second preferred): 1, 0, ½ for a tie, in between where annotators differ [pair] */
  readonly secondPreferred: Float32Array
}

/** Sum of rewards over the real steps of each segment [segment] */
export function segmentReturns({ count, time, rewards, mask }: SegmentSet): Float64Array {
  return Float64Array.from({ length: count }, (_, segment) => {
    let sum = 0
    for (let t = segment * time; t < (segment + 1) * time; t += 1) if (mask[t]! > 0) sum += rewards[t]!
    return sum
  })
}
