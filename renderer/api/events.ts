import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import type { QueryClient } from '@tanstack/react-query'
import type { AppEvent, EventName, EventPayload } from '../../shared/contract.ts'
import { applyEvent } from './apply-event.ts'
import { openStream, type Connection } from './stream.ts'

type Handler = (event: AppEvent) => void

const handlers = new Set<Handler>()
const watchers = new Set<() => void>()
let connection: Connection = 'connecting'

/** Starts following events for as long as the page lives. */
export function followEvents(cache: QueryClient): () => void {
  return openStream({
    event(event) {
      applyEvent(cache, event)
      for (const handler of handlers) handler(event)
    },
    gap() {
      void cache.invalidateQueries()
    },
    connection(state) {
      connection = state
      for (const watcher of watchers) watcher()
    },
  })
}

/** Calls back for each event of one name while the component is shown. */
export function useAppEvent<N extends EventName>(name: N, handler: (payload: EventPayload<N>) => void): void {
  const latest = useEffectEvent(handler)
  useEffect(() => {
    const listen: Handler = (event) => {
      if (event.name === name) latest(event.payload as EventPayload<N>) // the name decides the payload
    }
    handlers.add(listen)
    return () => {
      handlers.delete(listen)
    }
  }, [name])
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => {
    watchers.delete(watcher)
  }
}

export function useConnection(): Connection {
  return useSyncExternalStore(watch, () => connection)
}
