import { fractionOf, ticks, tickText, type ChartModel, type ChartSeries, type Range } from './chart-model.ts'
import { text, type Mark, type Palette } from './marks.ts'
import { pick, thinIndices } from './smoothing.ts'

/** The plotting area in pixels, and what it spans. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
  readonly x: Range
  readonly y: Range
}

export interface PlotStyle {
  readonly bandOpacity: number
  readonly rawOpacity: number
  /** About how many ticks each axis has. */
  readonly across: number
  readonly up: number
  /** Points of a curve that are drawn at most; the lowest and the highest of each stretch stay. */
  readonly points: number
}

/** More lines than this are drawn thin. */
const MANY_LINES = 40
/** More points than this are a curve, not measurements that stand for themselves. */
const MANY_DOTS = 60
/** Over the edge, so that the first and the last dot are whole. */
const EDGE = 3

/** Axes, bands, raw lines, lines, dots and reference lines of a chart: the one way in which a chart is drawn, on the screen and on paper. */
export function plotMarks(model: ChartModel, frame: Frame, palette: Palette, style: PlotStyle): Mark[] {
  const plot = { model, frame, palette, style }
  const thin = model.series.length > MANY_LINES
  return [
    ...axes(plot),
    {
      kind: 'clip',
      box: {
        left: frame.left - EDGE,
        top: frame.top - EDGE,
        width: frame.right - frame.left + 2 * EDGE,
        height: frame.bottom - frame.top + 2 * EDGE,
      },
      marks: [
        ...model.series.flatMap((line) => band(plot, line)),
        ...model.series.flatMap((line) => raw(plot, line)),
        ...model.references.map(({ value }): Mark => ({
          kind: 'path',
          points: acrossAt(frame, crisp(yAt(plot, value))),
          colour: palette('--text-3'),
          width: 1,
          dash: [4, 3],
          opacity: 1,
        })),
        ...model.series.flatMap((line) => lineAndDots(plot, thin ? { ...line, width: 1 } : line)),
      ],
    },
    ...model.references.flatMap(({ value, label }) => referenceLabel(plot, value, label)),
  ]
}

interface Plot {
  readonly model: ChartModel
  readonly frame: Frame
  readonly palette: Palette
  readonly style: PlotStyle
}

type Point = readonly [number, number]

/** In the middle of a pixel, where a line of one pixel is sharp. */
function crisp(at: number): number {
  return Math.round(at - 0.5) + 0.5
}

function acrossAt(frame: Frame, at: number): Point[] {
  return [
    [frame.left, at],
    [frame.right, at],
  ]
}

function axes({ model, frame, palette, style }: Plot): Mark[] {
  const plot = { model, frame }
  const grey = palette('--text-3')
  const bottom = crisp(frame.bottom)
  const axis = (points: readonly Point[]): Mark => ({
    kind: 'path',
    points,
    colour: palette('--axis'),
    width: 1,
    dash: [],
    opacity: 1,
  })
  const across = ticks(frame.x, style.across, model.xLog).map((value) => ({ value, at: xAt(plot, value) }))
  const up = ticks(frame.y, style.up, model.yLog).map((value) => ({ value, at: yAt(plot, value) }))
  return [
    ...up.map(({ at }): Mark => ({
      kind: 'path',
      points: acrossAt(frame, crisp(at)),
      colour: palette('--grid'),
      width: 1,
      dash: [],
      opacity: 1,
    })),
    axis(acrossAt(frame, bottom)),
    ...across.map(({ at }) =>
      axis([
        [crisp(at), bottom],
        [crisp(at), bottom + 4],
      ]),
    ),
    ...up.map(({ value, at }) => text([frame.left - 6, at + 4], tickText(value), grey, { anchor: 'end', mono: true })),
    ...across.map(({ value, at }) =>
      text([at, frame.bottom + 17], tickText(value), grey, { anchor: 'middle', mono: true }),
    ),
  ]
}

function xAt({ model, frame }: Pick<Plot, 'model' | 'frame'>, value: number): number {
  return frame.left + fractionOf(value, frame.x, model.xLog) * (frame.right - frame.left)
}

function yAt({ model, frame }: Pick<Plot, 'model' | 'frame'>, value: number): number {
  return frame.bottom - fractionOf(value, frame.y, model.yLog) * (frame.bottom - frame.top)
}

function isDrawable(model: ChartModel, x: number, y: number | null | undefined): y is number {
  return y !== null && y !== undefined && Number.isFinite(y) && !(model.yLog && y <= 0) && !(model.xLog && x <= 0)
}

/** Indices of rising x between which the frame lies: one more on each side, so that lines run to the edge. */
function visible(x: readonly number[], [from, to]: Range): readonly [number, number] {
  const firstFrom = firstIndex(x, (value) => value >= from)
  const firstAfter = firstIndex(x, (value) => value > to)
  return [Math.max(0, firstFrom - 1), Math.min(x.length, firstAfter + 1)]
}

/** The first index of a sorted list at which `holds` is true, by halving; the length where it never is. */
function firstIndex(sorted: readonly number[], holds: (value: number) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(sorted[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

/** What of a curve lies in the frame, cut at gaps. */
function stretches({ model, frame, style }: Plot, x: readonly number[], y: readonly (number | null)[]): Point[][] {
  const [first, end] = visible(x, frame.x)
  const values = y.slice(first, end)
  const found: Point[][] = []
  let current: Point[] | null = null
  for (const at of thinIndices(values, style.points)) {
    const across = x[first + at] ?? 0
    const value = values[at]
    if (!isDrawable(model, across, value)) {
      current = null
      continue
    }
    if (current === null) found.push((current = []))
    current.push([xAt({ model, frame }, across), yAt({ model, frame }, value)])
  }
  return found.filter(
    (points) => (points.at(-1)?.[0] ?? 0) >= frame.left - EDGE && (points[0]?.[0] ?? 0) <= frame.right + EDGE,
  )
}

function band(plot: Plot, line: ChartSeries): Mark[] {
  const { low, high } = line.band ?? { low: [], high: [] }
  const known = line.x.flatMap((x, at) =>
    isDrawable(plot.model, x, low[at]) && isDrawable(plot.model, x, high[at]) ? [at] : [],
  )
  const x = pick(line.x, known)
  const edge = (side: readonly (number | null)[]): Point[] => stretches(plot, x, pick(side, known)).flat()
  const points = [...edge(low), ...edge(high).toReversed()]
  return points.length < 4
    ? []
    : [{ kind: 'area', points, colour: plot.palette(line.colour), opacity: plot.style.bandOpacity }]
}

function raw(plot: Plot, line: ChartSeries): Mark[] {
  if (line.raw === undefined) return []
  return stretches(plot, line.x, line.raw).map((points) => ({
    kind: 'path',
    points,
    colour: plot.palette(line.colour),
    width: 1,
    dash: [],
    opacity: plot.style.rawOpacity,
  }))
}

function lineAndDots(plot: Plot, line: ChartSeries): Mark[] {
  const colour = plot.palette(line.colour)
  const found = stretches(plot, line.x, line.y)
  const width = line.faint === true ? 1 : (line.width ?? 1.75)
  const dotted = line.dots === true && line.x.length <= MANY_DOTS
  return found.flatMap((points): Mark[] => [
    { kind: 'path', points, colour, width, dash: line.dash, opacity: line.faint === true ? 0.45 : 1 },
    ...(dotted || points.length === 1
      ? points.map((at): Mark => ({ kind: 'dot', at, radius: 2.6, colour, fill: colour, width: 0 }))
      : []),
  ])
}

function referenceLabel(plot: Plot, value: number, label: string): Mark[] {
  const { frame, palette } = plot
  const at = yAt(plot, value)
  if (at < frame.top || at > frame.bottom) return []
  const below = at - frame.top < 18
  return [
    text([frame.right - 4, at + (below ? 13 : -4)], label, palette('--text-3'), {
      size: 12,
      anchor: 'end',
      halo: palette('--bg'),
    }),
  ]
}
