import { useEffect, useMemo, useReducer, useRef, useState } from 'react'
import { useAppEvent } from '../api/events.ts'
import { useCall } from '../api/queries.ts'
import type { AppError } from '../../shared/errors.ts'
import { LiveCurves } from './live-curves.ts'
import { toCurves, type Curves } from './run-series.ts'

const POINTS_AT_MOST = 20_000
const TABLES_AT_MOST = 20_000

interface RunSeries {
  readonly curves: Curves
  /** Stretches a resume left behind. */
  readonly discarded: Curves
  readonly loaded: boolean
  readonly error: AppError | null
}

const NONE: Curves = new Map()

/** All curves of one run: fetched once, then grown by events. */
export function useRunSeries(runId: string, discardedCount: number): RunSeries {
  const live = useCall('runs.metrics', { runId: runId as never, maxPoints: POINTS_AT_MOST }) // the address bar's id; the host checks it
  const left = useCall(
    'runs.metrics',
    { runId: runId as never, maxPoints: 2000, discarded: true },
    { enabled: discardedCount > 0 },
  )
  const [growing] = useState(() => new LiveCurves())
  const [, repaint] = useReducer((times: number) => times + 1, 0)

  useAppEvent('run.metrics', (event) => {
    if (event.runId !== runId) return
    growing.take(event.changes)
    repaint()
    if (growing.waiting > TABLES_AT_MOST) void live.refetch({ cancelRefetch: false })
  })

  // Each resume may leave another stretch behind.
  const known = useRef(discardedCount)
  const refetch = left.refetch
  useEffect(() => {
    if (known.current === discardedCount) return
    known.current = discardedCount
    void refetch()
  }, [discardedCount, refetch])

  const discarded = useMemo(() => (left.data === undefined ? NONE : toCurves(left.data.series)), [left.data])
  return {
    curves: live.data === undefined ? NONE : growing.over(live.data),
    discarded,
    loaded: live.data !== undefined,
    error: live.error,
  }
}
