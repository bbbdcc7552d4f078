// What of a run's curves a comparison takes, and the mean and interval of such values.
import type { Interval } from '../../../shared/contract/comparisons.ts'
import { bootstrapMean } from '../../../shared/statistics/bootstrap.ts'
import { mean, standardDeviation, type Bounds } from '../../../shared/statistics/intervals.ts'
import { studentInterval } from '../../../shared/statistics/student.ts'
import { countedRuns, curveOf, type CompareOptions, type Curve, type RunGroup } from './comparison-groups.ts'

/** One value a run, in the group's order; null for a run that does not count or has no value there. */
export function memberValues(group: RunGroup, metric: string, options: Pick<CompareOptions, 'at'>): (number | null)[] {
  const counted = new Set(countedRuns(group))
  return group.runs.map((run) => {
    const curve = curveOf(run, metric)
    return curve === undefined || !counted.has(run) ? null : valueAt(curve, options.at, run.chosen)
  })
}

/** `last`: the last number. A step: the latest number up to it. `best`: the same up to the chosen step, the last number where none was chosen. */
export function valueAt(curve: Curve, at: CompareOptions['at'], chosen: number | null): number | null {
  const step = at === 'best' ? chosen : at === 'last' ? null : at
  return (
    curve.value.findLast((value, index) => value !== null && (curve.step[index] ?? Infinity) <= (step ?? Infinity)) ??
    null
  )
}

export function intervalOf(values: readonly number[], kind: CompareOptions['interval']): Interval {
  if (values.length === 0) return { mean: null, low: null, high: null, n: 0 }
  const center = mean(values)
  const bounds = boundsOf(values, kind)
  return { mean: center, low: bounds?.low ?? null, high: bounds?.high ?? null, n: values.length }
}

function boundsOf(values: readonly number[], kind: CompareOptions['interval']): Bounds | null {
  if (kind === 'none' || values.length < 2) return null
  if (kind === 't') return studentInterval(values)
  if (kind === 'bootstrap') return bootstrapMean(values)
  const spread = standardDeviation(values)
  return { low: mean(values) - spread, high: mean(values) + spread }
}

/** Those that are there. */
export function present(values: readonly (number | null)[] | undefined): number[] {
  return (values ?? []).filter((value) => value !== null)
}
