import { useEffect, useMemo, useRef, useState } from 'react'
import type { Series } from '../../shared/contract/runs.ts'
import { useAppEvent } from '../api/events.ts'
import { useCall } from '../api/queries.ts'
import type { AppError } from '../../shared/errors.ts'
import { GrownCurves } from './grown-curves.ts'
import type { Curves } from './run-series.ts'

const POINTS_AT_MOST = 20_000
const REFETCH_AFTER_MS = 1000

function toCurves(series: readonly Series[]): Curves {
  return new Map(series.map(({ name, ...curve }) => [name, curve]))
}

interface RunSeries {
  readonly curves: Curves
  /** Stretches a resume left behind. */
  readonly discarded: Curves
  readonly loaded: boolean
  readonly error: AppError | null
}

const NONE: Curves = new Map()

/** All curves of a run: fetched once, then grown by events; fetched again only when a resume went back. */
export function useRunSeries(runId: string, discardedCount: number): RunSeries {
  const live = useCall('runs.metrics', { runId: runId as never, maxPoints: POINTS_AT_MOST }) // the address bar's id; the host checks it
  const left = useCall('runs.metrics', { runId: runId as never, maxPoints: 2000, discarded: true }, { enabled: discardedCount > 0 })
  const [grown, setGrown] = useState<{ readonly of: readonly Series[]; readonly curves: Curves } | null>(null)
  const growth = useRef(new GrownCurves())
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const base = useMemo(() => (live.data === undefined ? NONE : toCurves(live.data)), [live.data])
  const curves = grown !== null && grown.of === live.data ? grown.curves : base

  useAppEvent('run.metrics', (event) => {
    if (event.runId !== runId || live.data === undefined) return
    const known = live.data
    const { curves: next, rewound } = growth.current.add(known, base, event.columns)
    setGrown((painted) => (painted?.of === known && painted.curves === next ? painted : { of: known, curves: next }))
    if (!rewound) return
    clearTimeout(timer.current)
    timer.current = setTimeout(() => void live.refetch(), REFETCH_AFTER_MS)
  })
  useEffect(() => () => clearTimeout(timer.current), [])

  // What a resume discards leaves the curve: the fetched part is out of date as soon as the count changes.
  const known = useRef(discardedCount)
  const refetch = live.refetch
  useEffect(() => {
    if (known.current === discardedCount) return
    known.current = discardedCount
    void refetch()
  }, [discardedCount, refetch])

  const discarded = useMemo(() => (left.data === undefined ? NONE : toCurves(left.data)), [left.data])
  return { curves, discarded, loaded: live.data !== undefined, error: live.error }
}
