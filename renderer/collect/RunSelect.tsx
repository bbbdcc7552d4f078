import type { ReactNode } from 'react'
import { useCall } from '../api/queries.ts'

interface RunSelectProps {
  readonly id: string
  readonly 'aria-describedby': string
  readonly 'aria-invalid': true | undefined
  readonly text: string
  onChange(runId: string): void
}

/** Runs whose policy acts. */
export function RunSelect({ text, onChange, ...control }: RunSelectProps): ReactNode {
  const methods = useCall('algorithms.list', {}).data ?? []
  const acting = new Set(methods.filter((one) => one.data === 'segment-pairs').map((one) => one.id))
  const runs = (useCall('runs.list', {}).data ?? []).filter((run) => acting.has(run.method) && run.step > 0)
  return (
    <select {...control} className="select" value={text} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{runs.length === 0 ? 'no run has a policy that acts yet' : 'choose a run'}</option>
      {runs.map((run) => (
        <option key={run.runId} value={run.runId}>
          {run.name}, seed {run.seed} · {run.datasetName}
        </option>
      ))}
    </select>
  )
}
