// Runs of no step measure what is there already: a row to compare with.
import { countedRuns, type ComparedRun, type RunGroup } from './comparison-groups.ts'

export function isUntrained({ spec }: Pick<ComparedRun, 'spec'>): boolean {
  return spec.training.steps === 0
}

/**
 * Whether a group's values are the same whatever the seed: nothing was trained, no weight was drawn, and what the metric is
 * measured on is not drawn either. Then one run of it stands against every seed of another group.
 */
export function isSameForEverySeed(group: RunGroup, metric: string): boolean {
  const runs = countedRuns(group)
  return runs.length > 0 && !DRAWN.test(metric) && runs.every((run) => isUntrained(run) && startsAlike(run))
}

/** Completions that are sampled, episodes that are played. */
const DRAWN = /(^|\/)(rollout|return|success)(\/|_|$)/

/** Weights from elsewhere, without a head that is new; or none at all. */
function startsAlike({ spec, page }: ComparedRun): boolean {
  if (page?.learns === false) return true
  const { kind } = spec.model
  return (
    (kind === 'registered' || kind === 'run') &&
    page?.role !== 'reward-model' &&
    spec.config['scorer'] !== 'cross-encoder'
  )
}
