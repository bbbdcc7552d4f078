import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react'
import { useViewState } from '../api/settings.ts'

interface SidePanelProps {
  /** The size is remembered under this name. */
  readonly id: string
  readonly label: string
  readonly width?: number
  readonly min?: number
  readonly max?: number
  readonly children: ReactNode
}

/** Details on the right. The left edge is dragged, or moved with the arrow keys; a double click takes the size back. */
export function SidePanel({ id, label, width = 320, min = 240, max = 640, children }: SidePanelProps): ReactNode {
  const [stored, store] = useViewState<number>(`panel.${id}`, width)
  const [dragged, setDragged] = useState<number | null>(null)
  const start = useRef({ x: 0, size: 0 })
  const size = dragged ?? stored
  const clamp = (value: number): number => Math.round(Math.min(max, Math.max(min, value)))

  function onPointerDown(event: PointerEvent<HTMLDivElement>): void {
    event.currentTarget.setPointerCapture(event.pointerId)
    start.current = { x: event.clientX, size }
    setDragged(size)
  }

  function onPointerMove(event: PointerEvent<HTMLDivElement>): void {
    if (dragged !== null) setDragged(clamp(start.current.size + start.current.x - event.clientX))
  }

  function onPointerUp(): void {
    if (dragged !== null && dragged !== stored) store(dragged)
    setDragged(null)
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = event.key === 'ArrowLeft' ? 16 : event.key === 'ArrowRight' ? -16 : 0
    if (step === 0) return
    event.preventDefault()
    store(clamp(size + step))
  }

  return (
    <aside className="side-panel" aria-label={label} style={{ width: size }} tabIndex={-1}>
      <div
        className="side-handle"
        role="separator"
        aria-orientation="vertical"
        aria-label={`Width of ${label}`}
        aria-valuenow={size}
        aria-valuemin={min}
        aria-valuemax={max}
        tabIndex={0}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onDoubleClick={() => store(width)}
        onKeyDown={onKeyDown}
      />
      {children}
    </aside>
  )
}
