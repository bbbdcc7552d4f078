import { useState, type KeyboardEvent, type ReactNode } from 'react'
import { RotateCcw, X } from 'lucide-react'
import { changeSettings, useSettings } from '../api/settings.ts'
import { Button } from '../parts/Button.tsx'
import { KeyCap } from '../parts/KeyCap.tsx'
import { conflictsOf, RESERVED, type Bound } from './key-changes.ts'
import { describePress } from './keys.ts'

interface KeyFieldProps {
  readonly command: Bound
  /** Among which a key must be one's own. */
  readonly all: readonly Bound[]
}

/** One action's keys: press another, with or without a modifier, switch them off, or take them back. */
export function KeyField({ command: { id, title, keys = [] }, all }: KeyFieldProps): ReactNode {
  const changed = useSettings()?.keys ?? {}
  const [listening, setListening] = useState(false)
  const [refused, setRefused] = useState<string | null>(null)
  const change = (key: string | null): void => {
    const { [id]: _before, ...others } = changed
    changeSettings({ keys: key === null ? others : { ...others, [id]: key } })
    setListening(false)
    setRefused(null)
  }
  function press(event: KeyboardEvent): void {
    if (!listening || ['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return
    if (event.key === 'Tab') return setListening(false)
    event.preventDefault()
    event.stopPropagation()
    if (event.key === 'Escape') return setListening(false)
    const key = describePress(event)
    if (RESERVED.includes(key)) return setRefused(`${key} is a key of the window.`)
    change(key)
  }
  const clashes = keys.flatMap((key) => conflictsOf(key, id, all).map((other) => other.title))
  return (
    <span className="key-field">
      <button
        type="button"
        className="btn btn-quiet btn-small"
        aria-label={listening ? `Press the new key for “${title}”` : `Change the key of “${title}”`}
        aria-pressed={listening}
        onClick={() => setListening(!listening)}
        onKeyDown={press}
        onBlur={() => setListening(false)}
      >
        {listening
          ? 'press a key …'
          : keys.length === 0
            ? 'off'
            : keys.map((key, at) => (
                <span key={key} className="row gap-1">
                  {at === 0 ? null : <span className="text-3">or</span>}
                  <KeyCap keys={key} exact spoken />
                </span>
              ))}
      </button>
      <Button
        small
        look="quiet"
        icon={X}
        aria-label={`Switch the key of “${title}” off`}
        title="Switch it off"
        disabled={changed[id] === ''}
        onClick={() => change('')}
      />
      <Button
        small
        look="quiet"
        icon={RotateCcw}
        aria-label={`Take the key of “${title}” back`}
        title="As it was"
        disabled={changed[id] === undefined}
        onClick={() => change(null)}
      />
      {refused === null && clashes.length === 0 ? null : (
        <span className="small bad key-clash" role="alert">
          {refused ?? `Also the key of ${[...new Set(clashes)].map((one) => `“${one}”`).join(', ')}.`}
        </span>
      )}
    </span>
  )
}
