import type { ReactNode } from 'react'

interface SparklineProps {
  readonly values: readonly number[]
  /** Name of a colour token. */
  readonly colour?: string
  readonly width?: number
  readonly height?: number
  /** What it shows, for those who cannot see it. */
  readonly label: string
}

/** The shape of a curve, without axes. */
export function Sparkline({ values, colour = '--accent', width = 72, height = 18, label }: SparklineProps): ReactNode {
  const finite = values.filter((value) => Number.isFinite(value))
  if (finite.length < 2) return <span className="text-3">–</span>
  const low = Math.min(...finite)
  const span = Math.max(...finite) - low || 1
  const points = finite.map((value, at) => [2 + (at / (finite.length - 1)) * (width - 5), height - 3 - ((value - low) / span) * (height - 6)] as const)
  const end = points.at(-1) ?? [0, 0]
  return (
    <svg className="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
      <title>{label}</title>
      <polyline points={points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')} fill="none" strokeWidth="1.5" strokeLinejoin="round" style={{ stroke: `var(${colour})` }} />
      <circle cx={end[0]} cy={end[1]} r="2" style={{ fill: `var(${colour})` }} />
    </svg>
  )
}
