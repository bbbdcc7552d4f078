import { events, type AppEvent, type EventName, type EventPayload } from '../../shared/contract.ts'
import { describeIssues } from '../../shared/errors.ts'
import { printableLine } from '../../shared/printable.ts'
import type { z } from 'zod'

export type EventListener = (event: AppEvent) => void

export interface EventBus {
  /** Numbers the event and tells every listener. Throws when the payload is not what the contract promises. */
  emit<N extends EventName>(name: N, payload: EventPayload<N>): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: EventListener): () => void
  /** Every event after `seq`; null when some of them are no longer kept, so that the caller must fetch afresh. */
  since(seq: number): readonly AppEvent[] | null
  /** Number of the last event, 0 before the first. */
  readonly lastSeq: number
}

export const REPLAY_EVENTS = 1000

export interface EventBusOptions {
  readonly replay?: number
  /** Told when a listener throws: one broken window must not keep events from the others. */
  readonly onListenerError?: (error: unknown) => void
}

export function createEventBus(options: EventBusOptions = {}): EventBus {
  const replay = options.replay ?? REPLAY_EVENTS
  const onListenerError = options.onListenerError ?? reportListenerError
  const listeners = new Set<EventListener>()
  const ring: AppEvent[] = []
  let lastSeq = 0
  return {
    emit(name, payload) {
      const schema: z.ZodType = events[name]
      const parsed = schema.safeParse(payload)
      if (!parsed.success) throw new Error(`event ${name} is outside the contract: ${describeIssues(parsed.error)}`)
      lastSeq += 1
      const event = { seq: lastSeq, name, payload: parsed.data } as AppEvent // parsed by this very name's schema
      ring.push(event)
      if (ring.length > replay) ring.shift()
      // A listener that leaves while it is told is simply not told again: Set iteration allows that.
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (error) {
          onListenerError(error)
        }
      }
    },
    subscribe(listener) {
      // Wrapped, so that the same function can be subscribed twice and each subscription ends alone.
      const entry: EventListener = (event) => listener(event)
      listeners.add(entry)
      return () => {
        listeners.delete(entry)
      }
    },
    since(seq) {
      if (seq > lastSeq) return null // numbered by an earlier process
      if (seq === lastSeq) return []
      const first = ring[0]
      if (first === undefined || first.seq > seq + 1) return null
      return ring.filter((event) => event.seq > seq)
    },
    get lastSeq() {
      return lastSeq
    },
  }
}

function reportListenerError(error: unknown): void {
  console.error(`an event listener failed: ${printableLine(String(error))}`)
}
