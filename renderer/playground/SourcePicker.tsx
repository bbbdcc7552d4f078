import type { ReactNode } from 'react'
import { formatModelReference } from '../../shared/model-reference.ts'
import type { PlaygroundSources } from '../../shared/contract/playground.ts'
import { Segmented } from '../parts/Segmented.tsx'
import { RunSwatch } from '../parts/RunSwatch.tsx'
import { formatCount } from '../../shared/units.ts'
import { readSource, writerName } from './playground-state.ts'

interface SourcePickerProps {
  readonly label: string
  readonly value: string
  readonly sources: PlaygroundSources
  /** What may be chosen beside runs and models. */
  readonly more?: readonly { readonly value: string; readonly label: string }[]
  onChange(value: string): void
}

function nameOf(run: string, checkpoint: 'best' | 'last' = 'last'): string {
  return formatModelReference({ kind: 'run', run, checkpoint })
}

/** A run with its checkpoint, or a model. */
export function SourcePicker({ label, value, sources, more = [], onChange }: SourcePickerProps): ReactNode {
  const source = readSource(value)
  const run = source?.kind === 'run' ? sources.runs.find((one) => one.runId === source.runId) : undefined
  return (
    <>
      {run === undefined ? null : <RunSwatch runId={run.runId} groupHash={run.groupHash} />}
      <select
        className="select select-small pg-source"
        aria-label={`${label}: run or model`}
        value={run === undefined ? value : nameOf(run.runId)}
        onChange={(event) => {
          const chosen = event.currentTarget.value
          const next = sources.runs.find((one) => nameOf(one.runId) === chosen)
          onChange(next === undefined ? chosen : writerName(next))
        }}
      >
        {sources.runs.length === 0 ? null : (
          <optgroup label="Runs">
            {sources.runs.map((one) => (
              <option key={one.runId} value={nameOf(one.runId)}>
                {one.name} s{one.seed} · {one.methodName} · {one.datasetName}
              </option>
            ))}
          </optgroup>
        )}
        {sources.models.length === 0 ? null : (
          <optgroup label="Models">
            {sources.models.map((one) => (
              <option
                key={one.modelId}
                value={formatModelReference({ kind: 'model', model: one.modelId })}
                disabled={one.problem !== null}
                title={one.problem ?? undefined}
              >
                {one.name} · {one.family}, {formatCount(one.parameterCount)} weights
                {one.hasChatTemplate ? ', chat' : ''}
              </option>
            ))}
          </optgroup>
        )}
        {more.length === 0 ? null : (
          <optgroup label="Answers of the data">
            {more.map((one) => (
              <option key={one.value} value={one.value}>
                {one.label}
              </option>
            ))}
          </optgroup>
        )}
      </select>
      {run === undefined || run.bestStep === null || run.bestStep === run.lastStep ? (
        run === undefined ? null : (
          <span className="small text-3 nowrap">
            step <span className="mono">{run.lastStep}</span>
          </span>
        )
      ) : (
        <Segmented
          title={`${label}: checkpoint`}
          small
          value={source?.kind === 'run' ? String(source.checkpoint) : 'last'}
          choices={[
            { value: 'best', label: `best ${run.bestStep}` },
            { value: 'last', label: `last ${run.lastStep}` },
          ]}
          onChange={(checkpoint) => onChange(nameOf(run.runId, checkpoint === 'best' ? 'best' : 'last'))}
        />
      )}
    </>
  )
}
