import { useEffect, useRef, type ReactNode } from 'react'
import type { Content } from '../../shared/data-kinds.ts'

/** What was asked. It has what the answers leave of the page, and scrolls where that is not enough. */
export function PromptView({ prompt }: { readonly prompt: Content }): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  // The style sheet cannot ask how high a text would be; of a short one no room is kept.
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const measure = (): void => element.style.setProperty('--prompt-height', `${element.scrollHeight}px`)
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [prompt])
  return (
    <div ref={box} className="prompt" tabIndex={0} role="group" aria-label="Prompt">
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
