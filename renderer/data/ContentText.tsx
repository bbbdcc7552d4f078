import type { ReactNode } from 'react'
import type { Content } from '../../shared/data-kinds.ts'

/** Text as it stands, or the turns of a conversation with their roles. An empty one says so. */
export function ContentText({ value }: { readonly value: Content }): ReactNode {
  if (typeof value === 'string')
    return value === '' ? <em className="text-3">empty</em> : <span className="content-text">{value}</span>
  if (value.length === 0) return <em className="text-3">empty</em>
  return (
    <div className="col gap-1">
      {value.map((turn, at) => (
        <div key={`${at} ${turn.role}`}>
          <span className="small text-3">{turn.role}</span>
          <div className="content-text">{turn.content}</div>
        </div>
      ))}
    </div>
  )
}
