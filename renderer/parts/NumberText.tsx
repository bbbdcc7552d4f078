import type { ReactNode } from 'react'
import { formatInterval, formatNumber } from '../../shared/units.ts'

interface NumberTextProps {
  readonly value: number | null | undefined
  /** The interval around it; its width decides the digits. */
  readonly low?: number | null | undefined
  readonly high?: number | null | undefined
  readonly n?: number | undefined
}

/** 0.713 ± 0.031, n = 5; the full number on hover. Missing is "–". */
export function NumberText({ value, low, high, n }: NumberTextProps): ReactNode {
  if (value === null || value === undefined) return <span className="mono text-3">–</span>
  const half = low === null || low === undefined || high === null || high === undefined ? null : (high - low) / 2
  const exact = half === null ? String(value) : `${value} [${low}, ${high}]${n === undefined ? '' : `, n = ${n}`}`
  return (
    <span className="mono nowrap" title={exact}>
      {half === null ? formatNumber(value) : formatInterval(value, half)}
      {n === undefined ? null : <span className="text-3"> n = {n}</span>}
    </span>
  )
}
