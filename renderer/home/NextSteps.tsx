import type { ReactNode } from 'react'
import { Activity, ChartNoAxesCombined, SlidersHorizontal } from 'lucide-react'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { nextSteps } from './next-steps.ts'

const ICONS = { watch: Activity, train: SlidersHorizontal, compare: ChartNoAxesCombined } as const

/** Watch what runs, train where labels are, compare what is alike. */
export function NextSteps({
  datasets,
  runs,
}: {
  readonly datasets: readonly DatasetSummary[]
  readonly runs: readonly RunSummary[]
}): ReactNode {
  const steps = nextSteps(datasets, runs)
  if (steps.length === 0) return null
  return (
    <ul className="next-steps plain-list" aria-label="What can be done next">
      {steps.map(({ id, text, action, href }) => {
        const Icon = ICONS[id]
        return (
          <li key={id} className="row">
            <Icon className="icon icon-s text-3" aria-hidden="true" />
            <span className="grow small">{text}</span>
            <a className="btn btn-normal btn-small" href={`#${href}`}>
              {action}
            </a>
          </li>
        )
      })}
    </ul>
  )
}
