import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Range } from './chart-model.ts'

/** What the charts of one page share: where the crosshair stands and how far they are zoomed, both in x. */
export interface ChartLink {
  readonly subscribe: (watcher: () => void) => () => void
  readonly crosshair: () => number | null
  readonly zoom: () => Range | null
  setCrosshair(x: number | null): void
  setZoom(range: Range | null): void
}

export function createChartLink(): ChartLink {
  const watchers = new Set<() => void>()
  let crosshair: number | null = null
  let zoom: Range | null = null
  const tell = (): void => {
    for (const watcher of watchers) watcher()
  }
  return {
    subscribe(watcher) {
      watchers.add(watcher)
      return () => {
        watchers.delete(watcher)
      }
    },
    crosshair: () => crosshair,
    zoom: () => zoom,
    setCrosshair(x) {
      if (x === crosshair) return
      crosshair = x
      tell()
    },
    setZoom(range) {
      zoom = range
      tell()
    },
  }
}

const alone = createChartLink()

/** Provide one link around charts that move together. */
export const ChartLinkContext = createContext<ChartLink>(alone)

export function useChartLink(): ChartLink {
  return useContext(ChartLinkContext)
}

export function useCrosshair(): number | null {
  const link = useChartLink()
  return useSyncExternalStore(link.subscribe, link.crosshair)
}

export function useZoom(): Range | null {
  const link = useChartLink()
  return useSyncExternalStore(link.subscribe, link.zoom)
}
