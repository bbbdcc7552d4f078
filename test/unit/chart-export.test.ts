import { describe, expect, test } from 'vitest'
import { chartToCsv, figureToSvg, fileStem } from '../../renderer/charts/chart-export.ts'
import { figureOfChart } from '../../renderer/charts/chart-marks.ts'
import { ticks, tickText, xRange, yRange, type ChartModel } from '../../renderer/charts/chart-model.ts'
import type { Mark } from '../../renderer/charts/marks.ts'
import { plotMarks, type Frame } from '../../renderer/charts/plot-marks.ts'
import { figureOfIntervals, reachesZero } from '../../renderer/charts/interval-marks.ts'

const model: ChartModel = {
  title: 'Loss <b> & more',
  note: 'nats',
  xTitle: 'step',
  yTitle: 'loss, nats',
  xLog: false,
  yLog: false,
  series: [
    {
      key: 'a',
      label: 'dpo, "beta"',
      x: [0, 10, 20],
      y: [1, null, 0.5],
      colour: '--r1',
      dash: [5, 3],
      band: { low: [0.9, null, 0.4], high: [1.1, null, 0.6] },
      n: 5,
    },
    { key: 'b', label: 'old', x: [0, 10], y: [1, 2], colour: '--r2', dash: [], faint: true },
  ],
  references: [{ value: 0.69, label: 'chance' }],
  bandName: '95 % interval',
}
const palette = (token: string): string => `[${token}]`

describe('the SVG of a chart', () => {
  const svg = figureToSvg(figureOfChart(model, palette, { width: 600, height: 400, zoom: null }))

  test('is written from the data: lines, band, legend with n, axis titles, reference', () => {
    expect(svg).toContain('stroke-dasharray="5 3"')
    expect(svg).toContain('>dpo, &quot;beta&quot;, n = 5<')
    expect(svg).toContain('>band: 95 % interval<'.replace('>band', '>nats, band'))
    expect(svg).toContain('>loss, nats<')
    expect(svg).toContain('>step<')
    expect(svg).toContain('>chance<')
    expect(svg).toMatch(/<path d="M[^"]+Z" fill="\[--r1\]" fill-opacity="0.16"/)
  })

  test('escapes what would break the file', () => {
    expect(svg).toContain('Loss &lt;b&gt; &amp; more')
    expect(svg).not.toContain('<b>')
  })

  test('breaks the line at a gap, and a zoom leaves out what is outside', () => {
    const pathsOf = (text: string): number => [...text.matchAll(/stroke="\[--r1\]"[^>]*stroke-dasharray/g)].length
    expect(pathsOf(svg)).toBe(3) // the legend's line and two stretches
    expect(pathsOf(figureToSvg(figureOfChart(model, palette, { width: 600, height: 400, zoom: [5, 25] })))).toBe(2)
  })
})

describe('a plot, on the screen as on paper', () => {
  const style = { bandOpacity: 0.2, rawOpacity: 0.3, across: 5, up: 5, points: 400 }
  const frame = { left: 40, right: 240, top: 10, bottom: 110, x: [4, 8], y: [0, 10] } as const
  const line = (x: readonly number[], y: readonly (number | null)[]) => ({
    key: 'a',
    label: 'a',
    x,
    y,
    colour: '--r1',
    dash: [],
  })
  const drawn = (series: ChartModel['series'], more: Partial<ChartModel> = {}, where: Frame = frame) => {
    const marks = plotMarks({ ...model, references: [], series, ...more }, where, palette, style)
    return marks.flatMap((mark) => (mark.kind === 'clip' ? mark.marks : []))
  }
  const pathsOf = (marks: readonly Mark[]) => marks.flatMap((mark) => (mark.kind === 'path' ? [mark.points] : []))

  test('zoomed in, a line runs to both edges, also where no point is between them', () => {
    expect(pathsOf(drawn([line([0, 6, 12], [0, 6, 12])]))).toEqual([
      [
        [-160, 110],
        [140, 50],
        [440, -10],
      ],
    ])
    expect(pathsOf(drawn([line([0, 20], [5, 5])]))).toEqual([
      [
        [-160, 60],
        [840, 60],
      ],
    ])
    expect(pathsOf(drawn([line([0, 1, 2], [5, 5, 5])]))).toEqual([])
  })

  test('a spike in half a million points stays, and the line does not become longer than the picture asks for', () => {
    const x = Array.from({ length: 500_000 }, (_, at) => at / 100_000)
    const y = x.map((_, at) => (at === 450_001 ? 9 : 5))
    const [path] = pathsOf(drawn([line(x, y)]))
    expect(path!.length).toBeLessThan(500)
    expect(Math.min(...path!.map(([, top]) => top))).toBe(20)
  })

  test('a point alone between gaps is a dot, and a log axis leaves out what it cannot show', () => {
    const kinds = (marks: readonly Mark[]): string[] => marks.map((mark) => mark.kind)
    expect(kinds(drawn([line([4, 5, 6], [null, 5, null])]))).toEqual(['path', 'dot'])
    expect(pathsOf(drawn([line([4, 5, 6], [-1, 5, 6])], { yLog: true }, { ...frame, y: [1, 10] }))[0]).toHaveLength(2)
  })

  test('a band is drawn where both of its sides are known', () => {
    const marks = drawn([{ ...line([4, 5, 6, 8], [1, 1, 1, 1]), band: { low: [0, null, 0, 0], high: [2, 2, 2, 2] } }])
    expect(marks.flatMap((mark) => (mark.kind === 'area' ? [mark.points] : []))).toEqual([
      [
        [40, 110],
        [140, 110],
        [240, 110],
        [240, 90],
        [140, 90],
        [40, 90],
      ],
    ])
  })
})

test('the CSV holds every point in full, missing ones empty, and names what was discarded', () => {
  expect(chartToCsv(model)).toBe(
    'series,step,value,low,high,n\r\n"dpo, ""beta""",0,1,0.9,1.1,5\r\n"dpo, ""beta""",10,,,,5\r\n"dpo, ""beta""",20,0.5,0.4,0.6,5\r\nold (discarded),0,1,,,\r\nold (discarded),10,2,,,\r\n',
  )
})

test('the CSV says of each point how many runs stand behind it, and shields names that a spreadsheet would run', () => {
  const line = {
    key: 'a',
    label: '=HYPERLINK("http://x")',
    x: [1, 2],
    y: [-1, 2],
    band: { low: [-2, null], high: [0, null] },
    colour: '--r1',
    dash: [],
    n: 3,
    counts: [3, 1],
  }
  expect(chartToCsv({ ...model, series: [line] })).toBe(
    `series,step,value,low,high,n\r\n"'=HYPERLINK(""http://x"")",1,-1,-2,0,3\r\n"'=HYPERLINK(""http://x"")",2,2,,,1\r\n`,
  )
})

test('an SVG holds no character that XML forbids', () => {
  const named = { ...model, title: 'a\u0000\u001B[2J\uFFFE\uD800b <script>' }
  expect(figureToSvg(figureOfChart(named, palette, { width: 600, height: 400, zoom: null }))).toContain(
    '>a[2J\uFFFDb &lt;script&gt;<',
  )
})

test('the CSV of a smoothed line gives the raw value too', () => {
  const line = { key: 'a', label: 'a', x: [1, 2], y: [1, 1.5], raw: [1, 2], colour: '--r1', dash: [] }
  expect(chartToCsv({ ...model, series: [line] })).toBe('series,step,smoothed,value\r\na,1,1,1\r\na,2,1.5,2\r\n')
})

describe('ranges and ticks', () => {
  test('x spans the domain even where there is no data yet', () => {
    expect(xRange({ ...model, xDomain: [0, 384] })).toEqual([0, 384])
  })

  test('y keeps a true zero as the floor and follows the zoom', () => {
    const [low, high] = yRange(model, [0, 20])
    expect([low > 0, low < 0.4, high > 2]).toEqual([true, true, true])
    expect(yRange(model, [15, 20])[1]).toBeLessThan(1)
    const positive = {
      ...model,
      references: [],
      series: [{ key: 'c', label: 'c', x: [0, 1], y: [0.01, 1], colour: '--r1', dash: [] }],
    }
    expect(yRange(positive, [0, 1])[0]).toBe(0)
  })

  test('a log axis ignores what it cannot show', () => {
    const line = { key: 'c', label: 'c', x: [0, 1, 100], y: [-1, 0.1, 10], colour: '--r1', dash: [] }
    const logs = { ...model, xLog: true, yLog: true, references: [], series: [line] }
    expect(xRange(logs)).toEqual([1, 100])
    expect(yRange(logs, [1, 100]).map((value) => Number(value.toPrecision(3)))).toEqual([0.087, 11.5])
  })

  test('ticks are round and inside', () => {
    expect(ticks([0, 384], 5, false)).toEqual([0, 100, 200, 300])
    expect(ticks([-0.13, 0.42], 5, false)).toEqual([0, 0.2, 0.4])
    expect(ticks([1e-5, 1], 6, true)).toEqual([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1])
    expect(['−0.2', '12k', '5e−4', '0'].join()).toBe(
      [tickText(-0.2), tickText(12_000), tickText(0.0005), tickText(0)].join(),
    )
  })
})

test('an interval that reaches zero is drawn with an open dot', () => {
  const rows = [
    { key: 'a', label: 'a', mean: 0.3, low: 0.1, high: 0.5, colour: '--r1', verdict: 'higher' },
    { key: 'b', label: 'b', mean: 0.1, low: 0, high: 0.2, colour: '--r2', verdict: 'cannot tell' },
  ]
  expect(rows.map(reachesZero)).toEqual([false, true])
  const dots = figureOfIntervals('Difference', 'reward', rows, true, palette).marks.filter(
    (mark) => mark.kind === 'dot',
  )
  expect(dots.map((dot) => dot.fill)).toEqual(['[--r1]', '[--bg]'])
})

test('file names are plain', () => {
  expect([fileStem('Held-out reward: run 3'), fileStem('β'), fileStem('Награда, прогон 3'), fileStem('../..')]).toEqual(
    ['held-out-reward-run-3', 'β', 'награда-прогон-3', 'chart'],
  )
})
