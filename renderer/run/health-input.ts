import type { MetricInfo } from '../../shared/domain.ts'
import type { Curve, Curves } from './run-series.ts'

/** One plain sentence about the state of a run, with the numbers in it. */
export interface HealthNote {
  readonly id: string
  readonly tone: 'good' | 'warn' | 'bad' | 'info'
  readonly text: string
}

export interface HealthInput {
  readonly curves: Curves
  readonly mainMetric: string | null
  readonly infos: readonly MetricInfo[]
  readonly totalSteps: number
  readonly live: boolean
  /** The reference follows the policy: what is measured against it starts afresh each time. */
  readonly referenceMoves?: boolean
}

/** Past this many nats a sequence, samples usually no longer look like the reference's. */
export const KL_WATCH_NATS = 10
/** Rules about direction wait for this share of the run, because the first steps say nothing. */
export const EARLY_SHARE = 0.2

export function show(value: number): string {
  return Number(value.toPrecision(3)).toString().replace('-', '−')
}

export interface Ends {
  readonly first: number
  readonly last: number
  readonly lastStep: number
}

/** Mean over the first and over the last tenth (5 to 20 points), so that noise of single steps says nothing. */
export function endsOf(curve: Curve | undefined): Ends | null {
  if (curve === undefined) return null
  const values = curve.value.filter((value): value is number => value !== null)
  if (values.length < 10) return null
  const width = Math.min(20, Math.max(5, Math.floor(values.length / 10)))
  const mean = (part: readonly number[]): number => part.reduce((sum, value) => sum + value, 0) / part.length
  return { first: mean(values.slice(0, width)), last: mean(values.slice(-width)), lastStep: curve.step.at(-1) ?? 0 }
}
