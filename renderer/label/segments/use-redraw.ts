import { useEffect, useRef } from 'react'

/** After every render, and when the window or the theme changes. */
export function useRedraw(draw: () => void): void {
  const latest = useRef(draw)
  useEffect(() => {
    latest.current = draw
    draw()
  })
  useEffect(() => {
    const again = (): void => latest.current()
    window.addEventListener('resize', again)
    const watcher = new MutationObserver(again)
    watcher.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    return () => {
      window.removeEventListener('resize', again)
      watcher.disconnect()
    }
  }, [])
}
