import { useId, type ReactNode } from 'react'
import { KeyCap, ariaKeys } from './KeyCap.tsx'

export interface Choice<T extends string> {
  readonly value: T
  readonly label: string
  readonly keys?: string | undefined
  readonly disabled?: boolean
}

interface SegmentedProps<T extends string> {
  /** Said to screen readers; drawn as the first cell with `showTitle`. */
  readonly title: string
  readonly showTitle?: boolean
  readonly small?: boolean
  readonly value: T
  readonly choices: readonly Choice<T>[]
  onChange(value: T): void
}

/** One of a few: native radio buttons drawn as one bar. */
export function Segmented<T extends string>({
  title,
  showTitle = false,
  small = false,
  value,
  choices,
  onChange,
}: SegmentedProps<T>): ReactNode {
  const name = useId()
  return (
    <div role="radiogroup" aria-label={title} className={`segmented ${small ? 'segmented-small' : ''}`}>
      {showTitle ? (
        <span className="segmented-title" aria-hidden="true">
          {title}
        </span>
      ) : null}
      {choices.map((choice) => (
        <label key={choice.value}>
          <input
            className="hidden-visually"
            type="radio"
            name={name}
            checked={choice.value === value}
            disabled={choice.disabled === true}
            aria-keyshortcuts={ariaKeys(choice.keys)}
            onChange={() => onChange(choice.value)}
          />
          {choice.label}
          {choice.keys === undefined ? null : <KeyCap keys={choice.keys} />}
        </label>
      ))}
    </div>
  )
}
