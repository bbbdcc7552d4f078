import { useViewState } from '../api/settings.ts'
import type { XAxis } from './run-charts.ts'

export const SMOOTHING_DEFAULT = 0.6

interface RunView {
  readonly xAxis: XAxis
  readonly smoothing: number
  readonly xLog: boolean
  /** Charts whose y axis is logarithmic. */
  readonly yLog: readonly string[]
}

interface RunViewState extends RunView {
  change(change: Partial<RunView>): void
  toggleYLog(id: string): void
}

const INITIAL = { xAxis: 'step', smoothing: SMOOTHING_DEFAULT, xLog: false, yLog: '' }

/** How the charts of every run are drawn; remembered with the settings. */
export function useRunView(): RunViewState {
  const [stored, store] = useViewState<Record<string, string | number | boolean>>('run.charts', INITIAL)
  const yLog = String(stored['yLog'] ?? '')
    .split(' ')
    .filter((id) => id !== '')
  const view: RunView = {
    xAxis: stored['xAxis'] === 'pairs' || stored['xAxis'] === 'time' ? stored['xAxis'] : 'step',
    smoothing: typeof stored['smoothing'] === 'number' ? stored['smoothing'] : SMOOTHING_DEFAULT,
    xLog: stored['xLog'] === true,
    yLog,
  }
  const change = (next: Partial<RunView>): void => {
    const all = { ...view, ...next }
    store({ ...all, yLog: all.yLog.join(' ') })
  }
  return {
    ...view,
    change,
    toggleYLog: (id) => change({ yLog: yLog.includes(id) ? yLog.filter((other) => other !== id) : [...yLog, id] }),
  }
}
