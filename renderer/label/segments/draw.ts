import type { Scene, Shape, Stage, Tone } from './scene.ts'

export interface Colours {
  readonly text: string
  readonly line: string
  readonly accent: string
  readonly good: string
  readonly fixed: string
}

/** Of the theme in force. */
export function readColours(element: Element): Colours {
  const style = getComputedStyle(element)
  const of = (name: string): string => style.getPropertyValue(name).trim()
  return { text: of('--text'), line: of('--line'), accent: of('--accent'), good: of('--good'), fixed: of('--text-3') }
}

const toneColour = (colours: Colours, tone: Tone): string =>
  ({ body: colours.text, moving: colours.accent, target: colours.good, fixed: colours.fixed })[tone]

interface Picture {
  readonly stage: Stage
  readonly frames: readonly (readonly number[])[]
  readonly frame: number
  /** Earlier moments, faint, and the path so far. */
  readonly ghosts: boolean
  readonly colours: Colours
}

const GHOST_STEPS = 12
const GRID_LINES = 10

/** Draws one moment into a canvas of any size, sharp on dense screens. */
export function drawMoment(canvas: HTMLCanvasElement, { stage, frames, frame, ghosts, colours }: Picture): void {
  const context = fitCanvas(canvas)
  if (context === null) return
  const [width, height] = [canvas.clientWidth, canvas.clientHeight]
  context.clearRect(0, 0, width, height)
  const now = stage.scene(frames[frame] ?? [])
  const [left, bottom, right, top] = stage.view
  const scale = Math.min(width / (right - left), height / (top - bottom))
  const middle: readonly [number, number] = [(left + right) / 2 + (stage.follows ? now.tip[0] : 0), (bottom + top) / 2]
  const place = ([x, y]: readonly [number, number]): [number, number] => [
    width / 2 + (x - middle[0]) * scale,
    height / 2 - (y - middle[1]) * scale,
  ]
  drawGrid(context, colours, width, height, scale, middle, (right - left) / GRID_LINES)
  const drawScene = (scene: Scene): void =>
    scene.shapes.forEach((shape) => drawShape(context, shape, toneColour(colours, shape.tone), scale, place))
  if (ghosts) {
    const path = frames.slice(0, frame + 1).map((qpos) => stage.scene(qpos))
    for (let at = frame % GHOST_STEPS; at < frame; at += GHOST_STEPS) {
      context.globalAlpha = 0.16
      drawScene({ ...path[at]!, shapes: path[at]!.shapes.filter(({ tone }) => tone === 'body' || tone === 'moving') })
    }
    context.globalAlpha = 1
    drawPath(
      context,
      path.map(({ tip }) => place(tip)),
      colours.accent,
    )
  }
  drawScene(now)
}

function fitCanvas(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)]
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const context = canvas.getContext('2d')
  context?.setTransform(ratio, 0, 0, ratio, 0, 0)
  return context
}

function drawGrid(
  context: CanvasRenderingContext2D,
  colours: Colours,
  width: number,
  height: number,
  scale: number,
  middle: readonly [number, number],
  everyM: number,
): void {
  context.strokeStyle = colours.line
  context.lineWidth = 1
  context.beginPath()
  const step = everyM * scale
  const offset = (size: number, at: number): number => (((size / 2 - at * scale) % step) + step) % step
  for (let x = offset(width, middle[0]); x < width; x += step) context.rect(Math.round(x) + 0.5, 0, 0, height)
  for (let y = offset(height, -middle[1]); y < height; y += step) context.rect(0, Math.round(y) + 0.5, width, 0)
  context.stroke()
}

function drawShape(
  context: CanvasRenderingContext2D,
  shape: Shape,
  colour: string,
  scale: number,
  place: (point: readonly [number, number]) => [number, number],
): void {
  context.strokeStyle = colour
  context.fillStyle = colour
  context.beginPath()
  if (shape.kind === 'disc') {
    context.arc(...place(shape.at), Math.max(2.5, shape.radiusM * scale), 0, 2 * Math.PI)
    context.lineWidth = 1.5
    if (shape.hollow === true) context.stroke()
    else context.fill()
    return
  }
  context.lineWidth = Math.max(1.5, shape.widthM * scale)
  context.lineCap = 'round'
  context.lineJoin = 'round'
  shape.points.forEach((point, at) => (at === 0 ? context.moveTo(...place(point)) : context.lineTo(...place(point))))
  context.stroke()
}

function drawPath(
  context: CanvasRenderingContext2D,
  points: readonly (readonly [number, number])[],
  colour: string,
): void {
  context.strokeStyle = colour
  context.lineWidth = 1.5
  context.beginPath()
  points.forEach((point, at) => (at === 0 ? context.moveTo(...point) : context.lineTo(...point)))
  context.stroke()
}

export interface Curve {
  readonly name: string
  readonly values: readonly number[]
  readonly dash: readonly number[]
  readonly colour: string
}

const PAD = { left: 40, right: 12, top: 6, bottom: 6 } as const

/** Two digits, in the six places that there are; what is nothing beside the range is 0. */
export function boundText(value: number, span: number): string {
  if (Math.abs(value) <= span / 100) return '0'
  const text = value.toPrecision(2)
  return text.length <= 6 ? text : value.toExponential(0)
}

/** Small curves over the frames, one range for both segments, with the frame in view marked. */
export function drawCurves(
  canvas: HTMLCanvasElement,
  curves: readonly Curve[],
  range: readonly [low: number, high: number],
  frame: number,
  colours: Colours,
): void {
  const context = fitCanvas(canvas)
  if (context === null) return
  const [width, height] = [canvas.clientWidth, canvas.clientHeight]
  context.clearRect(0, 0, width, height)
  const frames = Math.max(2, ...curves.map(({ values }) => values.length))
  const x = (at: number): number => PAD.left + (at / (frames - 1)) * (width - PAD.left - PAD.right)
  const y = (value: number): number =>
    height - PAD.bottom - ((value - range[0]) / Math.max(1e-9, range[1] - range[0])) * (height - PAD.top - PAD.bottom)
  context.font = '11px ui-monospace, monospace'
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  context.lineWidth = 1
  for (const value of range) {
    context.strokeStyle = colours.line
    context.fillStyle = colours.fixed
    context.fillText(boundText(value, range[1] - range[0]), PAD.left - 6, y(value))
    drawPath(
      context,
      [
        [PAD.left, y(value)],
        [width - PAD.right, y(value)],
      ],
      colours.line,
    )
  }
  for (const { values, dash, colour } of curves) {
    context.setLineDash([...dash])
    drawPath(
      context,
      values.map((value, at) => [x(at), y(value)] as const),
      colour,
    )
  }
  context.setLineDash([])
  drawPath(
    context,
    [
      [x(frame), 0],
      [x(frame), height],
    ],
    colours.fixed,
  )
}
