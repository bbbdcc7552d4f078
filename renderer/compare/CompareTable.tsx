import { Fragment, useState, type ReactNode } from 'react'
import { ChevronDown, ChevronRight, Eye, EyeOff } from 'lucide-react'
import { Link } from 'wouter'
import type { RunSummary } from '../../shared/contract/runs.ts'
import type { Interval } from '../../shared/contract/comparisons.ts'
import { ticks, tickText, type Range } from '../charts/chart-model.ts'
import { IntervalCell } from '../charts/IntervalPlot.tsx'
import { intervalRange } from '../charts/interval-marks.ts'
import { useWidth } from '../charts/use-width.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { Chip } from '../parts/Chip.tsx'
import { formatDuration, formatInterval, formatNumber } from '../../shared/units.ts'
import { RunSwatch } from '../parts/RunSwatch.tsx'
import { StatusMark } from '../parts/StatusMark.tsx'
import { arrowOf, describeMetric } from '../../shared/metric-names.ts'
import { lookOf, type Group } from './compare-charts.ts'
import type { CompareState } from './use-compare.ts'

/** A cell that says nothing here. */
const NOTHING = ''

/** One row a configuration: mean ± interval and n; opens to its runs. */
export function CompareTable({ state }: { readonly state: CompareState }): ReactNode {
  const [box, width] = useWidth<HTMLDivElement>()
  const plot = Math.round(Math.min(220, Math.max(120, width * 0.2)))
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const groups = state.comparison?.groups ?? []
  const range = intervalRange(
    [
      ...groups.map((group) => group.values[state.metric] ?? NO_INTERVAL),
      ...groups.flatMap((group) =>
        (group.members[state.metric] ?? []).map((mean) => ({ mean, low: null, high: null })),
      ),
    ],
    false,
  )
  const baseline = state.comparison?.differences[0]?.baseline ?? state.baseline
  const refused = new Set(state.comparison?.differences.flatMap((one) => (one.whyNot === null ? [] : [one.groupHash])))
  const severalData = new Set(groups.map((group) => group.data)).size > 1
  const baselineMean = groups.find((group) => group.groupHash === baseline)?.values[state.metric]?.mean ?? null
  const toggle = (hash: string): void => {
    const next = new Set(open)
    if (!next.delete(hash)) next.add(hash)
    setOpen(next)
  }
  return (
    <div className="table-scroll compare-table" ref={box}>
      <table className="table" aria-label="Configurations">
        <Head state={state} range={range} plot={plot} />
        <tbody>
          {groups.map((group) => (
            <Fragment key={group.groupHash}>
              <GroupRow
                state={state}
                group={group}
                range={range}
                plot={plot}
                mark={refused.has(group.groupHash) ? null : baselineMean}
                data={severalData ? group.data : null}
                isBaseline={group.groupHash === baseline}
                isOpen={open.has(group.groupHash)}
                onToggle={() => toggle(group.groupHash)}
              />
              {open.has(group.groupHash)
                ? group.runIds.map((runId, at) => (
                    <MemberRow
                      key={runId}
                      state={state}
                      group={group}
                      at={at}
                      range={range}
                      plot={plot}
                      run={state.runs.find((run) => run.runId === runId)}
                    />
                  ))
                : null}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const NO_INTERVAL: Interval = { mean: null, low: null, high: null, n: 0 }

function Head({
  state,
  range,
  plot,
}: {
  readonly state: CompareState
  readonly range: Range
  readonly plot: number
}): ReactNode {
  const at = (value: number): number => 6 + ((value - range[0]) / (range[1] - range[0])) * (plot - 12)
  return (
    <thead>
      <tr>
        <th scope="col" className="compare-eye">
          <span className="hidden-visually">Shown in the chart</span>
        </th>
        <th scope="col">Configuration</th>
        <th scope="col" className="num">
          n
        </th>
        <th scope="col" className="num" title={state.info.help}>
          {state.info.label} {arrowOf(state.info.goal)}
        </th>
        <th scope="col" className="compare-plot">
          <span className="hidden-visually">Interval</span>
          <svg className="interval-plot" width={plot} height={14} aria-hidden="true">
            {ticks(range, 4, false).map((value) => (
              <text key={value} className="tick" x={at(value)} y={11} textAnchor="middle">
                {tickText(value)}
              </text>
            ))}
          </svg>
        </th>
        {state.columns.map((name) => {
          const info = describeMetric(name, state.infos)
          return (
            <th key={name} scope="col" className="num" title={`${name}. ${info.help}`}>
              {info.label.replace('Held-out ', 'H. ')}
              {info.unit === '' || info.unit === 'fraction' ? '' : `, ${info.unit}`} {arrowOf(info.goal)}
            </th>
          )
        })}
        <th scope="col" className="num">
          Time
        </th>
      </tr>
    </thead>
  )
}

function halfOf(value: Interval): number | null {
  return value.low === null || value.high === null || value.n < 2 ? null : (value.high - value.low) / 2
}

/** 0.713 ± 0.031; the whole interval and n on hover, because bounds need not be symmetric. */
function MeanText({
  value,
  bold = false,
}: {
  readonly value: Interval | undefined
  readonly bold?: boolean
}): ReactNode {
  if (value === undefined || value.mean === null) return <span className="text-3">–</span>
  const half = halfOf(value)
  const [mean = '', spread] = formatInterval(value.mean, half).split(' ± ')
  return (
    <span
      title={
        half === null ? `${value.mean}, n = ${value.n}` : `${value.mean} [${value.low}, ${value.high}], n = ${value.n}`
      }
    >
      {bold ? <b>{mean}</b> : mean}
      {spread === undefined ? null : <span className="text-3"> ± {spread}</span>}
    </span>
  )
}

interface GroupRowProps {
  readonly state: CompareState
  readonly group: Group
  readonly range: Range
  readonly plot: number
  /** The baseline's mean, where the two may be set against each other. */
  readonly mark: number | null
  /** What it learned from, where that is not the same in all rows. */
  readonly data: string | null
  readonly isBaseline: boolean
  readonly isOpen: boolean
  onToggle(): void
}

function GroupRow({ state, group, range, plot, mark, data, isBaseline, isOpen, onToggle }: GroupRowProps): ReactNode {
  const look = lookOf(state.looks, group.groupHash)
  const hidden = state.hidden.has(group.groupHash)
  const value = group.values[state.metric]
  const members = state.runs.filter((run) => group.runIds.includes(run.runId))
  const counted = members.filter((run) => group.counted[group.runIds.indexOf(run.runId)] === true)
  const Arrow = isOpen ? ChevronDown : ChevronRight
  const toggleEye = (): void => {
    const next = new Set(state.hidden)
    if (!next.delete(group.groupHash)) next.add(group.groupHash)
    state.change({ hidden: next })
  }
  return (
    <tr data-hidden={hidden} className={isOpen ? 'group' : undefined}>
      <td className="compare-eye">
        <button
          type="button"
          className="eye"
          aria-pressed={!hidden}
          aria-label={`Show ${group.label} in the chart`}
          onClick={toggleEye}
        >
          {hidden ? <EyeOff className="icon" aria-hidden="true" /> : <Eye className="icon" aria-hidden="true" />}
        </button>
      </td>
      <td>
        <span className="row">
          <button
            type="button"
            className="eye"
            aria-expanded={isOpen}
            aria-label={`Runs of ${group.label}`}
            onClick={onToggle}
          >
            <Arrow className="icon icon-s" aria-hidden="true" />
          </button>
          <LineSwatch colour={look.colour} dash={look.dash} />
          <span className="mono bold ellipsis compare-name" title={group.label}>
            {group.label}
          </span>
          {isBaseline ? <Chip>baseline</Chip> : null}
          {data === null ? null : <Chip>{data}</Chip>}
          <StateChips members={members} />
        </span>
      </td>
      <td className="num">{value?.n ?? 0}</td>
      <td className="num">
        <MeanText value={value} bold />
      </td>
      <td className="compare-plot">
        <IntervalCell
          row={{
            mean: value?.mean ?? null,
            low: halfOf(value ?? NO_INTERVAL) === null ? null : (value?.low ?? null),
            high: value?.high ?? null,
            colour: look.colour,
          }}
          range={range}
          width={plot}
          mark={mark}
          open={(value?.n ?? 0) < 2}
        />
      </td>
      {state.columns.map((name) => (
        <td key={name} className="num">
          <MeanText value={group.values[name]} />
        </td>
      ))}
      <td className="num">{meanTime(counted)}</td>
    </tr>
  )
}

/** Of a run that has ended; until then it says nothing of how long the configuration takes. */
function timeOf(run: RunSummary): number | null {
  return run.endedAtMs === null ? null : run.trainedMs
}

function meanTime(runs: readonly RunSummary[]): string {
  const times = runs.map(timeOf).filter((time): time is number => time !== null)
  return times.length === 0 ? '–' : formatDuration(times.reduce((sum, time) => sum + time, 0) / times.length)
}

/** What a mean would hide: runs that have not finished. */
function StateChips({ members }: { readonly members: readonly RunSummary[] }): ReactNode {
  const count = (states: readonly string[]): number => members.filter((run) => states.includes(run.state)).length
  const [running, failed, stopped] = [
    count(['queued', 'starting', 'training', 'evaluating']),
    count(['failed', 'lost']),
    count(['interrupted', 'cancelled']),
  ]
  return (
    <>
      {running > 0 ? <Chip tone="accent">{running} not finished</Chip> : null}
      {stopped > 0 ? <Chip tone="warn">{stopped} stopped</Chip> : null}
      {failed > 0 ? <Chip tone="bad">{failed} failed</Chip> : null}
    </>
  )
}

interface MemberRowProps {
  readonly state: CompareState
  readonly group: Group
  readonly at: number
  readonly range: Range
  readonly plot: number
  readonly run: RunSummary | undefined
}

function MemberRow({ state, group, at, range, plot, run }: MemberRowProps): ReactNode {
  const look = lookOf(state.looks, group.groupHash)
  const value = group.members[state.metric]?.[at] ?? null
  const time = run === undefined ? null : timeOf(run)
  return (
    <tr
      className="member"
      data-counted={group.counted[at] === true}
      title={group.counted[at] === true ? undefined : 'Left out of the numbers and of the curve'}
    >
      <td className="compare-eye">{NOTHING}</td>
      <td>
        <span className="row member-name">
          {run === undefined ? null : <RunSwatch runId={run.runId} groupHash={run.groupHash} />}
          <Link href={`/runs/${group.runIds[at] ?? ''}`} className="mono">
            seed {group.seeds[at]}
          </Link>
          {run === undefined || run.state === 'finished' ? null : <StatusMark run={run} />}
        </span>
      </td>
      <td className="num">{NOTHING}</td>
      <td className="num" title={value === null ? undefined : String(value)}>
        {formatNumber(value)}
      </td>
      <td className="compare-plot">
        <IntervalCell
          row={{ mean: value, low: null, high: null, colour: look.colour }}
          range={range}
          width={plot}
          height={22}
          open
        />
      </td>
      {state.columns.map((name) => (
        <td key={name} className="num">
          {formatNumber(group.members[name]?.[at])}
        </td>
      ))}
      <td className="num">{time === null ? '–' : formatDuration(time)}</td>
    </tr>
  )
}
