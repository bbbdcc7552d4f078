import type { ReactNode } from 'react'
import type { Content } from '../../shared/data-kinds.ts'

/** What was asked. Scrolls by itself when it is long, so that the answers keep their room. */
export function PromptView({ prompt }: { readonly prompt: Content }): ReactNode {
  return (
    <div className="prompt" tabIndex={0} role="group" aria-label="Prompt">
      {typeof prompt === 'string' ? (
        <p>{prompt.trim() === '' ? <span className="text-3">The prompt is empty.</span> : prompt}</p>
      ) : (
        prompt.map((turn, at) => (
          <p key={`${at} ${turn.role}`}>
            <span className="turn">{turn.role}</span>
            {turn.content}
          </p>
        ))
      )}
    </div>
  )
}
