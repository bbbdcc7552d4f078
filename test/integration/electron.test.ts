import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createEventBus } from '../../main/app/events.ts'
import type { Bridge } from '../../shared/bridge.ts'
import * as standIn from '../support/electron-stand-in.ts'

vi.mock('electron', () => import('../support/electron-stand-in.ts'))

const { app, behind, dialog, Menu } = standIn
const { dataFolderOf, separateFromChromium } = await import('../../main/doors/electron/instance.ts')
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
  app.early.push(() => app.emit('open-file', { preventDefault: () => {} }, '/data/early one.jsonl')) // as macOS does
  app.early.push(() => app.emit('child-process-gone', {}, { type: 'Utility', reason: 'oom', exitCode: 3 })) // before there is a log
  await import('../../main/doors/electron/index.ts')
  await import('../../main/doors/electron/preload.ts')
  await until(() => behind.windows.length === 1 && behind.windows[0]?.shown === true)
})

afterAll(() => {
  delete process.env['PAIRLAB_DATA']
  rmSync(dataFolder, { recursive: true, force: true })
})

describe('the desktop window', () => {
  it('opens one sandboxed, isolated window on our own scheme', () => {
    const window = behind.windows[0]
    expect(window?.options['webPreferences']).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    })
    expect(window?.webContents.url).toBe(
      `app://pairlab/index.html#/data?import=${encodeURIComponent('/data/early one.jsonl')}`,
    )
    expect(app.sandboxed).toBe(true)
    expect(standIn.protocol.privileged.map(({ scheme }) => scheme)).toEqual(['app'])
  })

  it('answers calls through the preload script, errors as replies', async () => {
    expect(await bridge().call('settings.get', {})).toMatchObject({ ok: true, value: { theme: 'system' } })
    expect(await bridge().call('toString', {})).toMatchObject({ ok: false, error: { code: 'usage-invalid' } })
    expect(await bridge().call('datasets.get', { datasetId: 7 })).toMatchObject({
      ok: false,
      error: { code: 'input-invalid' },
    })
  })

  it('refuses a page that is not ours, and a frame inside ours', async () => {
    const foreign = { url: 'https://example.org/', parent: null }
    const framed = { url: 'app://pairlab/index.html', parent: behind.frame }
    for (const frame of [foreign, framed, null]) {
      expect(await behind.invokeFrom(frame, 'pairlab:call', 'settings.get', {})).toMatchObject({
        ok: false,
        error: { code: 'forbidden' },
      })
    }
  })

  it('shows the system’s notice for our page, cut to size; a click brings the window there', () => {
    const window = behind.windows[0]!
    bridge().notify({ title: 'dpo-1 finished', text: 'x'.repeat(900), path: '/runs/dpo-1' })
    bridge().notify({ title: 'elsewhere', text: '', path: 'https://example.org' })
    const ours = behind.frame
    behind.frame = { url: 'https://example.org/', parent: null }
    bridge().notify({ title: 'foreign', text: '', path: '/' })
    behind.frame = ours
    expect(behind.notices.map(({ options }) => options.title)).toEqual(['dpo-1 finished'])
    expect(behind.notices[0]!.options.body).toHaveLength(500)
    const [seen, focused] = [window.webContents.sent.length, window.focused]
    const stop = bridge().subscribe(() => undefined)
    behind.notices[0]!.emit('click')
    expect(window.focused).toBe(focused + 1)
    expect(window.webContents.sent.slice(seen).map(({ args }) => args[0])).toMatchObject([
      { name: 'ui.goto', payload: { path: '/runs/dpo-1' } },
    ])
    stop()
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

  it('lets no request leave the machine', () => {
    const answers: boolean[] = []
    for (const url of [
      'app://pairlab/index.html',
      'blob:app://pairlab/1',
      'https://example.org/',
      'http://127.0.0.1:1/',
      'file:///etc/hosts',
      'ws://example.org',
    ]) {
      behind.beforeRequest?.({ url }, ({ cancel }) => answers.push(cancel))
    }
    expect(answers).toEqual([false, false, true, true, true, true])
  })

  it('may copy to the clipboard, and has no other permission', () => {
    const granted = (permission: string): unknown[] => {
      let answered: boolean | undefined
      behind.permission?.(null, permission, (answer) => {
        answered = answer
      })
      return [answered, behind.permissionCheck?.(null, permission)]
    }
    expect(granted('clipboard-sanitized-write')).toEqual([true, true])
    for (const permission of [
      'clipboard-read',
      'geolocation',
      'media',
      'notifications',
      'openExternal',
      'fileSystem',
      'hid',
      'usb',
      'display-capture',
    ])
      expect(granted(permission)).toEqual([false, false])
  })

  it('blocks navigation and new windows', () => {
    const contents = behind.windows[0]?.webContents
    expect(contents?.openHandler?.({ url: 'https://example.org' })).toEqual({ action: 'deny' })
    let prevented = 0
    for (const name of ['will-navigate', 'will-redirect', 'will-attach-webview'])
      contents?.emit(name, {
        preventDefault: () => {
          prevented += 1
        },
      })
    expect(prevented).toBe(3)
  })

  it('asks for a file with the system dialog', async () => {
    expect(await bridge().pickFile('preferences')).toBe('/data/pairs.jsonl')
    expect(dialog.asked?.filters?.[0]?.extensions).toContain('jsonl')
    expect(await bridge().pickFile('model')).toBe('/data/pairs.jsonl')
    expect(dialog.asked).toMatchObject({
      properties: ['openFile'],
      filters: [{ extensions: ['gguf', 'zip', 'whl'] }, {}],
    })
    expect(await bridge().pickFile('anything' as 'model')).toBeNull()
    expect(await bridge().pickFolder('A folder')).toBe('/data/pairs.jsonl')
    dialog.answer = { canceled: true, filePaths: [] }
    expect(await bridge().pickFile('model')).toBeNull()
    expect(await bridge().pickFolder('A folder')).toBeNull()
    expect(bridge().pathForFile({ path: '/x.csv' })).toBe('/x.csv')
  })

  it('keeps the system from suspending while a run trains, and no longer', async () => {
    const { stayAwake } = await import('../../main/doors/electron/awake.ts')
    const events = createEventBus()
    let trains = false
    stayAwake({ events, wantsAwake: () => trains })
    const held = (): string[] => [...standIn.powerSaveBlocker.held.values()]
    for (const wanted of [false, true, true, false, true, false]) {
      trains = wanted
      events.emit('runs.changed', {})
      expect(held()).toEqual(wanted ? ['prevent-app-suspension'] : [])
    }
    trains = true
    events.emit('settings.changed', {})
    expect(held()).toHaveLength(1)
    trains = false
    events.emit('settings.changed', {})
    expect(held()).toEqual([])
  })

  it('has a menu whose entries bring the page to a place', async () => {
    const places: unknown[] = []
    const stop = bridge().subscribe((event) => {
      if (event.name === 'ui.goto') places.push(event.payload)
    })
    const go = Menu.current?.find((entry) => entry.label === 'Go')?.submenu as { label: string; click(): void }[]
    go.find((entry) => entry.label === 'Train')?.click()
    await until(() => places.length === 1)
    stop()
    expect(places).toEqual([{ path: '/train' }])
  })

  it('takes a file handed to a second instance', async () => {
    const places: unknown[] = []
    const stop = bridge().subscribe((event) => {
      if (event.name === 'ui.goto') places.push(event.payload)
    })
    app.emit('second-instance', {}, ['pairlab', '/data/more.jsonl'], '/elsewhere')
    app.emit(
      'second-instance',
      {},
      ['pairlab', '--data-dir', 'x.json', '--flag.csv', 'sub/mine.csv'],
      '/home/of someone',
    )
    app.emit('open-file', { preventDefault: () => {} }, '/data/late.tsv')
    app.emit('second-instance', {}, ['pairlab'], '/elsewhere') // brings the window to the front, and the page stays
    await until(() => places.length === 3)
    stop()
    expect(places).toEqual(
      ['/data/more.jsonl', '/home/of someone/sub/mine.csv', '/data/late.tsv'].map((file) => ({
        path: `/data?import=${encodeURIComponent(path.resolve(file))}`,
      })),
    )
    expect(behind.windows[0]?.focused).toBe(6) // the notice, the menu's entry, and these four
  })

  it('loads the page again after a crash, but not for ever, and the log tells of it', async () => {
    const contents = behind.windows[0]?.webContents
    for (let crash = 0; crash < 6; crash += 1)
      app.emit('render-process-gone', {}, contents, { reason: 'crashed', exitCode: 5 })
    expect(contents?.reloads).toBe(3)
    expect(dialog.errors.map(([title]) => title)).toEqual(
      Array.from({ length: 3 }, () => 'The page of Pairlab ends again and again'),
    )
    app.emit('child-process-gone', {}, { type: 'GPU', reason: 'crashed', exitCode: 9 })
    const log = readFileSync(path.join(dataFolder, 'app.log'), 'utf8')
    expect(log.match(/the page ended: crashed \(5\)/g)).toHaveLength(6)
    expect(log).toContain('a process of the window ended: GPU, crashed (9)')
  })

  it('keeps what went wrong before there was a log, and writes it once there is', () => {
    expect(readFileSync(path.join(dataFolder, 'app.log'), 'utf8')).toContain(
      'a process of the window ended: Utility, oom (3)',
    )
  })

  it('writes what nobody expected to the log', () => {
    const [unexpected] = process.listeners('uncaughtException').slice(-1)
    unexpected?.(new Error('a thing broke'), 'uncaughtException')
    expect(readFileSync(path.join(dataFolder, 'app.log'), 'utf8')).toContain('a thing broke')
    expect(dialog.errors.at(-1)?.[1]).toContain('a thing broke')
  })

  it('keeps Chromium’s files apart from the data folder, a place a data folder, and the lock with them', () => {
    const first = app.getPath('userData')
    expect([app.getPath('sessionData'), app.lockedIn]).toEqual([first, first])
    expect(path.relative(dataFolder, first).startsWith('..')).toBe(true)
    const folderFor = (folder: string): string => {
      separateFromChromium(folder)
      return app.getPath('userData')
    }
    const other = mkdtempSync(path.join(tmpdir(), 'pairlab other '))
    const link = `${other}-link`
    symlinkSync(other, link)
    expect(folderFor(other)).not.toBe(first)
    expect(folderFor(link)).toBe(app.getPath('userData'))
    expect(folderFor(dataFolder)).toBe(first)
    // The usual data folder is Electron's usual `userData` on every system.
    expect(folderFor(path.join(app.getPath('appData'), 'pairlab'))).not.toBe(
      path.join(app.getPath('appData'), 'pairlab'),
    )
    for (const one of [other, link]) rmSync(one, { recursive: true, force: true })
    separateFromChromium(dataFolder)
  })

  it.each([
    [['pairlab', '--data-dir', '/a/b'], '/a/b'],
    [['pairlab', '--data-dir=/a/b', 'x.csv'], '/a/b'],
    [['pairlab', '--data-dir', 'rel'], path.resolve('rel')],
    [['pairlab', 'x.csv'], dataFolder],
    [['pairlab', '--data-dir'], dataFolder],
  ])('takes its data folder from %j', (args, folder) => {
    expect(dataFolderOf(args)).toBe(folder)
  })

  it('closes the store before it quits', async () => {
    behind.windows[0]?.close()
    await until(() => app.quits === 1)
  })
})
