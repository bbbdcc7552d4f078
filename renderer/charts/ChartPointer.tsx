import { useState, type PointerEvent, type ReactNode } from 'react'
import { useChartLink } from './chart-link.ts'
import { valueAt, type ChartModel } from './chart-model.ts'
import type { Frame } from './plot-marks.ts'

/** A shorter drag is a click that trembled. */
const SHORTEST_DRAG = 6

interface ChartPointerProps {
  readonly model: ChartModel
  readonly frame: Frame
}

/** What the pointer does over a chart: it moves the crosshair, a drag zooms, a double click shows the whole again. */
export function ChartPointer({ model, frame }: ChartPointerProps): ReactNode {
  const link = useChartLink()
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null)
  const width = frame.right - frame.left
  const placeOf = (event: PointerEvent<HTMLElement>): number =>
    Math.min(width, Math.max(0, event.clientX - event.currentTarget.getBoundingClientRect().left))
  const xAt = (place: number): number => valueAt(place / width, frame.x, model.xLog)
  const [from, to] = drag === null ? [0, 0] : [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)]
  return (
    <div
      className="chart-pointer"
      aria-hidden="true"
      style={{ left: frame.left, top: frame.top, width, height: frame.bottom - frame.top }}
      onPointerDown={(event) => {
        if (event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        setDrag({ from: placeOf(event), to: placeOf(event) })
      }}
      onPointerMove={(event) => {
        const place = placeOf(event)
        link.setCrosshair(xAt(place))
        setDrag((before) => (before === null ? null : { ...before, to: place }))
      }}
      onPointerUp={() => {
        setDrag(null)
        if (to - from >= SHORTEST_DRAG) link.setZoom([xAt(from), xAt(to)])
      }}
      onPointerCancel={() => setDrag(null)}
      onPointerLeave={() => link.setCrosshair(null)}
      onDoubleClick={() => link.setZoom(null)}
    >
      {to - from < SHORTEST_DRAG ? null : <div className="chart-select" style={{ left: from, width: to - from }} />}
    </div>
  )
}
