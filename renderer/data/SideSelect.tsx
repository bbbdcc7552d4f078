import type { ReactNode } from 'react'
import type { SplitName } from '../../shared/data-kinds.ts'

const SIDES = { train: 'training side', validation: 'validation side', test: 'test side' } as const

/** Which side of the split is shown; null: all of them. */
export function SideSelect({
  value,
  onChange,
}: {
  readonly value: SplitName | null
  onChange(side: SplitName | null): void
}): ReactNode {
  return (
    <select
      className="select select-small"
      aria-label="Side of the split"
      value={value ?? ''}
      onChange={(event) => onChange(event.target.value === '' ? null : (event.target.value as SplitName))} // the options below
    >
      <option value="">all sides</option>
      {Object.entries(SIDES).map(([side, words]) => (
        <option key={side} value={side}>
          {words}
        </option>
      ))}
    </select>
  )
}
