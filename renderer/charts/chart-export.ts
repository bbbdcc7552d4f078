import { csvText } from '../../shared/csv.ts'
import type { ChartModel } from './chart-model.ts'
import type { Figure } from './chart-marks.ts'
import { drawMark, type Fonts, type Mark, type Palette } from './marks.ts'

/** Fonts that other machines have too. */
const FONTS: Fonts = { sans: 'Helvetica, Arial, sans-serif', mono: 'Menlo, Consolas, monospace' }

/** Also without what no XML file may hold: control characters and halves of a letter. */
function escapeXml(value: string): string {
  return value
    .toWellFormed()
    .replaceAll(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function pathText(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('')
}

/** @param id of this mark, unique in the file */
function markToSvg(mark: Mark, id: string): string {
  switch (mark.kind) {
    case 'path': {
      const dash = mark.dash.length === 0 ? '' : ` stroke-dasharray="${mark.dash.join(' ')}"`
      return `<path d="${pathText(mark.points)}" fill="none" stroke="${mark.colour}" stroke-width="${mark.width}" stroke-opacity="${mark.opacity}" stroke-linejoin="round"${dash}/>`
    }
    case 'area':
      return `<path d="${pathText(mark.points)}Z" fill="${mark.colour}" fill-opacity="${mark.opacity}"/>`
    case 'dot':
      return `<circle cx="${round(mark.at[0])}" cy="${round(mark.at[1])}" r="${mark.radius}" fill="${mark.fill}" stroke="${mark.colour}" stroke-width="${mark.width}"/>`
    case 'text': {
      const turn = mark.turn ? ` transform="rotate(-90 ${round(mark.at[0])} ${round(mark.at[1])})"` : ''
      const weight = mark.bold ? ' font-weight="600"' : ''
      const halo =
        mark.halo === null ? '' : ` stroke="${mark.halo}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"`
      return `<text x="${round(mark.at[0])}" y="${round(mark.at[1])}" font-family="${mark.mono ? FONTS.mono : FONTS.sans}" font-size="${mark.size}" fill="${mark.colour}" text-anchor="${mark.anchor}"${weight}${halo}${turn}>${escapeXml(mark.text)}</text>`
    }
    case 'clip': {
      const { left, top, width, height } = mark.box
      return `<clipPath id="${id}"><rect x="${round(left)}" y="${round(top)}" width="${round(width)}" height="${round(height)}"/></clipPath><g clip-path="url(#${id})">${mark.marks.map((inside, at) => markToSvg(inside, `${id}-${at}`)).join('\n')}</g>`
    }
  }
}

/** A figure as an SVG file: real lines and real text, written from the data. */
export function figureToSvg(figure: Figure): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${figure.width}" height="${figure.height}" viewBox="0 0 ${figure.width} ${figure.height}">`,
    `<rect width="100%" height="100%" fill="${figure.background}"/>`,
    ...figure.marks.map((mark, at) => markToSvg(mark, `mark-${at}`)),
    '</svg>',
    '',
  ].join('\n')
}

/** The same figure as a bitmap of `scale` device pixels a pixel. */
export async function figureToPng(figure: Figure, scale = 3): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = figure.width * scale
  canvas.height = figure.height * scale
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('this browser gives no canvas to draw on')
  context.scale(scale, scale)
  context.fillStyle = figure.background
  context.fillRect(0, 0, figure.width, figure.height)
  for (const mark of figure.marks) drawMark(context, mark, FONTS)
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('the picture could not be encoded')) : resolve(blob)),
      'image/png',
    )
  })
}

/** Long form, one row a point, every digit: series, x, value, and where there are any raw, low, high, n. */
export function chartToCsv(model: ChartModel): string {
  const withRaw = model.series.some((line) => line.raw !== undefined)
  const withBand = model.series.some((line) => line.band !== undefined)
  const head = [
    'series',
    model.xTitle,
    withRaw ? 'smoothed' : 'value',
    ...(withRaw ? ['value'] : []),
    ...(withBand ? ['low', 'high', 'n'] : []),
  ]
  const rows = model.series.flatMap((line) =>
    line.x.map((x, at) => [
      line.faint === true ? `${line.label} (discarded)` : line.label,
      x,
      line.y[at],
      ...(withRaw ? [line.raw?.[at] ?? line.y[at]] : []),
      ...(withBand ? [line.band?.low[at], line.band?.high[at], line.counts?.[at] ?? line.n] : []),
    ]),
  )
  return csvText([head, ...rows])
}

/** Colours of the light theme, whatever the page shows: a figure is for paper. */
export function paperPalette(): Palette {
  const probe = document.createElement('div')
  probe.dataset['theme'] = 'light'
  probe.hidden = true
  document.body.append(probe)
  const style = getComputedStyle(probe)
  const known = new Map<string, string>()
  for (const token of [
    '--bg',
    '--text',
    '--text-2',
    '--text-3',
    '--grid',
    '--axis',
    '--r1',
    '--r2',
    '--r3',
    '--r4',
    '--r5',
    '--r6',
    '--r7',
    '--r8',
  ]) {
    known.set(token, style.getPropertyValue(token).trim())
  }
  probe.remove()
  return (token) => known.get(token) ?? '#000000'
}

/** "Held-out reward: run 3" → "held-out-reward-run-3"; letters and digits of any script stay. */
export function fileStem(title: string): string {
  return (
    [
      ...title
        .normalize('NFC')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '-')
        .replaceAll(/^-|-$/g, ''),
    ]
      .slice(0, 60)
      .join('') || 'chart'
  )
}

/** Hands bytes made in the page to the person, as a file in the browser's download folder. */
export function download(name: string, content: string | Blob, mime = 'text/plain'): void {
  const blob = typeof content === 'string' ? new Blob([content], { type: `${mime};charset=utf-8` }) : content
  const address = URL.createObjectURL(blob)
  const anchor = document.createElement('a')
  anchor.href = address
  anchor.download = name
  document.body.append(anchor)
  anchor.click()
  anchor.remove()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
