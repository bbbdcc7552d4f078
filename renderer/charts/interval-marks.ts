import { ticks, tickText, type Range } from './chart-model.ts'
import type { Figure } from './chart-marks.ts'
import { text, type Mark, type Palette } from './marks.ts'

export interface IntervalRow {
  readonly key: string
  readonly label: string
  readonly mean: number | null
  readonly low: number | null
  readonly high: number | null
  readonly colour: string
  /** A word on the right: higher, lower, cannot tell. */
  readonly verdict?: string | undefined
}

/** True when zero lies inside the interval: the direction cannot be told. */
export function reachesZero(row: Pick<IntervalRow, 'low' | 'high'>): boolean {
  return row.low === null || row.high === null || (row.low <= 0 && row.high >= 0)
}

/** Common range of several intervals, with air; takes zero in when asked. */
export function intervalRange(rows: readonly Pick<IntervalRow, 'mean' | 'low' | 'high'>[], withZero: boolean): Range {
  const values = rows
    .flatMap((row) => [row.mean, row.low, row.high])
    .filter((value): value is number => value !== null && Number.isFinite(value))
  if (withZero) values.push(0)
  if (values.length === 0) return [0, 1]
  const low = Math.min(...values)
  const high = Math.max(...values)
  const pad = high === low ? Math.abs(high) * 0.1 || 0.5 : (high - low) * 0.08
  return [low - pad, high + pad]
}

/** The interval plot as a figure for paper. */
export function figureOfIntervals(
  title: string,
  axis: string,
  rows: readonly IntervalRow[],
  withZero: boolean,
  palette: Palette,
): Figure {
  const width = 720
  const height = 84 + rows.length * 26
  const [from, to] = [190, width - 110]
  const range = intervalRange(rows, withZero)
  const at = (value: number): number => from + ((value - range[0]) / (range[1] - range[0])) * (to - from)
  const bottom = height - 44
  const grid = ticks(range, 6, false).flatMap((value): Mark[] => [
    {
      kind: 'path',
      points: [
        [at(value), 36],
        [at(value), bottom],
      ],
      colour: palette(value === 0 && withZero ? '--text-2' : '--grid'),
      width: 1,
      dash: [],
      opacity: 1,
    },
    text([at(value), bottom + 15], tickText(value), palette('--text-3'), { anchor: 'middle', mono: true }),
  ])
  return {
    width,
    height,
    background: palette('--bg'),
    marks: [
      text([20, 22], title, palette('--text'), { size: 14, bold: true }),
      ...grid,
      text([(from + to) / 2, bottom + 34], axis, palette('--text-2'), { anchor: 'middle' }),
      ...rows.flatMap((row, index) => rowMarks(row, 36 + (index + 0.5) * 26, at, withZero, width, palette)),
    ],
  }
}

function rowMarks(
  row: IntervalRow,
  y: number,
  at: (value: number) => number,
  withZero: boolean,
  width: number,
  palette: Palette,
): Mark[] {
  const colour = palette(row.colour)
  const marks: Mark[] = [text([20, y + 4], row.label, palette('--text'))]
  if (row.low !== null && row.high !== null) {
    marks.push({
      kind: 'path',
      points: [
        [at(row.low), y],
        [at(row.high), y],
      ],
      colour,
      width: 1.6,
      dash: [],
      opacity: 1,
    })
    for (const end of [row.low, row.high])
      marks.push({
        kind: 'path',
        points: [
          [at(end), y - 4],
          [at(end), y + 4],
        ],
        colour,
        width: 1.6,
        dash: [],
        opacity: 1,
      })
  }
  if (row.mean !== null)
    marks.push({
      kind: 'dot',
      at: [at(row.mean), y],
      radius: 4.5,
      colour,
      fill: withZero && reachesZero(row) ? palette('--bg') : colour,
      width: 1.6,
    })
  if (row.verdict !== undefined)
    marks.push(text([width - 20, y + 4], row.verdict, palette('--text-2'), { anchor: 'end' }))
  return marks
}
