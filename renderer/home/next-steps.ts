// What can be done next with what is there, beside labeling: watch, train, compare.
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { isLive } from '../../shared/domain.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { baseName } from '../../shared/metric-names.ts'
import { formatCount } from '../../shared/units.ts'

export interface NextStep {
  readonly id: 'watch' | 'train' | 'compare'
  readonly text: string
  readonly action: string
  readonly href: string
}

/** Whether something can be learned from a data set as it is: what people label needs labels. */
export function canTrainOn({ kind, labelCount }: Pick<DatasetSummary, 'kind' | 'labelCount'>): boolean {
  return !KIND_WORDS[kind].labeled || labelCount > 0
}

/** Finished runs that answer one question: the same data, the same kind of metric. Those of the newest run that has company. @param runs the newest first */
export function findFamily(runs: readonly RunSummary[]): readonly RunSummary[] {
  const families = new Map<string, RunSummary[]>()
  for (const run of runs) {
    if (run.state !== 'finished' || run.mainMetric === null) continue
    const key = JSON.stringify([run.datasetId, baseName(run.mainMetric)])
    families.set(key, [...(families.get(key) ?? []), run])
  }
  return [...families.values()].find((family) => family.length > 1) ?? []
}

/** @param datasets and runs, the newest first */
export function nextSteps(datasets: readonly DatasetSummary[], runs: readonly RunSummary[]): readonly NextStep[] {
  const live = runs.filter((run) => isLive(run.state))
  const queued = runs.filter((run) => run.state === 'queued').length
  const trained = new Set(runs.map((run) => run.datasetId))
  const trainable = datasets.filter(canTrainOn)
  const untried = trainable.find((dataset) => !trained.has(dataset.datasetId))
  const data = untried ?? trainable[0]
  const family = findFamily(runs)
  return [
    ...(live[0] === undefined
      ? []
      : [
          {
            id: 'watch',
            text: `${live.length === 1 ? `${live[0].name} is` : `${formatCount(live.length)} runs are`} training${queued === 0 ? '' : `, ${formatCount(queued)} ${queued === 1 ? 'waits' : 'wait'}`}.`,
            action: 'Watch',
            href: live.length === 1 ? `/runs/${live[0].runId}` : '/runs',
          } as const,
        ]),
    ...(data === undefined
      ? []
      : [
          {
            id: 'train',
            text: `${data.name}: ${describeSupply(data)}${untried === undefined ? '.' : ', and no run yet.'}`,
            action: 'Train',
            href: `/train?data=${data.datasetId}`,
          } as const,
        ]),
    ...(family[0] === undefined
      ? []
      : [
          {
            id: 'compare',
            text: `${formatCount(family.length)} finished runs on ${family[0].datasetName} are measured alike.`,
            action: 'Compare',
            href: `/compare?runs=${family.map((run) => run.runId).join(',')}`,
          } as const,
        ]),
  ]
}

function describeSupply({ kind, itemCount, labeledCount }: DatasetSummary): string {
  const { items, labeled } = KIND_WORDS[kind]
  return labeled ? `${formatCount(labeledCount)} labeled ${items}` : `${formatCount(itemCount)} ${items}`
}
