import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { vi } from 'vitest'
import WebSocket from 'ws'
import type { Bridge } from '../../shared/bridge.ts'
import type { AppEvent } from '../../shared/contract.ts'
import { toWire } from '../../shared/errors.ts'
import type { Reply } from '../../shared/rpc.ts'
import { connectIpc } from '../../main/doors/electron/ipc.ts'
import { serve } from '../../main/doors/headless/serve.ts'
import { runConformance, type Door } from '../support/conformance.ts'
import { behind, BrowserWindow } from '../support/electron-stand-in.ts'
import { makeApp } from '../support/make-app.ts'

vi.mock('electron', () => import('../support/electron-stand-in.ts'))

async function openInProcess(): Promise<Door> {
  const { app, client, end } = await makeApp()
  return {
    call: (name, input) =>
      client.call(name as 'settings.get', input as Record<string, never>).then(
        (value): Reply => ({ ok: true, value }),
        (error: unknown): Reply => ({ ok: false, error: toWire(error) }),
      ),
    subscribe: async (listener) => app.events.subscribe(listener),
    end,
  }
}

async function openLoopback(): Promise<Door> {
  const { app, end } = await makeApp()
  const page = mkdtempSync(path.join(tmpdir(), 'pairlab-page-'))
  writeFileSync(path.join(page, 'index.html'), '<div id="root"></div>')
  const host = await serve({ app, rendererFolder: page })
  const sockets: WebSocket[] = []
  return {
    async call(name, input) {
      const response = await fetch(`http://127.0.0.1:${host.port}/call/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${host.token}` },
        body: JSON.stringify(input),
      })
      return (await response.json()) as Reply
    },
    async subscribe(listener) {
      const socket = new WebSocket(`ws://127.0.0.1:${host.port}/events`, ['pairlab', `key.${host.token}`])
      sockets.push(socket)
      await new Promise<void>((resolve, reject) => {
        socket.on('error', reject)
        socket.on('message', (data) => {
          const message = JSON.parse(String(data)) as AppEvent | { hello: true }
          if ('hello' in message) resolve()
          else listener(message)
        })
      })
      return () => socket.close()
    },
    async end() {
      for (const socket of sockets) socket.terminate()
      await host.close()
      rmSync(page, { recursive: true, force: true })
      await end()
    },
  }
}

let bridge: Bridge | undefined

async function openElectron(): Promise<Door> {
  const { app, end } = await makeApp()
  behind.reset()
  connectIpc(app, () => undefined)
  new BrowserWindow({})
  await import('../../main/doors/electron/preload.ts') // runs once, as in a window
  bridge ??= behind.exposed.get('bridge') as Bridge // exposed by the preload script
  const { call, subscribe } = bridge
  return { call, subscribe: async (listener) => subscribe(listener), end }
}

runConformance('in process', openInProcess)
runConformance('loopback HTTP and WebSocket', openLoopback)
runConformance('Electron IPC', openElectron)
