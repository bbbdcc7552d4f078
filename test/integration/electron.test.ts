import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Bridge } from '../../shared/bridge.ts'
import * as standIn from '../support/electron-stand-in.ts'

vi.mock('electron', () => import('../support/electron-stand-in.ts'))

const { app, behind, dialog, Menu } = standIn
const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab électron '))

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 20_000
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function bridge(): Bridge {
  return behind.exposed.get('bridge') as Bridge // exposed by the preload script
}

beforeAll(async () => {
  process.env['PAIRLAB_DATA'] = dataFolder
  await import('../../main/electron/index.ts')
  await import('../../main/electron/preload.ts')
  await until(() => behind.windows.length === 1 && behind.windows[0]?.shown === true)
})

afterAll(() => {
  delete process.env['PAIRLAB_DATA']
  rmSync(dataFolder, { recursive: true, force: true })
})

describe('the desktop window', () => {
  it('opens one sandboxed, isolated window on our own scheme', () => {
    const window = behind.windows[0]
    expect(window?.options['webPreferences']).toMatchObject({ sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false, spellcheck: false })
    expect(window?.webContents.url).toBe('app://pairlab/index.html')
    expect(app.sandboxed).toBe(true)
    expect(standIn.protocol.privileged.map(({ scheme }) => scheme)).toEqual(['app'])
  })

  it('answers calls through the preload script, errors as replies', async () => {
    expect(await bridge().call('settings.get', {})).toMatchObject({ ok: true, value: { theme: 'system' } })
    expect(await bridge().call('toString', {})).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    expect(await bridge().call('datasets.get', { datasetId: 7 })).toMatchObject({ ok: false, error: { code: 'input-invalid' } })
  })

  it('refuses a page that is not ours, and a frame inside ours', async () => {
    const foreign = { url: 'https://example.org/', parent: null }
    const framed = { url: 'app://pairlab/index.html', parent: behind.frame }
    for (const frame of [foreign, framed, null]) {
      expect(await behind.invokeFrom(frame, 'pairlab:call', 'settings.get', {})).toMatchObject({ ok: false, error: { code: 'forbidden' } })
    }
  })

  it('tells the page of events until it stops listening', async () => {
    const seen: string[] = []
    const stop = bridge().subscribe((event) => seen.push(event.name))
    await bridge().call('settings.set', { theme: 'dark' })
    await until(() => seen.includes('settings.changed'))
    stop()
    seen.length = 0
    await bridge().call('settings.set', { theme: 'light' })
    expect(seen).toEqual([])
  })

  it('serves assets with a strict policy and nothing outside its folder', async () => {
    const escape = await behind.fetchAsset('app://pairlab/%2e%2e/%2e%2e/package.json')
    expect(escape?.status).toBe(404)
    const foreign = await behind.fetchAsset('app://elsewhere/index.html')
    expect(foreign?.status).toBe(404)
  })

  it('lets no request leave the machine and grants no permission', () => {
    const answers: boolean[] = []
    for (const url of ['app://pairlab/index.html', 'blob:app://pairlab/1', 'https://example.org/', 'http://127.0.0.1:1/', 'file:///etc/hosts', 'ws://example.org']) {
      behind.beforeRequest?.({ url }, ({ cancel }) => answers.push(cancel))
    }
    expect(answers).toEqual([false, false, true, true, true, true])
    let granted: boolean | undefined
    behind.permission?.(null, 'geolocation', (answer) => { granted = answer })
    expect([granted, behind.permissionCheck?.()]).toEqual([false, false])
  })

  it('blocks navigation and new windows', () => {
    const contents = behind.windows[0]?.webContents
    expect(contents?.openHandler?.({ url: 'https://example.org' })).toEqual({ action: 'deny' })
    let prevented = 0
    for (const name of ['will-navigate', 'will-redirect', 'will-attach-webview']) contents?.emit(name, { preventDefault: () => { prevented += 1 } })
    expect(prevented).toBe(3)
  })

  it('asks for a file with the system dialog', async () => {
    expect(await bridge().pickFile()).toBe('/data/pairs.jsonl')
    expect(await bridge().pickFolder('A folder')).toBe('/data/pairs.jsonl')
    dialog.answer = { canceled: true, filePaths: [] }
    expect(await bridge().pickFile()).toBeNull()
    expect(await bridge().pickFolder('A folder')).toBeNull()
    expect(bridge().pathForFile({ path: '/x.csv' })).toBe('/x.csv')
  })

  it('has a menu whose entries bring the page to a place', async () => {
    const places: unknown[] = []
    const stop = bridge().subscribe((event) => { if (event.name === 'ui.goto') places.push(event.payload) })
    const go = Menu.current?.find((entry) => entry.label === 'Go')?.submenu as { label: string; click(): void }[]
    go.find((entry) => entry.label === 'Train')?.click()
    await until(() => places.length === 1)
    stop()
    expect(places).toEqual([{ path: '/train' }])
  })

  it('takes a file handed to a second instance', async () => {
    const places: unknown[] = []
    const stop = bridge().subscribe((event) => { if (event.name === 'ui.goto') places.push(event.payload) })
    app.emit('second-instance', {}, ['pairlab', '/data/more.jsonl'])
    await until(() => places.length === 2)
    stop()
    expect(places.at(-1)).toEqual({ path: `/data?import=${encodeURIComponent('/data/more.jsonl')}` })
  })

  it('loads the page again after a crash, and remembers the window', () => {
    const window = behind.windows[0]
    app.emit('render-process-gone', {}, window?.webContents, { reason: 'crashed', exitCode: 5 })
    expect(window?.webContents.reloads).toBe(1)
  })

  it('closes the store before it quits', async () => {
    behind.windows[0]?.close()
    await until(() => app.quits === 1)
  })
})
