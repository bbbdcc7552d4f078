import type { ReactNode } from 'react'
import { Check, Info, TriangleAlert, X } from 'lucide-react'

const MARKS = { good: Check, warn: TriangleAlert, bad: X, info: Info } as const

/** One plain sentence with the number in it and at most one action. */
export function Say({
  tone,
  children,
}: {
  readonly tone: keyof typeof MARKS
  readonly children: ReactNode
}): ReactNode {
  const Mark = MARKS[tone]
  return (
    <div className="say">
      <Mark className={`icon ${tone === 'info' ? 'accent' : tone}`} aria-hidden="true" />
      <span className="grow">{children}</span>
    </div>
  )
}
