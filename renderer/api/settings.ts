import { useCallback } from 'react'
import { replaceEqualDeep } from '@tanstack/react-query'
import type { Output } from '../../shared/contract.ts'
import type { Settings } from '../../shared/contract/system.ts'
import { callApp, queryClient, useCall } from './queries.ts'

const KEY = ['settings.get', {}] as const
const SETTLE_MS = 400
/** Changed here, and not yet known to be stored. */
let unsaved: Partial<Settings> = {}
let timer: ReturnType<typeof setTimeout> | undefined

// The app is asked again whenever a setting changes anywhere, and an answer from before a change is stored knows
// nothing of it: taken as it is, it would undo a click of a moment ago.
queryClient.setQueryDefaults(KEY, {
  structuralSharing: (old, answer) => replaceEqualDeep(old, { ...(answer as Output<'settings.get'>), ...unsaved }),
})

export function useSettings(): Settings | undefined {
  return useCall('settings.get', {}).data
}

/** Shows the change at once; the window's own state is stored when the hand rests, so that dragging a panel is one write. */
export function changeSettings(change: Partial<Settings>): void {
  unsaved = { ...unsaved, ...change }
  queryClient.setQueryData<Output<'settings.get'>>(KEY, (settings) => settings && { ...settings, ...change })
  clearTimeout(timer)
  timer = setTimeout(store, Object.keys(change).every((key) => key === 'view') ? SETTLE_MS : 0)
}

function store(): void {
  const sent = unsaved
  const forget = (): void => {
    const changedSince = Object.entries(unsaved).filter(([key, value]) => value !== sent[key as keyof Settings])
    unsaved = Object.fromEntries(changedSince)
  }
  callApp('settings.set', sent).then(forget, () => {
    forget()
    // A change that could not be stored must not look as if it had been.
    return queryClient.invalidateQueries({ queryKey: KEY })
  })
}

type Json = Settings['view'][string]

/** A piece of the window's state (panel size, chosen columns) that is kept with the settings. */
export function useViewState<T extends Json>(key: string, initial: T): readonly [T, (value: T) => void] {
  const settings = useSettings()
  const value = (settings?.view[key] ?? initial) as T // written only through this hook under the same key
  const set = useCallback(
    (next: T) => {
      const view = queryClient.getQueryData<Output<'settings.get'>>(KEY)?.view ?? {}
      changeSettings({ view: { ...view, [key]: next } })
    },
    [key],
  )
  return [value, set]
}
