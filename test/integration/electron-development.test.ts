// The window of `npm run dev` shows the page of Vite; every other window shows ours alone.
import { afterEach, expect, it, vi } from 'vitest'
import * as standIn from '../support/electron-stand-in.ts'

vi.mock('electron', () => import('../support/electron-stand-in.ts'))

const { developmentOrigin, isDevelopmentPage, pageOrigin } = await import('../../main/doors/electron/page-origin.ts')
const { serveAssets } = await import('../../main/doors/electron/protocol.ts')
const { lockNavigation } = await import('../../main/doors/electron/window.ts')

afterEach(() => {
  delete process.env['ELECTRON_RENDERER_URL']
  standIn.app.isPackaged = false
})

/** Which of these the window may load. */
function loadable(urls: readonly string[]): string[] {
  serveAssets('/nowhere')
  return urls.filter((url) => {
    let cancelled = true
    standIn.behind.beforeRequest?.({ url }, ({ cancel }) => {
      cancelled = cancel
    })
    return !cancelled
  })
}

it('lets the page of Vite and its socket in, and nothing else', () => {
  process.env['ELECTRON_RENDERER_URL'] = 'http://127.0.0.1:5173'
  expect(pageOrigin()).toBe('http://127.0.0.1:5173')
  const own = ['http://127.0.0.1:5173/main.tsx', 'ws://127.0.0.1:5173/?token=1', 'app://pairlab/index.html']
  expect(
    loadable([
      ...own,
      'http://127.0.0.1:51730/',
      'http://127.0.0.1:5173.example.org/',
      'https://127.0.0.1:5173/',
      'http://example.org/',
      'ws://example.org/',
    ]),
  ).toEqual(own)
})

it('follows a reload of that page, and no other way out', () => {
  process.env['ELECTRON_RENDERER_URL'] = 'http://127.0.0.1:5173'
  lockNavigation()
  const { webContents } = new standIn.BrowserWindow({})
  const prevented = (url: string): boolean => {
    let stopped = false
    webContents.emit('will-navigate', {
      url,
      preventDefault: () => {
        stopped = true
      },
    })
    return stopped
  }
  expect(['http://127.0.0.1:5173/index.html', 'http://example.org/'].map(prevented)).toEqual([false, true])
})

it.each([
  'http://example.org:5173',
  'https://127.0.0.1:5173',
  'http://127.0.0.1:5173/elsewhere',
  'http://127.0.0.1:5173@example.org',
  '',
])('takes no page from %j', (address) => {
  process.env['ELECTRON_RENDERER_URL'] = address
  expect([developmentOrigin(), pageOrigin(), isDevelopmentPage(`${address}/`)]).toEqual([null, 'app://pairlab', false])
})

it('takes none where the app is installed', () => {
  process.env['ELECTRON_RENDERER_URL'] = 'http://127.0.0.1:5173'
  standIn.app.isPackaged = true
  expect(pageOrigin()).toBe('app://pairlab')
  expect(loadable(['http://127.0.0.1:5173/main.tsx'])).toEqual([])
})
