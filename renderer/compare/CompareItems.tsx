import { useState, type ReactNode } from 'react'
import type { Output } from '../../shared/contract.ts'
import { arrowOf } from '../../shared/metric-names.ts'
import { formatCount, formatNumber } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { ticks, tickText } from '../charts/chart-model.ts'
import { useWidth } from '../charts/use-width.ts'
import { Section } from '../parts/Panel.tsx'
import './compare-items.css'
import type { CompareState } from './use-compare.ts'

type ItemsFound = Output<'comparisons.items'>
type Item = ItemsFound['items'][number]

/** Shown at either end. */
const SHOWN = 4

/** One configuration against the baseline on each held-out item, where their runs kept what they measured on each. */
export function CompareItems({ state }: { readonly state: CompareState }): ReactNode {
  const [wanted, setWanted] = useState<string | null>(null)
  const differences = state.comparison?.differences.filter(({ items }) => items !== null) ?? []
  const chosen = differences.find(({ groupHash }) => groupHash === wanted) ?? differences[0]
  const { data } = useCall(
    'comparisons.items',
    { ...state.input, groupHash: chosen?.groupHash ?? null },
    { enabled: chosen !== undefined, keepPrevious: true },
  )
  if (chosen === undefined) return null
  const labelOf = (hash: string): string => state.comparison?.groups.find((one) => one.groupHash === hash)?.label ?? ''
  return (
    <Section
      title="Item by item"
      note={
        differences.length === 1 ? (
          <span className="mono">{labelOf(chosen.groupHash)}</span>
        ) : (
          <select
            aria-label="Set against the baseline"
            className="select select-small"
            value={chosen.groupHash}
            onChange={(event) => setWanted(event.currentTarget.value)}
          >
            {differences.map(({ groupHash }) => (
              <option key={groupHash} value={groupHash}>
                {labelOf(groupHash)}
              </option>
            ))}
          </select>
        )
      }
    >
      {data === undefined ? (
        <p className="small text-3">Comparing …</p>
      ) : (
        <ItemsOf data={data} state={state} base={labelOf(data.baseline)} />
      )}
    </Section>
  )
}

interface ItemsOfProps {
  readonly data: ItemsFound
  readonly state: CompareState
  readonly base: string
}

function ItemsOf({ data, state, base }: ItemsOfProps): ReactNode {
  const [box, width] = useWidth<HTMLDivElement>()
  const higher = data.items.slice(0, SHOWN).filter((one) => one.group > one.baseline)
  const lower = data.items
    .slice(-SHOWN)
    .filter((one) => one.group < one.baseline)
    .toReversed()
  return (
    <div className="compare-items">
      <p className="small text-3">
        {state.info.label} {arrowOf(state.info.goal)} less that of {base}: higher on{' '}
        <b className="mono text-2">{formatCount(data.better)}</b>, lower on{' '}
        <b className="mono text-2">{formatCount(data.worse)}</b>, the same on{' '}
        <b className="mono text-2">{formatCount(data.equal)}</b> of {formatCount(data.total)}
      </p>
      <div ref={box}>
        {width > 0 ? <SortedDifferences items={data.items} width={width} goal={state.info.goal} /> : null}
      </div>
      <Ends title="Most above it" items={higher} />
      <Ends title="Most below it" items={lower} />
    </div>
  )
}

const HEIGHT = 112
const LEFT = 44

/** A bar an item, the largest difference first: how many items a mean rests on, and how evenly. */
function SortedDifferences({
  items,
  width,
  goal,
}: {
  readonly items: readonly Item[]
  readonly width: number
  readonly goal: 'min' | 'max' | 'none'
}): ReactNode {
  const values = items.map((one) => one.group - one.baseline)
  const most = Math.max(...values.map(Math.abs)) || 1
  const at = (value: number): number => HEIGHT / 2 - (value / most) * (HEIGHT / 2 - 4)
  const step = (width - LEFT) / values.length
  const gap = step > 3 ? 1 : 0
  const area = (above: boolean): string =>
    values
      .map((value, index) =>
        value === 0 || value > 0 !== above
          ? ''
          : `M${(LEFT + index * step).toFixed(2)} ${at(0)}V${at(value).toFixed(2)}h${(step - gap).toFixed(2)}V${at(0)}`,
      )
      .join('')
  const tone = (above: boolean): string =>
    goal === 'none' ? 'var(--text-3)' : above === (goal === 'max') ? 'var(--good)' : 'var(--bad)'
  return (
    <svg className="interval-plot" width={width} height={HEIGHT}>
      <title>Differences of all items, the largest first</title>
      {ticks([-most, most], 3, false).map((value) => (
        <g key={value}>
          <line
            x1={LEFT}
            x2={width}
            y1={at(value)}
            y2={at(value)}
            style={{ stroke: value === 0 ? 'var(--text-2)' : 'var(--grid)' }}
          />
          <text className="tick" x={LEFT - 6} y={at(value) + 4} textAnchor="end">
            {tickText(value)}
          </text>
        </g>
      ))}
      <path d={area(true)} style={{ fill: tone(true) }} />
      <path d={area(false)} style={{ fill: tone(false) }} />
    </svg>
  )
}

function Ends({ title, items }: { readonly title: string; readonly items: readonly Item[] }): ReactNode {
  if (items.length === 0) return null
  return (
    <table className="table items-table" aria-label={title}>
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col" className="num">
            baseline
          </th>
          <th scope="col" className="num">
            this
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((one) => (
          <tr key={one.id}>
            <td className="ellipsis" title={`${one.title ?? ''}\n${one.id}`.trim()}>
              {one.title ?? one.id}
            </td>
            <td className="num">{formatNumber(one.baseline)}</td>
            <td className="num">{formatNumber(one.group)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
