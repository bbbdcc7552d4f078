/** What a chart shows, free of any way to draw it: the same model goes to the canvas, to SVG, to PNG and to CSV. */

export interface ChartBand {
  readonly low: readonly (number | null)[]
  readonly high: readonly (number | null)[]
}

export interface ChartSeries {
  readonly key: string
  readonly label: string
  /** Rising. */
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
  /** The values before smoothing, on the same x; drawn faint behind. */
  readonly raw?: readonly (number | null)[] | undefined
  /** Name of a colour token: `--r1`. */
  readonly colour: string
  /** Strokes and gaps in pixels; empty is a full line. */
  readonly dash: readonly number[]
  readonly width?: number
  /** Left behind by a resume, or one member of a group: thin and pale, not in the legend. */
  readonly faint?: boolean
  /** Not in the legend on screen, because another line stands for it; the exported figure names it. */
  readonly unnamed?: boolean
  /** Few points that stand for themselves, such as evaluations. */
  readonly dots?: boolean
  readonly band?: ChartBand | undefined
  /** How many runs stand behind the line. */
  readonly n?: number
  /** How many stand behind each of its points, where it is not the same number. */
  readonly counts?: readonly number[]
}

export interface ReferenceLine {
  readonly value: number
  readonly label: string
}

export interface ChartModel {
  readonly title: string
  /** Beside the title: unit, what the band is. */
  readonly note: string
  readonly xTitle: string
  /** With its unit, for the exported figure. */
  readonly yTitle: string
  readonly xLog: boolean
  readonly yLog: boolean
  /** The whole of x, also where there is no data yet. */
  readonly xDomain?: readonly [number, number] | undefined
  readonly series: readonly ChartSeries[]
  readonly references: readonly ReferenceLine[]
  /** What the bands are: "95 % interval". Null without bands. */
  readonly bandName: string | null
}

export type Range = readonly [number, number]

function finite(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value)
}

/** Range of x over all series; on a log axis of the positive values only. */
export function xRange(model: ChartModel): Range {
  let low = model.xDomain?.[0] ?? Number.POSITIVE_INFINITY
  let high = model.xDomain?.[1] ?? Number.NEGATIVE_INFINITY
  for (const line of model.series) {
    const first = model.xLog ? line.x.find((x) => x > 0) : line.x[0]
    const last = line.x.at(-1)
    if (first !== undefined && first < low) low = first
    if (last !== undefined && last > high) high = last
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) return model.xLog ? [1, 10] : [0, 1]
  if (model.xLog && low <= 0) low = Math.min(1, high / 10)
  return high > low ? [low, high] : [low, low + (model.xLog ? low * 9 : 1)]
}

/** Range of y over what is visible between the ends of `x`, with a little air. */
export function yRange(model: ChartModel, [from, to]: Range): Range {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  const take = (value: number | null | undefined): void => {
    if (!finite(value) || (model.yLog && value <= 0)) return
    if (value < low) low = value
    if (value > high) high = value
  }
  for (const line of model.series) {
    for (let at = 0; at < line.x.length; at += 1) {
      const x = line.x[at] ?? Number.NaN
      if (x < from || x > to) continue
      take(line.y[at])
      take(line.raw?.[at])
      take(line.band?.low[at])
      take(line.band?.high[at])
    }
  }
  for (const reference of model.references) take(reference.value)
  if (low > high) return model.yLog ? [1, 10] : [0, 1]
  if (model.yLog) return high > low ? [low / 1.15, high * 1.15] : [low / 3, high * 3]
  if (high === low) {
    const pad = Math.abs(high) * 0.1 || 1
    return [low - pad, high + pad]
  }
  const pad = (high - low) * 0.06
  // A quantity that is never negative keeps the true zero as its floor.
  return [low >= 0 && low - pad < 0 ? 0 : low - pad, high + pad]
}

/** Position between the ends, 0 to 1. */
export function fractionOf(value: number, [low, high]: Range, log: boolean): number {
  if (log) return (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
  return (value - low) / (high - low)
}

export function valueAt(fraction: number, [low, high]: Range, log: boolean): number {
  if (log) return Math.exp(Math.log(low) + fraction * (Math.log(high) - Math.log(low)))
  return low + fraction * (high - low)
}

/** Round values inside a range: steps of 1, 2 or 5 × 10ᵏ; decades on a log axis. */
export function ticks([low, high]: Range, count: number, log: boolean): number[] {
  if (log) return logTicks(low, high, count)
  const rough = (high - low) / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10)
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + 1)
  const found: number[] = []
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1)
    found.push(Number((at * step).toFixed(Math.min(12, digits))))
  return found
}

function logTicks(low: number, high: number, count: number): number[] {
  const from = Math.floor(Math.log10(low))
  const to = Math.ceil(Math.log10(high))
  const decades = Math.max(1, to - from)
  const factors = decades * 3 <= count ? [1, 2, 5] : decades * 2 <= count ? [1, 3] : [1]
  const stride = Math.max(1, Math.ceil(decades / Math.max(1, count)))
  const found: number[] = []
  for (let power = from; power <= to; power += stride) {
    for (const factor of factors) {
      const value = Number((factor * 10 ** power).toPrecision(3))
      if (value >= low * 0.999 && value <= high * 1.001) found.push(value)
    }
  }
  return found
}

/** Where the crosshair stands, as finely as the range makes sense of: whole steps where there are many. */
export function crosshairText(x: number, [low, high]: Range): string {
  const span = high - low
  return tickText(span >= 20 ? Math.round(x) : Number(x.toPrecision(3)))
}

/** An axis figure: 12,000 → "12k", 0.0005 → "5e−4", with a real minus. */
export function tickText(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential().replace('e+', 'e').replaceAll('-', '−')
  if (size >= 10_000) return `${Number((value / 1000).toPrecision(4))}k`.replace('-', '−')
  return String(Number(value.toPrecision(6))).replace('-', '−')
}

/**
 * Corner with the fewest marks, for the legend.
 * @param share how much of the plot's width and height the legend takes, 0 to 1
 */
export function emptiestCorner(
  model: ChartModel,
  x: Range,
  y: Range,
  share: { readonly width: number; readonly height: number },
): 'top-right' | 'top-left' | 'bottom-right' | 'bottom-left' {
  const counts = { 'top-right': 0, 'top-left': 0, 'bottom-right': 0, 'bottom-left': 0 }
  const width = Math.min(0.6, share.width)
  const height = Math.min(0.5, share.height)
  for (const line of model.series) {
    if (line.faint === true) continue
    const stride = Math.max(1, Math.floor(line.x.length / 200))
    for (let at = 0; at < line.x.length; at += stride) {
      const value = line.y[at]
      if (!finite(value)) continue
      const across = fractionOf(line.x[at] ?? 0, x, model.xLog)
      const up = fractionOf(value, y, model.yLog)
      const side = across > 1 - width ? 'right' : across < width ? 'left' : null
      const end = up > 1 - height ? 'top' : up < height ? 'bottom' : null
      if (side !== null && end !== null) counts[`${end}-${side}`] += 1 / line.x.length
    }
  }
  const order = ['top-right', 'top-left', 'bottom-right', 'bottom-left'] as const
  return order.reduce((best, corner) => (counts[corner] < counts[best] - 0.02 ? corner : best))
}
