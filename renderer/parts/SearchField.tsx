import type { ReactNode, Ref } from 'react'

interface SearchFieldProps {
  readonly ref: Ref<HTMLInputElement>
  readonly label: string
  readonly placeholder: string
  readonly value: string
  /** Takes the room that its row has left. */
  readonly grows?: boolean
  onChange(text: string): void
}

/** What a list is searched by. `/` leads to it on every page that has one; Enter and Escape leave it, so that keys are keys again. */
export function SearchField({ ref, label, placeholder, value, grows = false, onChange }: SearchFieldProps): ReactNode {
  return (
    <input
      ref={ref}
      className={`input input-small${grows ? ' grow' : ''}`}
      type="search"
      placeholder={placeholder}
      aria-label={label}
      aria-keyshortcuts="/"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur()
      }}
    />
  )
}
