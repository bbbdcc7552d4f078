/** The few things a figure is made of. Coordinates in pixels from the top left. */
export type Mark =
  | {
      readonly kind: 'path'
      readonly points: readonly (readonly [number, number])[]
      readonly colour: string
      readonly width: number
      readonly dash: readonly number[]
      readonly opacity: number
    }
  | {
      readonly kind: 'area'
      readonly points: readonly (readonly [number, number])[]
      readonly colour: string
      readonly opacity: number
    }
  | {
      readonly kind: 'dot'
      readonly at: readonly [number, number]
      readonly radius: number
      readonly colour: string
      readonly fill: string
      readonly width: number
    }
  | TextMark
  /** Marks of which only what lies in the box is seen. */
  | {
      readonly kind: 'clip'
      readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
      readonly marks: readonly Mark[]
    }

interface TextMark {
  readonly kind: 'text'
  readonly at: readonly [number, number]
  readonly text: string
  readonly colour: string
  readonly size: number
  readonly anchor: 'start' | 'middle' | 'end'
  readonly bold: boolean
  readonly mono: boolean
  readonly turn: boolean
  /** A colour around the letters, which keeps them apart from lines beneath. */
  readonly halo: string | null
}

/** Looks a token up: `--r1` → `#0068a8`. */
export type Palette = (token: string) => string

/** Families of fonts, as CSS names them. */
export interface Fonts {
  readonly sans: string
  readonly mono: string
}

export function text(
  at: readonly [number, number],
  value: string,
  colour: string,
  options: Partial<Omit<TextMark, 'kind' | 'at' | 'text' | 'colour'>> = {},
): Mark {
  return {
    kind: 'text',
    at,
    text: value,
    colour,
    size: 11,
    anchor: 'start',
    bold: false,
    mono: false,
    turn: false,
    halo: null,
    ...options,
  }
}

/** Draws a mark in pixels of the canvas's own scale. */
export function drawMark(context: CanvasRenderingContext2D, mark: Mark, fonts: Fonts): void {
  context.save()
  switch (mark.kind) {
    case 'path':
    case 'area': {
      context.globalAlpha = mark.opacity
      context.beginPath()
      mark.points.forEach(([x, y], at) => (at === 0 ? context.moveTo(x, y) : context.lineTo(x, y)))
      if (mark.kind === 'area') {
        context.closePath()
        context.fillStyle = mark.colour
        context.fill()
      } else {
        // Round joins cost most of the time of a crowded chart, where nobody can see them.
        context.lineJoin = mark.width <= 1 ? 'bevel' : 'round'
        context.lineWidth = mark.width
        context.setLineDash([...mark.dash])
        context.strokeStyle = mark.colour
        context.stroke()
      }
      break
    }
    case 'dot':
      context.beginPath()
      context.arc(mark.at[0], mark.at[1], mark.radius, 0, 2 * Math.PI)
      context.fillStyle = mark.fill
      context.fill()
      context.lineWidth = mark.width
      context.strokeStyle = mark.colour
      if (mark.width > 0) context.stroke()
      break
    case 'text':
      context.translate(mark.at[0], mark.at[1])
      if (mark.turn) context.rotate(-Math.PI / 2)
      context.font = `${mark.bold ? '600 ' : ''}${mark.size}px ${mark.mono ? fonts.mono : fonts.sans}`
      context.textAlign = mark.anchor === 'middle' ? 'center' : mark.anchor
      if (mark.halo !== null) {
        context.lineWidth = 3
        context.lineJoin = 'round'
        context.strokeStyle = mark.halo
        context.strokeText(mark.text, 0, 0)
      }
      context.fillStyle = mark.colour
      context.fillText(mark.text, 0, 0)
      break
    case 'clip':
      context.beginPath()
      context.rect(mark.box.left, mark.box.top, mark.box.width, mark.box.height)
      context.clip()
      for (const inside of mark.marks) drawMark(context, inside, fonts)
      break
  }
  context.restore()
}
