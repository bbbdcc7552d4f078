// What a difference item by item says, beside the one over seeds.
import { baseName, isRankingMeasure } from '../../../shared/metric-names.ts'
import { formatCount } from '../../../shared/units.ts'
import type { ItemsDifference } from './comparison-items.ts'

/** What a metric is measured on, and what such items have in common. */
export function itemNouns(metric: string): { readonly items: string; readonly groups: string } {
  const name = baseName(metric)
  if (name === 'return' || name === 'success') return { items: 'episodes', groups: 'episodes' }
  if (name.startsWith('rollout/')) return { items: 'prompts', groups: 'prompts' }
  if (name.startsWith('embed/')) return { items: 'triplets', groups: 'queries' }
  if (name.startsWith('preferences/')) return { items: 'pairs of segments', groups: 'episodes' }
  if (name.startsWith('judged/')) return { items: 'answers', groups: 'prompts' }
  if (isRankingMeasure(name)) return { items: 'queries', groups: 'queries' }
  return { items: 'pairs', groups: 'prompts' }
}

/**
 * One or two sentences that say what the interval covers.
 * @param amount difference with its interval, as the page says it
 * @param told whether the seeds alone carry a verdict   @param still whether no seed changes either of the two
 */
export function itemsInWords(
  found: ItemsDifference,
  metric: string,
  amount: string,
  p: string,
  { told, still }: { readonly told: boolean; readonly still: boolean },
): string {
  const { items, groups } = itemNouns(metric)
  const of = items === groups ? '' : ` of ${formatCount(found.clusters)} ${groups}`
  const these = `${formatCount(found.items)} held-out ${items}${of}`
  const includes = found.low <= 0 && found.high >= 0
  const chance =
    !includes && found.adjustedP >= 0.05
      ? ': its interval alone excludes 0, and among all comparisons shown that is no more than chance would give'
      : ''
  const more =
    found.clustersToTell === null || found.clustersToTell <= found.clusters
      ? ''
      : ` With ${found.overSeeds ? 'such seeds' : 'these two runs'}, about ${formatCount(found.clustersToTell)} ${groups} could tell it in four of five repeats.`
  if (still)
    return `Paired over ${these}, the difference is ${amount}, ${p}${includes ? ', and 0 is in the interval' : chance}.`
  if (!found.overSeeds)
    return `Between these runs alone, paired over ${these}, the difference is ${amount}, ${p}${includes ? ', and 0 is in the interval' : chance}${chance === '' ? ': it' : '. It'} says nothing of other seeds.${more}`
  const also = `Taking the ${these} as drawn from more of their kind, as the seeds are, the difference is ${amount}, ${p}`
  if (chance !== '') return `${also}${chance}.`
  if (!includes)
    return told
      ? `${also}: it reaches beyond these ${items}.`
      : `${also}: this interval excludes 0, where that over the seeds alone does not.`
  return `${also}, and 0 is in the interval: ${told ? `the verdict is about these ${items}, and not yet about others` : `other ${items} could turn it either way`}.${more}`
}
