import type { Curves } from '../../renderer/run/run-series.ts'

/** Curves in the order of their names, to be compared point for point. */
export function everyPoint(curves: Curves): object {
  return Object.fromEntries([...curves].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
