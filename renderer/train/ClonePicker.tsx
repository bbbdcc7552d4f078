import { useState, type ReactNode } from 'react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'
import { RunSwatch } from '../parts/RunSwatch.tsx'

const SHOWN_AT_MOST = 100

/** Chooses the run whose settings the form takes. */
export function ClonePicker({
  runs,
  onChoose,
  onClose,
}: {
  readonly runs: readonly RunSummary[]
  onChoose(runId: string): void
  onClose(): void
}): ReactNode {
  const [search, setSearch] = useState('')
  const words = search.toLowerCase()
  const found = runs.filter((run) => `${run.name} ${run.methodName} ${run.datasetName}`.toLowerCase().includes(words))
  const shown = found.slice(0, SHOWN_AT_MOST)
  return (
    <Dialog title="Clone a run" width={620} onClose={onClose}>
      <input
        type="search"
        className="input clone-search"
        aria-label="Search the runs"
        placeholder="Search the runs"
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <ul className="clone-list">
        {shown.map((run) => (
          <li key={run.runId}>
            <button type="button" onClick={() => onChoose(run.runId)}>
              <RunSwatch runId={run.runId} groupHash={run.groupHash} />
              <span className="mono ellipsis grow">{run.name}</span>
              <span className="text-2">{run.methodName}</span>
              <StatusMark run={run} />
              <span className="text-3">
                <RelativeTime atMs={run.createdAtMs} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {found.length > shown.length ? (
        <p className="text-3 small">
          {shown.length} of {found.length} shown; search to find the others.
        </p>
      ) : null}
      {shown.length === 0 ? (
        <p className="text-3 small">{runs.length === 0 ? 'There is no run yet.' : 'No run has these words.'}</p>
      ) : null}
    </Dialog>
  )
}
