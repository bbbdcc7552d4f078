import type { ReactNode } from 'react'
import { groupDash, runColourToken } from './run-colour.ts'

export function RunSwatch({ runId, groupHash }: { readonly runId: string; readonly groupHash: string }): ReactNode {
  return (
    <svg className="swatch" viewBox="0 0 16 8" aria-hidden="true">
      <line
        x1="0"
        y1="4"
        x2="16"
        y2="4"
        strokeWidth="2.5"
        strokeDasharray={groupDash(groupHash).join(' ')}
        style={{ stroke: `var(${runColourToken(runId)})` }}
      />
    </svg>
  )
}
