import { useEffect, useState, type ReactNode } from 'react'
import { formatDateTime, formatRelative } from '../../shared/units.ts'

const TICK_MS = 20_000

/** "5 min ago", kept true; the exact time on hover. */
export function RelativeTime({ atMs }: { readonly atMs: number | null }): ReactNode {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  if (atMs === null) return <span className="text-3">–</span>
  return (
    <time dateTime={new Date(atMs).toISOString()} title={formatDateTime(atMs)}>
      {formatRelative(atMs, Math.max(nowMs, atMs))}
    </time>
  )
}
