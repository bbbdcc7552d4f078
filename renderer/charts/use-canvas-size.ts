import { useEffect, useState, type RefObject } from 'react'

export interface CanvasSize {
  /** In CSS pixels. */
  readonly width: number
  readonly height: number
  /** Device pixels a CSS pixel. */
  readonly ratio: number
}

/** How large an element is, and how fine the screen that it is on; null before it is laid out. */
export function useCanvasSize(element: RefObject<HTMLElement | null>): CanvasSize | null {
  const [size, setSize] = useState<CanvasSize | null>(null)
  useEffect(() => {
    const watched = element.current
    if (watched === null) return undefined
    let finer: MediaQueryList | null = null
    const read = (): void => {
      const now = { width: watched.clientWidth, height: watched.clientHeight, ratio: window.devicePixelRatio }
      setSize((before) =>
        now.width === 0 ||
        now.height === 0 ||
        (before !== null && before.width === now.width && before.height === now.height && before.ratio === now.ratio)
          ? before
          : now,
      )
      // A window that is moved to another screen keeps its size.
      finer?.removeEventListener('change', read)
      finer = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`)
      finer.addEventListener('change', read)
    }
    const observer = new ResizeObserver(read)
    observer.observe(watched)
    return () => {
      observer.disconnect()
      finer?.removeEventListener('change', read)
    }
  }, [element])
  return size
}
