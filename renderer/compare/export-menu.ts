import { csvText } from '../../shared/csv.ts'
import type { ChartModel, Range } from '../charts/chart-model.ts'
import { download } from '../charts/chart-export.ts'
import { chartMenu, figureItems } from '../charts/chart-menu.ts'
import { figureOfIntervals, type IntervalRow } from '../charts/interval-marks.ts'
import { asAppError } from '../api/client.ts'
import { callApp } from '../api/queries.ts'
import type { MenuItem } from '../parts/MenuButton.tsx'
import { showToast } from '../parts/toast.tsx'
import { differenceRows } from './compare-charts.ts'
import { arrowOf } from '../../shared/metric-names.ts'
import type { CompareState } from './use-compare.ts'

async function withTable(
  state: CompareState,
  format: 'csv' | 'latex' | 'markdown',
  give: (text: string) => void | Promise<void>,
): Promise<void> {
  try {
    await give(
      await callApp('comparisons.table', { ...state.input, format, metrics: [state.metric, ...state.columns] }),
    )
  } catch (error) {
    showToast(asAppError(error).message, { tone: 'bad' })
  }
}

function differencesCsv(rows: readonly IntervalRow[]): string {
  const lines = rows.map((row) => [row.label, row.mean, row.low, row.high, row.verdict])
  return csvText([['configuration', 'difference', 'low', 'high', 'verdict'], ...lines])
}

/** Everything of the page that can be taken along. */
export function exportMenu(state: CompareState, model: ChartModel, zoom: Range | null): MenuItem[] {
  const copy =
    (format: 'latex' | 'markdown') =>
    async (text: string): Promise<void> => {
      await navigator.clipboard.writeText(text)
      showToast(`The ${format === 'latex' ? 'LaTeX' : 'Markdown'} table is copied.`)
    }
  const rows = state.comparison === undefined ? [] : differenceRows(state.comparison, state.looks)
  const axis = `difference in ${state.info.label} ${arrowOf(state.info.goal)}`
  return [
    {
      id: 'csv',
      title: 'Table as CSV',
      run: () => void withTable(state, 'csv', (text) => download('comparison.csv', text, 'text/csv')),
    },
    {
      id: 'tex',
      title: 'Table as LaTeX',
      run: () => void withTable(state, 'latex', (text) => download('comparison.tex', text, 'application/x-tex')),
    },
    { id: 'copy-tex', title: 'Copy the LaTeX table', run: () => void withTable(state, 'latex', copy('latex')) },
    { id: 'copy-md', title: 'Copy the Markdown table', run: () => void withTable(state, 'markdown', copy('markdown')) },
    ...chartMenu('comparison', model, zoom).map((item) => ({
      ...item,
      title: item.title.replace('Save as', 'Curves as').replace('Save the data as', 'Curves as'),
    })),
    ...(rows.length === 0
      ? []
      : figureItems('difference.', () => ({
          name: 'differences',
          figure: (palette) => figureOfIntervals('Difference from the baseline', axis, rows, true, palette),
          csv: differencesCsv(rows),
        })).map((item) => ({
          ...item,
          title: item.title.replace('Save as', 'Differences as').replace('Save the data as', 'Differences as'),
        }))),
  ]
}
