import type { ReactNode } from 'react'

interface PanelProps {
  readonly title?: ReactNode
  /** Beside the title, in small grey. */
  readonly note?: ReactNode
  /** On the right of the head. */
  readonly actions?: ReactNode
  readonly className?: string
  /** No padding: the child is a table or a chart that reaches the edge. */
  readonly flush?: boolean
  readonly children: ReactNode
}

export function Panel({ title, note, actions, className = '', flush = false, children }: PanelProps): ReactNode {
  return (
    <section className={`panel ${className}`}>
      {title === undefined ? null : (
        <div className="panel-head">
          <h2>{title}</h2>
          {note === undefined ? null : <span className="small text-3 ellipsis">{note}</span>}
          <span className="grow" />
          {actions}
        </div>
      )}
      {flush ? children : <div className="panel-body">{children}</div>}
    </section>
  )
}

/** A part of a side panel. */
export function Section({ title, note, actions, children }: Omit<PanelProps, 'className' | 'flush'>): ReactNode {
  return (
    <section className="section">
      {title === undefined ? null : (
        <div className="section-head">
          <h2>{title}</h2>
          <span className="grow" />
          {note === undefined ? null : <span className="small text-3">{note}</span>}
          {actions}
        </div>
      )}
      {children}
    </section>
  )
}
