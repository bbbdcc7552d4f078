import type { AppEvent } from '../../shared/contract.ts'
import { atHome, hostGone, remember } from './meet-again.ts'
import { sessionKey } from './session-key.ts'

export type Connection = 'connecting' | 'open' | 'lost'

export interface StreamListener {
  event(event: AppEvent): void
  /** Events were missed: everything fetched before may be out of date. */
  gap(): void
  connection(state: Connection): void
}

interface Hello {
  readonly hello: true
  readonly seq: number
  /** The same for as long as the app was not started anew. */
  readonly start: string
}

/** Sent where the host no longer keeps all that was missed. */
interface Gap {
  readonly gap: true
}

const RETRY_MS = [250, 500, 1000, 2000, 4000] as const

/** Follows the app's numbered events over the bridge or a WebSocket; reconnects for as long as the page lives. */
export function openStream(listener: StreamListener): () => void {
  let last: number | null = null

  function take(event: AppEvent): void {
    if (last !== null && event.seq <= last) return
    if (last !== null && event.seq > last + 1) listener.gap()
    last = event.seq
    listener.event(event)
  }

  if (window.bridge !== undefined) {
    listener.connection('open')
    return window.bridge.subscribe(take)
  }

  let socket: WebSocket | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let attempt = 0
  let start: string | null = null
  let ended = false

  function retry(): void {
    if (ended) return
    hostGone()
    listener.connection('lost')
    timer = setTimeout(connect, RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)])
    attempt += 1
  }

  function connect(): void {
    knownHost().then((key) => (ended ? undefined : open(key)), retry)
  }

  /** @returns its key @throws while it is away, or something else has its port */
  async function knownHost(): Promise<string> {
    if (!(await atHome())) throw new Error('not the host of this page')
    const key = await sessionKey()
    // Where that fails the page works, and is opened anew after the next start.
    await remember(key).catch(() => undefined)
    return key
  }

  function open(key: string): void {
    const url = new URL('events', document.baseURI)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    url.hash = ''
    url.search = last === null ? '' : new URLSearchParams({ since: String(last) }).toString()
    socket = new WebSocket(url, ['pairlab', `key.${key}`]) // the one place where a page can put it outside the address
    socket.addEventListener('message', (message) => {
      const data = JSON.parse(String(message.data)) as Hello | Gap | AppEvent // the host sends nothing else
      if ('gap' in data) {
        last = null
        return listener.gap()
      }
      if (!('hello' in data)) return take(data)
      attempt = 0
      listener.connection('open')
      // Started anew, the app counts its events from the beginning.
      if (start !== null && data.start !== start) {
        last = data.seq
        listener.gap()
      }
      start = data.start
      last ??= data.seq
    })
    socket.addEventListener('close', retry)
  }

  listener.connection('connecting')
  connect()
  return () => {
    ended = true
    clearTimeout(timer)
    socket?.close()
  }
}
