import type { ReactNode } from 'react'

/** @param value 0 to 1; null when the end is not known */
export function ProgressBar({
  value,
  label,
  width,
}: {
  readonly value: number | null
  readonly label: string
  readonly width?: number
}): ReactNode {
  const percent = value === null ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 1000) / 10
  return (
    <span
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      data-unknown={value === null}
      style={{ width }}
    >
      <span style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </span>
  )
}
