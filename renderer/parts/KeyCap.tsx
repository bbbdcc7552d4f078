import type { ReactNode } from 'react'
import { showKey } from '../frame/keys.ts'

/** The caps of one binding. Hidden from screen readers: `aria-keyshortcuts` on the control says it to them. */
export function KeyCap({ keys }: { readonly keys: string }): ReactNode {
  return (
    <span className="keys" aria-hidden="true">
      {showKey(keys).map((cap) => (
        <kbd key={cap}>{cap}</kbd>
      ))}
    </span>
  )
}

/** A binding in the form that `aria-keyshortcuts` wants. */
export function ariaKeys(keys: string | undefined): string | undefined {
  return keys?.split(' ').join(' ').replace('mod', 'Control').replace('shift', 'Shift')
}
