import type { ReactNode } from 'react'

export function Chip({
  tone = 'plain',
  title,
  children,
}: {
  readonly tone?: 'plain' | 'good' | 'warn' | 'bad' | 'accent'
  readonly title?: string
  readonly children: ReactNode
}): ReactNode {
  return (
    <span className={`chip chip-${tone}`} title={title}>
      {children}
    </span>
  )
}
