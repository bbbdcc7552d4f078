import { useEffect, useState, type ReactNode } from 'react'
import { Gauge } from 'lucide-react'
import type { Estimate, MemoryEstimate } from '../../shared/contract/runs.ts'
import { useCall } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { formatBytes, formatCount, formatDuration } from '../../shared/units.ts'
import { Section } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import type { EstimateState } from './use-estimate.ts'

const PART_COLOURS = ['--r1', '--r4', '--r3', '--r2', '--r5', '--r6', '--r7'] as const

interface EstimatePanelProps {
  readonly state: EstimateState
  readonly valid: boolean
  readonly seeds: number
  readonly batch: number
  /** From the sizes alone; null while it is not known. */
  readonly foreseen: MemoryEstimate | null
  /** Time that the queue needs before these runs begin; null when it is not known. */
  readonly queueMs: number | null
}

/** Time and memory, measured by real steps at the longest batch. */
export function EstimatePanel({ state, valid, seeds, batch, queueMs, foreseen }: EstimatePanelProps): ReactNode {
  const { measured, startedAtMs, outdated, automatic } = state
  const estimate = measured?.estimate ?? null
  return (
    <>
      <Foreseen foreseen={foreseen} />
      <Section
        title="Estimate from a dry step"
        note={
          measured === null || estimate === null
            ? undefined
            : `${estimate.stepsRun} steps run, ${formatDuration(measured.tookMs)}`
        }
      >
        {estimate === null ? null : (
          <Numbers estimate={estimate} seeds={seeds} batch={batch} queueMs={queueMs} outdated={outdated} />
        )}
        {measured === null || measured.error === null || outdated ? null : (
          <ErrorNotice error={measured.error} onRetry={state.start} />
        )}
        {estimate === null && (measured === null || measured.error === null) ? (
          <p className="small text-3">
            A few real steps at the longest batch, in a process of their own, tell time and memory.
          </p>
        ) : null}
        <div className="row estimate-actions">
          {startedAtMs === null ? (
            <Button small icon={Gauge} disabled={!valid} onClick={state.start}>
              {outdated || estimate === null ? 'Measure' : 'Measure again'}
            </Button>
          ) : (
            <>
              <Elapsed sinceMs={startedAtMs} />
              <Button small onClick={state.cancel}>
                Cancel
              </Button>
            </>
          )}
          <span className="grow" />
          <label className="check small">
            <input
              type="checkbox"
              checked={automatic}
              onChange={(event) => state.setAutomatic(event.currentTarget.checked)}
            />
            when settings rest
          </label>
        </div>
      </Section>
    </>
  )
}

function useNow(everyMs: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return nowMs
}

function clock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
}

function Elapsed({ sinceMs }: { readonly sinceMs: number }): ReactNode {
  const nowMs = useNow(500)
  return (
    <span className="small text-2" role="status">
      Running the dry step … <span className="mono">{Math.max(0, Math.floor((nowMs - sinceMs) / 1000))} s</span>
    </span>
  )
}

/** Before anything is measured: what the sizes alone say, at the longest sequence. */
function Foreseen({ foreseen }: Pick<EstimatePanelProps, 'foreseen'>): ReactNode {
  const machineBytes = useCall('system.info', {}).data?.memoryBytes
  if (foreseen === null) return null
  return (
    <Section title="Memory foreseen" note={`about ${formatBytes(foreseen.totalBytes)}`}>
      <MemoryBar parts={foreseen.parts} totalBytes={foreseen.totalBytes} machineBytes={machineBytes} />
      {machineBytes !== undefined && foreseen.totalBytes > 0.8 * machineBytes ? (
        <Say tone="warn">
          That is most of this machine’s memory. LoRA, gradient checkpointing or a smaller micro-batch take less.
        </Say>
      ) : null}
    </Section>
  )
}

interface MemoryBarProps {
  readonly parts: readonly { readonly name: string; readonly bytes: number }[]
  readonly totalBytes: number
  readonly machineBytes: number | undefined
}

/** Shares of the machine's memory, drawn and in words. */
function MemoryBar({ parts, totalBytes, machineBytes }: MemoryBarProps): ReactNode {
  const top = Math.max(machineBytes ?? 0, totalBytes)
  const shown = parts.filter((part) => part.bytes > 0)
  const colour = (at: number): string => `var(${PART_COLOURS[at % PART_COLOURS.length]})`
  return (
    <>
      <div className="memory" aria-hidden="true">
        {shown.map((part, at) => (
          <i key={part.name} style={{ width: `${(100 * part.bytes) / top}%`, background: colour(at) }} />
        ))}
      </div>
      <div className="memory-words small text-2">
        {shown.map((part, at) => (
          <span key={part.name} className="nowrap">
            <i className="memory-dot" style={{ background: colour(at) }} /> {part.name}{' '}
            <span className="mono">{formatBytes(part.bytes)}</span>
          </span>
        ))}
        {machineBytes === undefined ? null : (
          <span className="nowrap">
            of <span className="mono">{formatBytes(machineBytes)}</span>
          </span>
        )}
      </div>
    </>
  )
}

function Numbers({
  estimate,
  seeds,
  batch,
  queueMs,
  outdated,
}: { readonly estimate: Estimate; readonly outdated: boolean } & Pick<
  EstimatePanelProps,
  'seeds' | 'batch' | 'queueMs'
>): ReactNode {
  const nowMs = useNow(20_000)
  const slots = useCall('settings.get', {}).data?.slots ?? 1
  const memory = useCall('system.info', {}).data?.memoryBytes
  const oneMs = estimate.totalMs / Math.max(1, estimate.runs)
  const allMs = oneMs * Math.ceil(seeds / slots)
  return (
    <div data-outdated={outdated} className="estimate">
      <dl className="kv">
        <dt>
          One step, a batch of <span className="mono">{batch}</span>
        </dt>
        <dd>
          {(estimate.stepMs / 1000).toPrecision(2)} ± {(estimate.stepSpreadMs / 1000).toPrecision(1)} s
        </dd>
        <dt>One run, evaluations included</dt>
        <dd>{formatDuration(oneMs)}</dd>
        {seeds > 1 ? (
          <>
            <dt className="bold">
              {seeds} runs, {slots > 1 ? `${slots} at a time` : 'one after another'}
            </dt>
            <dd className="bold">{formatDuration(allMs)}</dd>
          </>
        ) : null}
        {queueMs === null ? null : (
          <>
            <dt>Would be done{queueMs > 0 ? ', after the queue' : ''}</dt>
            <dd>{clock(nowMs + queueMs + allMs)}</dd>
          </>
        )}
      </dl>
      <MemoryBar parts={estimate.parts} totalBytes={estimate.peakBytes} machineBytes={memory} />
      <p className="small text-2">
        Peak <span className="mono">{formatBytes(estimate.peakBytes)}</span>, {formatCount(estimate.parameterCount)}{' '}
        weights. A checkpoint takes <span className="mono">{formatBytes(estimate.checkpointBytes)}</span>.
      </p>
      <p className="small text-2">
        On <b>{estimate.engine}</b>, {estimate.device} <span className="text-3">({estimate.engineWhy})</span>
      </p>
      {outdated ? <p className="small warn">Of earlier settings.</p> : null}
      {estimate.warnings.map((warning) => (
        <Say key={warning} tone="warn">
          {warning}
        </Say>
      ))}
    </div>
  )
}
