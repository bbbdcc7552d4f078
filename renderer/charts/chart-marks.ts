import { xRange, yRange, type ChartModel, type ChartSeries, type Range } from './chart-model.ts'
import { text, type Mark, type Palette } from './marks.ts'
import { plotMarks, type Frame, type PlotStyle } from './plot-marks.ts'

export interface Figure {
  readonly width: number
  readonly height: number
  readonly background: string
  readonly marks: readonly Mark[]
}

const LEGEND_LINE = 18
const ON_PAPER: PlotStyle = { bandOpacity: 0.16, rawOpacity: 0.3, across: 7, up: 6, points: 4000 }

/** A chart as a figure for paper: title, axis titles with units, legend with n, bands, reference lines. */
export function figureOfChart(
  model: ChartModel,
  palette: Palette,
  size: { readonly width: number; readonly height: number; readonly zoom: Range | null },
): Figure {
  const named = model.series.filter((line) => line.faint !== true)
  const perRow = Math.max(1, Math.floor((size.width - 80) / 190))
  const legendRows = Math.ceil(named.length / perRow)
  const x = size.zoom ?? xRange(model)
  const frame: Frame = {
    left: 64,
    right: size.width - 20,
    top: 40 + legendRows * LEGEND_LINE,
    bottom: size.height - 48,
    x,
    y: yRange(model, x),
  }
  const note = [model.note, model.bandName === null ? '' : `band: ${model.bandName}`]
    .filter((part) => part !== '')
    .join(', ')
  return {
    width: size.width,
    height: size.height,
    background: palette('--bg'),
    marks: [
      text([frame.left, 22], model.title, palette('--text'), { size: 14, bold: true }),
      text([size.width - 20, 22], note, palette('--text-3'), { anchor: 'end' }),
      ...named.flatMap((line, at) =>
        legendEntry(line, [frame.left + (at % perRow) * 190, 42 + Math.floor(at / perRow) * LEGEND_LINE], palette),
      ),
      text(
        [(frame.left + frame.right) / 2, frame.bottom + 38],
        `${model.xTitle}${model.xLog ? ', log scale' : ''}`,
        palette('--text-2'),
        { anchor: 'middle' },
      ),
      text(
        [16, (frame.top + frame.bottom) / 2],
        `${model.yTitle}${model.yLog ? ', log scale' : ''}`,
        palette('--text-2'),
        { anchor: 'middle', turn: true },
      ),
      ...plotMarks(model, frame, palette, ON_PAPER),
    ],
  }
}

function legendEntry(line: ChartSeries, [left, top]: readonly [number, number], palette: Palette): Mark[] {
  return [
    {
      kind: 'path',
      points: [
        [left, top],
        [left + 22, top],
      ],
      colour: palette(line.colour),
      width: 2,
      dash: line.dash,
      opacity: 1,
    },
    text([left + 28, top + 4], line.n === undefined ? line.label : `${line.label}, n = ${line.n}`, palette('--text')),
  ]
}
