import type { ReactNode } from 'react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { groupDash, runColourToken } from '../parts/run-colour.ts'

const WIDTH = 84
const HEIGHT = 18

/** A few points of the main metric, without axes: is it rising? */
export function Spark({ run }: { readonly run: RunSummary }): ReactNode {
  if (run.spark.length < 2) return <span className="text-3">–</span>
  const low = Math.min(...run.spark)
  const range = Math.max(...run.spark) - low || 1
  const points = run.spark.map(
    (value, at) => `${(at / (run.spark.length - 1)) * WIDTH},${HEIGHT - 2 - ((value - low) / range) * (HEIGHT - 4)}`,
  )
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <polyline
        points={points.join(' ')}
        fill="none"
        strokeWidth="1.5"
        strokeDasharray={groupDash(run.groupHash).join(' ')}
        style={{ stroke: `var(${runColourToken(run.runId)})` }}
      />
    </svg>
  )
}
