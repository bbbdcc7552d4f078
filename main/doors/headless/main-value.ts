import type { RunSummary } from '../../../shared/contract/runs.ts'
import { formatNumber } from '../../../shared/units.ts'

/** What a run is judged by: at its end, and where it was best if that is elsewhere. '' before it was measured. */
export function mainValueText({ mainMetric, mainValue, best, step }: RunSummary): string {
  if (mainValue === null) return ''
  const end = `${mainMetric} ${formatNumber(mainValue)}`
  return best === null || best.step === step
    ? end
    : `${end} at step ${step}, best ${formatNumber(best.value)} at step ${best.step}`
}
