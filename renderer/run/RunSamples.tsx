import { useState, type ReactNode } from 'react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import { isLive } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { formatNumber } from '../../shared/units.ts'
import { KeyCap } from '../parts/KeyCap.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { useRunKind } from './run-kind.ts'

const STEPS_SHOWN = 6

/** What a rationale's reward is made of, before weights and temperature. */
const PART_WORDS: Readonly<Record<string, string>> = {
  contrast: 'Similarity to the query, less that to the negatives',
  consistency: 'Similarity to the other rollouts of the text',
  hard: 'Minus the similarity to other instances',
  advantage: 'Reward less the mean of the text’s rollouts: what the gradient sees',
}

export function useSamples(run: RunDetail) {
  const { data, error } = useCall('runs.samples', { runId: run.runId })
  const [wanted, setWanted] = useState<number | null>(null)
  const steps = data?.map((one) => one.step) ?? []
  const step = wanted !== null && steps.includes(wanted) ? wanted : (steps.at(-1) ?? null)
  const at = step === null ? -1 : steps.indexOf(step)
  const move = (by: number): void => setWanted(steps[Math.min(steps.length - 1, Math.max(0, at + by))] ?? null)
  return { all: data, error, steps, step, at, setWanted, move, items: data?.[at]?.items ?? [] }
}

export function SampleSteps({ samples }: { readonly samples: ReturnType<typeof useSamples> }): ReactNode {
  const { steps, step, at, setWanted, move } = samples
  useCommands([
    {
      id: 'run.sampleBefore',
      title: 'Samples of the step before',
      group: 'Run',
      keys: ['left'],
      repeat: true,
      disabled: at <= 0,
      run: () => move(-1),
    },
    {
      id: 'run.sampleAfter',
      title: 'Samples of the next step',
      group: 'Run',
      keys: ['right'],
      repeat: true,
      disabled: at < 0 || at >= steps.length - 1,
      run: () => move(1),
    },
  ])
  if (step === null) return null
  const from = Math.max(0, Math.min(steps.length - STEPS_SHOWN, at - STEPS_SHOWN + 2))
  return (
    <>
      <Segmented
        title="Step of the samples"
        small
        value={String(step)}
        choices={steps.slice(from, from + STEPS_SHOWN).map((value) => ({ value: String(value), label: String(value) }))}
        onChange={(value) => setWanted(Number(value))}
      />
      <span className="row gap-1 text-3 small run-wide">
        <KeyCap keys="left" />
        <KeyCap keys="right" /> step
      </span>
    </>
  )
}

interface Columns {
  readonly from: string
  readonly made: string
  readonly value: string
  /** A policy's words: they have tokens, and a probability under the reference. */
  readonly written: boolean
}

function columnsOf(kind: DataKind | null): Columns {
  if (kind === 'rankings') return { from: 'Query', made: 'Order', value: 'nDCG@k ↑', written: false }
  if (kind === 'contrast-groups') return { from: 'Text', made: 'Rationale', value: 'Reward ↑', written: true }
  return { from: 'Prompt', made: 'Completion', value: 'Reward ↑', written: true }
}

/** Completions of the same held-out prompts, at one step. A row opens to its whole text. */
export function RunSamples({
  run,
  samples,
}: {
  readonly run: RunDetail
  readonly samples: ReturnType<typeof useSamples>
}): ReactNode {
  const [open, setOpen] = useState<number | null>(null)
  const columns = columnsOf(useRunKind(run))
  if (samples.error !== null) return <ErrorNotice error={samples.error} />
  if (samples.all !== undefined && samples.steps.length === 0) {
    const none = run.spec.training.samplePrompts === 0
    return (
      <p className="run-empty">
        {none
          ? 'This run generates no samples: “Sample prompts” is 0.'
          : isLive(run.state) || run.state === 'queued'
            ? 'The first samples come with the first evaluation.'
            : 'No samples were written.'}
      </p>
    )
  }
  const parts = [...new Set(samples.items.flatMap((item) => Object.keys(item.parts ?? {})))]
  const hasRatio = columns.written && (parts.length === 0 || samples.items.some((item) => item.logRatio !== null))
  return (
    <table className="table samples" aria-label="Samples">
      <thead>
        <tr>
          <th scope="col">{columns.from}</th>
          <th scope="col">
            {columns.made} at step {samples.step}
          </th>
          <th scope="col" className="num">
            {columns.value}
          </th>
          {parts.map((part) => (
            <th key={part} scope="col" className="num" title={PART_WORDS[part]}>
              {part.charAt(0).toUpperCase() + part.slice(1)}
            </th>
          ))}
          {hasRatio ? (
            <th scope="col" className="num">
              Log-ratio, nats
            </th>
          ) : null}
          {columns.written ? (
            <th scope="col" className="num">
              Tokens
            </th>
          ) : null}
        </tr>
      </thead>
      <tbody>
        {samples.items.map((item) => (
          <tr
            key={item.promptIndex}
            data-open={open === item.promptIndex}
            onClick={() => setOpen(open === item.promptIndex ? null : item.promptIndex)}
          >
            <td className="text-2">
              <button type="button" className="cell-button" aria-expanded={open === item.promptIndex}>
                {item.prompt}
              </button>
            </td>
            <td>{item.completion === '' ? <span className="text-3">empty</span> : item.completion}</td>
            <td className="num">{formatNumber(item.reward)}</td>
            {parts.map((part) => (
              <td key={part} className="num">
                {formatNumber(item.parts?.[part] ?? null)}
              </td>
            ))}
            {hasRatio ? <td className="num">{formatNumber(item.logRatio)}</td> : null}
            {columns.written ? <td className="num">{item.tokens}</td> : null}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
