import { useState, type ReactNode } from 'react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { Button } from '../parts/Button.tsx'
import { formatNumber } from '../../shared/units.ts'
import { MainMetric } from '../parts/MainMetric.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { RunSwatch } from '../parts/RunSwatch.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'

interface RunChooserProps {
  readonly runs: readonly RunSummary[]
  readonly initial: readonly string[]
  onCompare(runIds: readonly string[]): void
}

const MOST = 500

/** The runs to compare, found by data set, method and words. */
export function RunChooser({ runs, initial, onCompare }: RunChooserProps): ReactNode {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(initial))
  const [dataset, setDataset] = useState('')
  const [method, setMethod] = useState('')
  const [search, setSearch] = useState('')
  const words = search.toLowerCase()
  const shown = runs.filter(
    (run) =>
      (dataset === '' || run.datasetId === dataset) &&
      (method === '' || run.method === method) &&
      `${run.name} ${run.note}`.toLowerCase().includes(words),
  )
  const toggle = (runId: string): void => {
    const next = new Set(chosen)
    if (!next.delete(runId)) next.add(runId)
    setChosen(next)
  }
  const allShown = shown.length > 0 && shown.every((run) => chosen.has(run.runId))
  return (
    <div className="chooser">
      <div className="row wrap">
        <FilterSelect
          label="Data set"
          value={dataset}
          onChange={setDataset}
          options={runs.map((run) => [run.datasetId, run.datasetName])}
          all="all data sets"
        />
        <FilterSelect
          label="Method"
          value={method}
          onChange={setMethod}
          options={runs.map((run) => [run.method, run.methodName])}
          all="all methods"
        />
        <input
          type="search"
          className="input grow"
          aria-label="Search names and notes"
          placeholder="Search names and notes"
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Button
          onClick={() =>
            setChosen(
              allShown
                ? new Set([...chosen].filter((id) => !shown.some((run) => run.runId === id)))
                : new Set([...chosen, ...shown.map((run) => run.runId)]),
            )
          }
        >
          {allShown ? 'Leave these out' : `Choose these ${shown.length}`}
        </Button>
        <Button
          look="primary"
          disabled={chosen.size === 0 || chosen.size > MOST}
          onClick={() => onCompare(runs.filter((run) => chosen.has(run.runId)).map((run) => run.runId))}
        >
          Compare {chosen.size}
        </Button>
      </div>
      {chosen.size > MOST ? <p className="small warn">At most {MOST} runs can be compared at once.</p> : null}
      <div className="table-scroll chooser-list">
        <table className="table" aria-label="Runs to choose from">
          <thead>
            <tr>
              <th scope="col">
                <span className="hidden-visually">Chosen</span>
              </th>
              <th scope="col">Run</th>
              <th scope="col">Method</th>
              <th scope="col">Data set</th>
              <th scope="col">State</th>
              <th scope="col" className="num">
                Seed
              </th>
              <th scope="col" className="num">
                Main value
              </th>
              <th scope="col">Made</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => (
              <tr key={run.runId} aria-selected={chosen.has(run.runId)} onClick={() => toggle(run.runId)}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={`Choose ${run.name}, seed ${run.seed}`}
                    checked={chosen.has(run.runId)}
                    onClick={(event) => event.stopPropagation()}
                    onChange={() => toggle(run.runId)}
                  />
                </td>
                <td>
                  <span className="row">
                    <RunSwatch runId={run.runId} groupHash={run.groupHash} />
                    <span className="mono">{run.name}</span>
                  </span>
                </td>
                <td>{run.methodName}</td>
                <td>{run.datasetName}</td>
                <td>
                  <StatusMark run={run} />
                </td>
                <td className="num">{run.seed}</td>
                <td className="num">
                  <MainMetric run={run}>{formatNumber(run.mainValue)}</MainMetric>
                </td>
                <td className="text-3">
                  <RelativeTime atMs={run.createdAtMs} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length === 0 ? <p className="run-empty">No run has these words.</p> : null}
      </div>
    </div>
  )
}

interface FilterSelectProps {
  readonly label: string
  readonly value: string
  readonly all: string
  readonly options: readonly (readonly [string, string])[]
  onChange(value: string): void
}

function FilterSelect({ label, value, all, options, onChange }: FilterSelectProps): ReactNode {
  return (
    <select
      className="select"
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      <option value="">{all}</option>
      {[...new Map(options)].map(([id, name]) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  )
}
