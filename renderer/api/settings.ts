import { useCallback } from 'react'
import type { Output } from '../../shared/contract.ts'
import type { Settings } from '../../shared/contract/system.ts'
import { callApp, queryClient, useCall } from './queries.ts'

const KEY = ['settings.get', {}] as const
const SETTLE_MS = 400
let pending: Partial<Settings> = {}
let timer: ReturnType<typeof setTimeout> | undefined

export function useSettings(): Settings | undefined {
  return useCall('settings.get', {}).data
}

/** Shows the change at once; the window's own state is stored when the hand rests, so that dragging a panel is one write. */
export function changeSettings(change: Partial<Settings>): void {
  // An answer that is on its way knows nothing of the change, and would take it back.
  if (queryClient.getQueryData(KEY) !== undefined) void queryClient.cancelQueries({ queryKey: KEY }, { revert: false })
  queryClient.setQueryData<Output<'settings.get'>>(KEY, (settings) => settings && { ...settings, ...change })
  pending = { ...pending, ...change }
  clearTimeout(timer)
  timer = setTimeout(store, Object.keys(change).every((key) => key === 'view') ? SETTLE_MS : 0)
}

function store(): void {
  const sent = pending
  pending = {}
  // A change that could not be stored must not look as if it had been.
  callApp('settings.set', sent).catch(() => queryClient.invalidateQueries({ queryKey: KEY }))
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
