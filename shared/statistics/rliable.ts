// Aggregates for few runs (Agarwal et al. 2021, “Deep reinforcement learning at the edge of the statistical precipice”, 2108.13264): the
// interquartile mean, the probability of improvement and performance profiles, with intervals by resampling runs.
import { percentileInterval, resampleIndices } from './bootstrap.ts'
import { mean, type Bounds } from './intervals.ts'

const RESAMPLES = 2000

/** Mean of what is left when a quarter of the values is cut at either end, whole values at a time, as scipy.stats.trim_mean cuts. */
export function interquartileMean(values: readonly number[]): number {
  const cut = Math.floor(0.25 * values.length)
  return mean(values.toSorted((a, b) => a - b).slice(cut, values.length - cut))
}

export function iqmInterval(values: readonly number[]): Bounds | null {
  if (values.length < 2) return null
  const draws = resampleIndices(values.length, RESAMPLES)
  return percentileInterval(draws.map((row) => interquartileMean(row.map((at) => values[at]!))))
}

/** P(X > Y) for a run of each, ties one half: Mann and Whitney's U over all pairs. NaN without a run. */
export function probabilityOfImprovement(ours: readonly number[], theirs: readonly number[]): number {
  let sum = 0
  for (const one of ours) for (const other of theirs) sum += one > other ? 1 : one === other ? 0.5 : 0
  return sum / (ours.length * theirs.length)
}

/** Both resampled, each on its own; null with fewer than two runs on a side. */
export function improvementInterval(ours: readonly number[], theirs: readonly number[]): Bounds | null {
  if (ours.length < 2 || theirs.length < 2) return null
  const [first, second] = [resampleIndices(ours.length, RESAMPLES, 1), resampleIndices(theirs.length, RESAMPLES, 2)]
  return percentileInterval(
    first.map((row, draw) =>
      probabilityOfImprovement(
        row.map((at) => ours[at]!),
        second[draw]!.map((at) => theirs[at]!),
      ),
    ),
  )
}

export interface Profile {
  /** Share of the scores above each threshold. */
  readonly share: readonly number[]
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** @param runs scores of each run: its episodes, or its one value   @param thresholds rising */
export function performanceProfile(runs: readonly (readonly number[])[], thresholds: readonly number[]): Profile {
  const above = runs.map((scores) =>
    thresholds.map((at) => scores.filter((score) => score > at).length / scores.length),
  )
  const share = thresholds.map((_at, index) => mean(above.map((own) => own[index]!)))
  if (runs.length < 2) return { share, low: share, high: share }
  const draws = resampleIndices(runs.length, 500)
  const bounds = thresholds.map((_at, index) =>
    percentileInterval(draws.map((row) => mean(row.map((run) => above[run]![index]!)))),
  )
  return { share, low: bounds.map(({ low }) => low), high: bounds.map(({ high }) => high) }
}
