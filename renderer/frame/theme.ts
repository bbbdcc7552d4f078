import { useSyncExternalStore } from 'react'
import type { Settings } from '../../shared/contract/system.ts'

export type ThemeChoice = Settings['theme']

const dark = window.matchMedia('(prefers-color-scheme: dark)')
const watchers = new Set<() => void>()
let choice: ThemeChoice = 'system'

function resolve(): 'light' | 'dark' {
  if (choice !== 'system') return choice
  return dark.matches ? 'dark' : 'light'
}

/** Writes the theme on <html>, where every token hangs. */
export function applyTheme(next: ThemeChoice = choice): void {
  choice = next
  document.documentElement.dataset['theme'] = resolve()
  for (const watcher of watchers) watcher()
}

dark.addEventListener('change', () => applyTheme())

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => {
    watchers.delete(watcher)
  }
}

/** Light or dark as shown now; a canvas redraws when it changes. */
export function useTheme(): 'light' | 'dark' {
  return useSyncExternalStore(watch, resolve)
}
