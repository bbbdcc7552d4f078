import type { ReactNode } from 'react'
import { useKeyNow } from '../frame/commands.ts'
import { showKey } from '../frame/keys.ts'

interface KeyCapProps {
  readonly keys: string
  /** This very key, whatever a person made of it. */
  readonly exact?: boolean
  /** Said to screen readers too, where no control carries it. */
  readonly spoken?: boolean
}

/** The caps of one binding. Hidden from screen readers: `aria-keyshortcuts` on the control says it to them. */
export function KeyCap({ keys, exact = false, spoken = false }: KeyCapProps): ReactNode {
  const now = useKeyNow(keys)
  const shown = exact ? keys : now
  if (shown === undefined) return null
  return (
    <span className="keys" aria-hidden={spoken ? undefined : true}>
      {showKey(shown).map((cap) => (
        <kbd key={cap}>{cap}</kbd>
      ))}
    </span>
  )
}

/** A binding in the form that `aria-keyshortcuts` wants. */
export function ariaKeys(keys: string | undefined): string | undefined {
  return keys?.split(' ').join(' ').replace('mod', 'Control').replace('shift', 'Shift').replace('alt', 'Alt')
}
