import { useLayoutEffect, useRef, type ReactNode } from 'react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { isLive } from '../../shared/domain.ts'
import { useCall } from '../api/queries.ts'
import { ErrorNotice } from '../parts/states.tsx'

const FOLLOW_EVERY_MS = 2000
const NEAR_END_PX = 24

/** The trainer's own words, following the end while it writes unless one has scrolled up. */
export function RunLog({ run, search }: { readonly run: RunDetail; readonly search: string }): ReactNode {
  const { data, error } = useCall(
    'runs.log',
    { runId: run.runId, lines: 2000 },
    isLive(run.state) ? { refetchIntervalMs: FOLLOW_EVERY_MS } : {},
  )
  const box = useRef<HTMLPreElement>(null)
  const follows = useRef(true)
  const words = search.toLowerCase()
  const lines = (data ?? []).filter((line) => line.toLowerCase().includes(words))
  useLayoutEffect(() => {
    if (box.current !== null && follows.current) box.current.scrollTop = box.current.scrollHeight
  }, [data])
  if (error !== null) return <ErrorNotice error={error} />
  if (data !== undefined && lines.length === 0)
    return (
      <p className="run-empty">{data.length === 0 ? 'The log is empty.' : `No line of the log holds “${search}”.`}</p>
    )
  return (
    <pre
      className="run-log"
      ref={box}
      onScroll={(event) => {
        const element = event.currentTarget
        follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX
      }}
    >
      {lines.join('\n')}
    </pre>
  )
}
