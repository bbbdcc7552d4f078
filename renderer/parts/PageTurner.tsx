import type { ReactNode } from 'react'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { Button } from './Button.tsx'

interface PageTurnerProps {
  /** What is listed: “documents”. */
  readonly what: string
  readonly offset: number
  /** Rows of a page. */
  readonly size: number
  readonly total: number
  /** To the row that a page begins with, not below 0. */
  onGo(offset: number): void
}

/** To the page before and to the next one. */
export function PageTurner({ what, offset, size, total, onGo }: PageTurnerProps): ReactNode {
  return (
    <>
      <Button
        small
        icon={ArrowUp}
        aria-label={`Earlier ${what}`}
        disabled={offset === 0}
        onClick={() => onGo(Math.max(0, offset - size))}
      />
      <Button
        small
        icon={ArrowDown}
        aria-label={`Later ${what}`}
        disabled={offset + size >= total}
        onClick={() => onGo(offset + size)}
      />
    </>
  )
}
