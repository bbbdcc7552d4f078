import { useRef, type ReactNode, type RefObject } from 'react'
import type { LabelItem } from '../../../shared/contract/labels.ts'
import { Chip } from '../../parts/Chip.tsx'
import { KeyCap } from '../../parts/KeyCap.tsx'
import { drawCurves, drawMoment, readColours } from './draw.ts'
import { distanceTo, type Stage } from './scene.ts'
import { useRedraw } from './use-redraw.ts'

export type Shown = NonNullable<LabelItem['segments']>['a']

/** Of the curves, one for all segments that are seen together. */
interface Ranges {
  readonly distance: readonly [number, number]
  readonly action: readonly [number, number]
}

export function rangesOf(stage: Stage | null, shown: readonly Shown[]): Ranges {
  return {
    distance: rangeOf(shown.map((one) => distances(stage, one))),
    action: rangeOf(shown.map((one) => one.actions.flat())),
  }
}

interface PaneProps {
  readonly name: string
  readonly shown: Shown
  readonly stage: Stage | null
  readonly frame: number
  readonly ghosts: boolean
  readonly keys: string | undefined
  readonly chosen: boolean
  readonly ranges: Ranges
  /** What is known of the whole, at the right of its head. */
  readonly note?: ReactNode
}

/** One segment at a frame: the picture, the distance to the goal, and what was done over the frames. */
export function SegmentPane({ name, shown, stage, frame, ghosts, keys, chosen, ranges, note }: PaneProps): ReactNode {
  const picture = useRef<HTMLCanvasElement>(null)
  const distance = useRef<HTMLCanvasElement>(null)
  const action = useRef<HTMLCanvasElement>(null)
  const far = distances(stage, shown)
  useRedraw(() => {
    const element = picture.current ?? action.current
    if (element === null) return
    const colours = readColours(element)
    if (stage !== null && shown.qpos !== null && picture.current !== null)
      drawMoment(picture.current, { stage, frames: shown.qpos, frame, ghosts, colours })
    if (distance.current !== null)
      drawCurves(
        distance.current,
        [{ name: 'distance', values: far, dash: [], colour: colours.text }],
        ranges.distance,
        frame,
        colours,
      )
    const palette = [colours.accent, colours.good, colours.text]
    const curves = (shown.actions[0] ?? []).map((_, axis) => ({
      name: `action ${axis + 1}`,
      values: shown.actions.map((row) => row[axis]!),
      dash: axis % 2 === 0 ? [] : [4, 3],
      colour: palette[axis % palette.length]!,
    }))
    if (action.current !== null) drawCurves(action.current, curves, ranges.action, frame, colours)
  })
  return (
    <div className="segment-pane">
      <div className="pair-head">
        {keys === undefined ? null : <KeyCap keys={keys} />}
        <h2>{name}</h2>
        {chosen ? <Chip tone="accent">chosen</Chip> : null}
        <span className="grow" />
        {note}
        {far[frame] === undefined ? null : (
          <span className="small text-3 nowrap">
            to the goal <span className="mono">{far[frame].toFixed(3)}</span> m
          </span>
        )}
      </div>
      {stage === null || shown.qpos === null ? (
        <p className="segment-blank text-3">There is no picture of this world; only what was done.</p>
      ) : (
        <canvas ref={picture} className="segment-picture" role="img" aria-label={`${name}, frame ${frame}`} />
      )}
      {far.length === 0 ? null : <Strip label="Distance, m" canvas={distance} />}
      <Strip label="Actions" canvas={action} />
    </div>
  )
}

function Strip({
  label,
  canvas,
}: {
  readonly label: string
  readonly canvas: RefObject<HTMLCanvasElement | null>
}): ReactNode {
  return (
    <div className="segment-strip">
      <span className="small text-3">{label}</span>
      <canvas ref={canvas} role="img" aria-label={`${label} over the frames`} />
    </div>
  )
}

function distances(stage: Stage | null, { qpos }: Shown): number[] {
  if (stage === null || qpos === null) return []
  return qpos.flatMap((row) => distanceTo(stage.scene(row)) ?? [])
}

function rangeOf(values: readonly (readonly number[])[]): readonly [number, number] {
  const all = values.flat()
  return all.length === 0 ? [0, 1] : [Math.min(0, ...all), Math.max(...all, 1e-6)]
}
