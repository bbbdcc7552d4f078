import type { ReactNode } from 'react'
import { Check, CircleDashed, Gauge, Plus, Trash2, TriangleAlert, X } from 'lucide-react'
import type { EngineCard, EngineInfo, EngineState } from '../../shared/contract/engines.ts'
import { formatBytes, formatCount, formatRate } from '../../shared/units.ts'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'

interface EngineRowProps {
  readonly engine: EngineInfo
  /** The kinds of work that `auto` gives it. */
  readonly uses: readonly ('training' | 'sampling')[]
  readonly testing: boolean
  /** A job runs: nothing else may begin. */
  readonly busy: boolean
  onTest(): void
  onAdd(): void
  onRemove(): void
}

const STATES: Readonly<
  Record<EngineState, { readonly word: string; readonly tone: string; readonly icon: typeof Check }>
> = {
  ready: { word: 'ready', tone: 'good', icon: Check },
  emulated: { word: 'emulated', tone: 'warn', icon: TriangleAlert },
  'not-here': { word: 'not here', tone: 'text-3', icon: X },
  'not-tested': { word: 'not tested', tone: 'text-3', icon: CircleDashed },
}

export function EngineRow({ engine, uses, testing, busy, onTest, onAdd, onRemove }: EngineRowProps): ReactNode {
  const { word, tone, icon: Icon } = STATES[engine.state]
  const mayAdd = engine.addCommand !== null && engine.added === null
  return (
    <tr aria-busy={testing}>
      <td className="wrap-cell engine-name" title={engine.note}>
        <b>{engine.title}</b> <span className="mono small text-3">{engine.name}</span>
        {uses.length === 0 ? null : (
          <span className="row gap-1 engine-uses">
            {uses.map((work) => (
              <Chip key={work} tone="accent" title={`auto takes it for ${work}`}>
                {work}
              </Chip>
            ))}
          </span>
        )}
      </td>
      <td>
        {testing ? (
          <span className="accent">testing …</span>
        ) : (
          <span className={`row gap-1 nowrap ${tone}`}>
            <Icon className="icon icon-s" aria-hidden="true" />
            {word}
          </span>
        )}
      </td>
      <td className="wrap-cell">
        {engine.error === null ? (
          engine.device === '' ? (
            <span className="text-3">{engine.note}</span>
          ) : (
            engine.device
          )
        ) : (
          <>
            {engine.error.message} <span className="text-3">{engine.error.hint}</span>
          </>
        )}
        {engine.card === null ? null : (
          <>
            <br />
            <span className="small text-3">{sayCard(engine.card)}</span>
          </>
        )}
        {engine.added === null ? null : (
          <>
            <br />
            <span className="small text-3">from {engine.added.source}</span>
          </>
        )}
      </td>
      <Measure title="Training, tokens a second">{tokensOf(engine.speed?.trainingTokensPerSec)}</Measure>
      <Measure title="Sampling, tokens a second">{tokensOf(engine.speed?.samplingTokensPerSec)}</Measure>
      <Measure title="Product of two matrices">{rateOf(engine.speed?.productFlopsPerSec, 'FLOP')}</Measure>
      <Measure title="Sum of two long vectors">{rateOf(engine.speed?.memoryBytesPerSec, 'B')}</Measure>
      <td className="text-2 nowrap">
        {engine.measuredAtMs !== null ? (
          <RelativeTime atMs={engine.measuredAtMs} />
        ) : engine.testedAtMs !== null ? (
          <span className="text-3">tested only</span>
        ) : (
          <span className="text-3">–</span>
        )}
      </td>
      <td className="right nowrap">
        <span className="row gap-1 engine-actions">
          {mayAdd ? (
            <Button small icon={Plus} disabled={busy} onClick={onAdd}>
              Add …
            </Button>
          ) : (
            <Button small icon={Gauge} disabled={busy} aria-label={`Test ${engine.title}`} onClick={onTest}>
              Test
            </Button>
          )}
          {engine.added === null ? null : (
            <Button
              small
              look="quiet"
              icon={Trash2}
              disabled={busy}
              aria-label={`Remove ${engine.title}`}
              title="Remove it from this machine"
              onClick={onRemove}
            />
          )}
        </span>
      </td>
    </tr>
  )
}

/** The driver is among the words of the device. */
function sayCard({ halfPrecision, subgroups, largestBufferBytes }: EngineCard): string {
  return [
    halfPrecision ? 'f16' : 'no f16',
    subgroups ? 'subgroups' : 'no subgroups',
    `buffers up to ${formatBytes(largestBufferBytes)}`,
  ].join(' · ')
}

function tokensOf(perSec: number | undefined): ReactNode {
  if (perSec === undefined) return null
  return (
    <>
      {formatCount(Math.round(perSec))} <span className="small text-3">/s</span>
    </>
  )
}

function rateOf(perSec: number | undefined, what: string): string | null {
  return perSec === undefined ? null : formatRate(perSec, what)
}

/** Null where it was not measured. */
function Measure({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <td className="right mono nowrap" title={children === null ? undefined : title}>
      {children ?? <span className="text-3">–</span>}
    </td>
  )
}
