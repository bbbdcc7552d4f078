import { useEffect, useState, type ReactNode } from 'react'
import { CircleAlert, Copy, type LucideIcon } from 'lucide-react'
import { asAppError } from '../api/client.ts'
import { leftOut } from '../../shared/contract/import-mapping.ts'
import { Button } from './Button.tsx'
import { LeftOutList } from './LeftOutList.tsx'

interface ErrorNoticeProps {
  readonly error: unknown
  /** Tries again what failed. */
  onRetry?(): void
}

/** What happened, what to do, and everything a report needs behind one fold. */
export function ErrorNotice({ error, onRetry }: ErrorNoticeProps): ReactNode {
  const shown = asAppError(error)
  const left = leftOut.safeParse(shown.details?.['leftOut'])
  const details = JSON.stringify(
    { code: shown.code, message: shown.message, hint: shown.hint, details: shown.details ?? {} },
    null,
    2,
  )
  return (
    <div className="notice" role="alert">
      <CircleAlert className="icon" aria-hidden="true" />
      <div>
        <p className="bold">{shown.message}</p>
        <p>{shown.hint}</p>
      </div>
      <span className="row gap-1">
        {onRetry === undefined ? null : (
          <Button small onClick={onRetry}>
            Try again
          </Button>
        )}
        <Button
          small
          look="quiet"
          icon={Copy}
          aria-label="Copy the error"
          onClick={() => void navigator.clipboard.writeText(details)}
        />
      </span>
      {left.success ? (
        <LeftOutList found={left.data} />
      ) : shown.details === undefined ? null : (
        <details>
          <summary>Details</summary>
          <pre>{details}</pre>
        </details>
      )}
    </div>
  )
}

interface EmptyStateProps {
  readonly icon?: LucideIcon
  readonly title: string
  /** The state is the whole page: its title is the page's heading. */
  readonly page?: boolean
  readonly text?: ReactNode
  /** The next thing to do. An empty place always offers one. */
  readonly action: ReactNode
}

export function EmptyState({ icon: Icon, title, page = false, text, action }: EmptyStateProps): ReactNode {
  const Heading = page ? 'h1' : 'h2'
  return (
    <div className="state">
      {Icon === undefined ? null : <Icon aria-hidden="true" />}
      <Heading>{title}</Heading>
      {text === undefined ? null : <p>{text}</p>}
      <div className="row wrap">{action}</div>
    </div>
  )
}

const QUIET_MS = 300
const COUNT_MS = 2000

/** Nothing at first, then a word, then the seconds: a wait says how long it has been. */
export function Loading({ what = 'Loading' }: { readonly what?: string }): ReactNode {
  const [elapsedMs, setElapsedMs] = useState(0)
  useEffect(() => {
    const startMs = performance.now()
    const timer = setInterval(() => setElapsedMs(performance.now() - startMs), 250)
    return () => clearInterval(timer)
  }, [])
  if (elapsedMs < QUIET_MS) return <div className="state" aria-busy="true" />
  return (
    <output className="state" aria-busy="true">
      <span>
        {what} …
        {elapsedMs > COUNT_MS ? <span className="mono small text-3"> {Math.floor(elapsedMs / 1000)} s</span> : null}
      </span>
    </output>
  )
}
