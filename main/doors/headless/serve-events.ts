import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { App } from '../../app/app.ts'
import { SOCKET_PROTOCOL } from './serve-guard.ts'

const PING_MS = 20_000
/** A page that does not read this much of its events is let go; it comes back and fetches afresh. */
const BACKLOG_LIMIT_BYTES = 16 * 1024 * 1024

export interface EventSockets {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, since: string | null): void
  close(): void
}

/** Sends every event to every page; one that comes back names the last event it saw and gets the rest. */
export function followEvents(app: App): EventSockets {
  const server = new WebSocketServer({ noServer: true, maxPayload: 1024, handleProtocols: () => SOCKET_PROTOCOL })
  const open = new Set<WebSocket>()
  const silent = new Set<WebSocket>()
  /** Of this start of the app: its numbers begin again, and say nothing of those before. */
  const start = randomUUID()
  const unsubscribe = app.events.subscribe((event) => {
    const text = JSON.stringify(event)
    for (const socket of open) {
      if (socket.bufferedAmount > BACKLOG_LIMIT_BYTES) socket.terminate()
      else socket.send(text)
    }
  })
  // A page that went away without a word is noticed by its silence.
  const timer = setInterval(() => {
    for (const socket of open) {
      if (silent.has(socket)) socket.terminate()
      silent.add(socket)
      socket.ping()
    }
  }, PING_MS)
  timer.unref()
  return {
    accept(request, socket, head, since) {
      server.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => client.terminate())
        client.on('pong', () => silent.delete(client))
        client.on('close', () => {
          open.delete(client)
          silent.delete(client)
        })
        client.send(JSON.stringify({ hello: true, seq: app.events.lastSeq, start }))
        const missed = since === null ? [] : /^\d+$/.test(since) ? app.events.since(Number(since)) : null
        if (missed === null) client.send(JSON.stringify({ gap: true }))
        for (const event of missed ?? []) client.send(JSON.stringify(event))
        open.add(client)
      })
    },
    close() {
      clearInterval(timer)
      unsubscribe()
      for (const socket of open) socket.terminate()
      server.close()
    },
  }
}
