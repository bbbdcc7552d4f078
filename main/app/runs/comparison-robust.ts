// Of policies that act: aggregates that few runs and single lucky ones move little.
import type { Comparison } from '../../../shared/contract/comparisons.ts'
import { baseName } from '../../../shared/metric-names.ts'
import {
  improvementInterval,
  interquartileMean,
  iqmInterval,
  performanceProfile,
  probabilityOfImprovement,
} from '../../../shared/statistics/rliable.ts'
import { countedRuns, type CompareOptions, type RunGroup } from './comparison-groups.ts'
import { memberValues, present } from './comparison-values.ts'

type Robust = NonNullable<Comparison['robust']>

const THRESHOLDS = 41

/** Null for other metrics, and for runs of different data, whose returns are on different scales. */
export function robustOf(
  groups: readonly RunGroup[],
  options: Pick<CompareOptions, 'metric' | 'at' | 'baseline'>,
): Robust | null {
  if (!/^(return|success)$/.test(baseName(options.metric))) return null
  const runs = groups.flatMap((group) => countedRuns(group))
  if (new Set(runs.map(({ spec }) => spec.data.viewHash)).size !== 1) return null
  const told = groups.flatMap((group) => {
    const values = present(memberValues(group, options.metric, options))
    return values.length === 0 ? [] : [{ group, values }]
  })
  const baseline = told.find(({ group }) => group.key === options.baseline) ?? told[0]
  if (baseline === undefined) return null
  const byEpisode = runs.every(({ items }) => items !== undefined && items !== null)
  const scoresOf = ({ group, values }: (typeof told)[number]): readonly (readonly number[])[] =>
    byEpisode ? countedRuns(group).map(({ items }) => items!.values) : values.map((value) => [value]) // every run has them
  const all = told.flatMap((one) => scoresOf(one).flat())
  let [low, high] = [Infinity, -Infinity]
  for (const value of all) [low, high] = [Math.min(low, value), Math.max(high, value)]
  const thresholds = Array.from({ length: THRESHOLDS }, (_none, at) => low + ((high - low) * at) / (THRESHOLDS - 1))
  return {
    of: byEpisode ? 'episodes' : 'runs',
    thresholds,
    groups: told.map((one) => {
      const { share, low: from, high: to } = performanceProfile(scoresOf(one), thresholds)
      const bounds = iqmInterval(one.values)
      return {
        groupHash: one.group.key,
        iqm: {
          mean: interquartileMean(one.values),
          low: bounds?.low ?? null,
          high: bounds?.high ?? null,
          n: one.values.length,
        },
        share: [...share],
        low: [...from],
        high: [...to],
      }
    }),
    improvements: told.flatMap((one) => {
      if (one === baseline) return []
      const bounds = improvementInterval(one.values, baseline.values)
      return [
        {
          groupHash: one.group.key,
          baseline: baseline.group.key,
          probability: probabilityOfImprovement(one.values, baseline.values),
          low: bounds?.low ?? null,
          high: bounds?.high ?? null,
        },
      ]
    }),
  }
}
