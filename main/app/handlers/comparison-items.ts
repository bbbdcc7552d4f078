import type { Output } from '../../../shared/contract.ts'
import { AppError } from '../../../shared/errors.ts'
import { describeMetric, lowerFirst } from '../../../shared/metric-names.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import { whyNotComparable } from '../runs/comparison-basis.ts'
import { groupRuns, type ComparedRun, type CompareOptions } from '../runs/comparison-groups.ts'
import { itemsDifference, sameItems, type SameItems } from '../runs/comparison-items.ts'
import { findTitles } from '../store/items.ts'
import type { ReadableDb } from '../store/open.ts'

type Compared = Output<'comparisons.items'>

/** Items that one answer holds. */
const MOST_ITEMS = 2000
/** Items at either end that have their titles: nobody reads those in between. */
const TITLED = 100

/** @throws AppError `input-invalid` where there are not two configurations, or they have no items in common */
export function compareItems(
  db: ReadableDb,
  runs: readonly ComparedRun[],
  options: CompareOptions,
  groupHash: string | null,
): Compared {
  const groups = groupRuns(runs, options.groupBy)
  const baseline = groups.find(({ key }) => key === options.baseline) ?? groups[0]
  const group = groups.find(({ key }) => key === groupHash) ?? groups.find((one) => one !== baseline)
  if (baseline === undefined || group === undefined || group === baseline)
    throw new AppError({
      code: 'input-invalid',
      message: 'Item by item, one configuration is set against another, and there is one here.',
      hint: 'Choose runs of two configurations.',
    })
  const whyNot = whyNotComparable(group, baseline, options)
  const said = lowerFirst(describeMetric(options.metric, options.infos ?? []).label)
  const same = whyNot === null ? sameItems(group, baseline, options.metric) : null
  if (same === null)
    throw new AppError({
      code: 'input-invalid',
      message:
        whyNot === null
          ? `These runs have no ${said} of the same held-out items.`
          : `These runs cannot be set against each other by ${said}: ${whyNot}.`,
      hint:
        whyNot === null
          ? 'Items are kept at the end of a run, for accuracies, margins, rewards, returns and measures of rankings; runs of earlier versions have none.'
          : 'Choose another metric, or runs of the same data.',
    })
  return {
    metric: options.metric,
    group: group.key,
    baseline: baseline.key,
    difference: itemsDifference(same),
    ...describe(same, (ids) => findTitles(db, group.runs[0]!.summary.datasetId, ids)), // a group has a run
  }
}

function describe(
  { ids, items, ours, theirs }: SameItems,
  titlesOf: (ids: readonly string[]) => ReadonlyMap<string, string>,
): Pick<Compared, 'means' | 'better' | 'worse' | 'equal' | 'total' | 'items'> {
  const overSeeds = (rows: SameItems['ours'], item: number): number => mean(rows.map((row) => row[item]!))
  const all = ids
    .map((id, item) => ({
      id,
      group: overSeeds(ours, item),
      baseline: overSeeds(theirs, item),
      weight: items[item]!.weight,
    }))
    .toSorted((a, b) => b.group - b.baseline - (a.group - a.baseline) || (a.id < b.id ? -1 : 1))
  const weight = all.reduce((sum, one) => sum + one.weight, 0)
  const shown =
    all.length <= MOST_ITEMS
      ? all
      : Array.from({ length: MOST_ITEMS }, (_none, at) => all[Math.round((at * (all.length - 1)) / (MOST_ITEMS - 1))]!)
  const ends = [...shown.slice(0, TITLED), ...shown.slice(TITLED).slice(-TITLED)].map(({ id }) => id)
  const titles = titlesOf(ends)
  const better = all.filter((one) => one.group > one.baseline).length
  const worse = all.filter((one) => one.group < one.baseline).length
  return {
    means: {
      group: all.reduce((sum, one) => sum + one.weight * one.group, 0) / weight,
      baseline: all.reduce((sum, one) => sum + one.weight * one.baseline, 0) / weight,
    },
    better,
    worse,
    equal: all.length - better - worse,
    total: all.length,
    items: shown.map(({ id, group, baseline }) => ({ id, title: titles.get(id) ?? null, group, baseline })),
  }
}
