import {
  Activity,
  BookOpen,
  Box,
  ChartNoAxesCombined,
  Columns2,
  Database,
  House,
  MessagesSquare,
  Settings,
  SlidersHorizontal,
  type LucideIcon,
} from 'lucide-react'

export interface Place {
  readonly path: string
  readonly name: string
  readonly icon: LucideIcon
  /** Pressed after `g`. */
  readonly key: string
}

export const PLACES: readonly Place[] = [
  { path: '/', name: 'Home', icon: House, key: 'h' },
  { path: '/data', name: 'Data', icon: Database, key: 'd' },
  { path: '/models', name: 'Models', icon: Box, key: 'm' },
  { path: '/label', name: 'Label', icon: Columns2, key: 'l' },
  { path: '/train', name: 'Train', icon: SlidersHorizontal, key: 't' },
  { path: '/runs', name: 'Runs', icon: Activity, key: 'r' },
  { path: '/compare', name: 'Compare', icon: ChartNoAxesCombined, key: 'c' },
  { path: '/playground', name: 'Playground', icon: MessagesSquare, key: 'y' },
  { path: '/papers', name: 'Papers', icon: BookOpen, key: 'p' },
]

export const SETTINGS: Place = { path: '/settings', name: 'Settings', icon: Settings, key: 's' }

export function isAt(place: Place, path: string): boolean {
  if (place.path === '/compare' && /^\/matches(\/|$)/.test(path)) return true // what a comparison leads to
  return place.path === '/' ? path === '/' : path === place.path || path.startsWith(`${place.path}/`)
}
