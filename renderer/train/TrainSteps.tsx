import { useRef, type ReactNode } from 'react'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { useCommands } from '../frame/commands.ts'
import { formatCount } from '../../shared/units.ts'
import type { TrainForm } from './use-train.ts'
import { Problem, StepHead } from './StepHead.tsx'
import { ModelStep } from './ModelStep.tsx'

/** Data set → method → model, each in one box. */
export function TrainSteps({ form }: { readonly form: TrainForm }): ReactNode {
  return (
    <div className="train-steps">
      <DataStep form={form} />
      <MethodStep form={form} />
      <ModelStep form={form} />
    </div>
  )
}

function DataStep({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft, dataset, check } = form
  const choice = useRef<HTMLSelectElement>(null)
  useCommands([
    { id: 'train.data', title: 'Choose the data set', group: 'Train', keys: ['d'], run: () => choice.current?.focus() },
  ])
  const words = KIND_WORDS[dataset?.kind ?? 'response-pairs']
  return (
    <section className="train-step" data-invalid={form.problems['data'] !== undefined}>
      <StepHead no={1} title="Data set" forId="train-data" keys="d" />
      <select
        ref={choice}
        id="train-data"
        className="select step-select"
        value={draft.datasetId}
        onChange={(event) => form.change({ ...draft, datasetId: event.currentTarget.value, annotators: [] })}
      >
        {form.datasets.map((one) => (
          <option key={one.datasetId} value={one.datasetId}>
            {one.name}
          </option>
        ))}
      </select>
      <Problem text={form.problems['data']} />
      {dataset === undefined ? null : (
        <p className="small text-2">
          <span className="mono">{formatCount(dataset.itemCount)}</span> {words.items},{' '}
          {words.labeled ? (
            <>
              <span className="mono">{formatCount(check?.counts.labels ?? dataset.labelCount)}</span> labels,{' '}
            </>
          ) : null}
          snapshot{' '}
          <span className="mono" title={dataset.fingerprint}>
            {dataset.fingerprint.slice(0, 6)}
          </span>
          {check === undefined ? null : (
            <>
              <br />
              train <span className="mono">{formatCount(check.counts.train)}</span>, validation{' '}
              <span className="mono">{formatCount(check.counts.validation)}</span>, test{' '}
              <span className="mono">{formatCount(check.counts.test)}</span>
            </>
          )}
        </p>
      )}
    </section>
  )
}

function MethodStep({ form }: { readonly form: TrainForm }): ReactNode {
  const { algorithm } = form
  const arxiv = /arxiv\.org\/abs\/([\d.]+)/.exec(algorithm.paper.url)?.[1]
  return (
    <section className="train-step" data-invalid={form.problems['method'] !== undefined}>
      <StepHead no={2} title="Method" />
      <div className="step-value">{algorithm.name}</div>
      <Problem text={form.problems['method']} />
      <p className="small text-2">
        {algorithm.paper.cite}
        {arxiv === undefined ? '' : ', '}
        {arxiv === undefined ? null : <span className="mono">{arxiv}</span>}
      </p>
      <details className="small text-2 step-more">
        <summary>Loss and deviations</summary>
        <p className="mono">{algorithm.equation}</p>
        <ul>
          {algorithm.deviations.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      </details>
    </section>
  )
}
