import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { app, BrowserWindow, screen } from 'electron'
import { isDevelopmentPage, pageOrigin } from './page-origin.ts'
import { readWindowState, type WindowState } from './window-state.ts'

const FIRST_STATE: WindowState = { width: 1440, height: 900, maximized: false }

function statePath(): string {
  return path.join(app.getPath('userData'), 'window.json')
}

/** Where the window was, unless that screen is gone. */
function readState(): WindowState {
  const state = readWindowState(statePath()) ?? FIRST_STATE
  const { x, y } = state
  const visible =
    x !== undefined &&
    y !== undefined &&
    screen
      .getAllDisplays()
      .some(
        ({ bounds }) =>
          x < bounds.x + bounds.width && x + state.width > bounds.x && y >= bounds.y && y < bounds.y + bounds.height,
      )
  return visible ? state : { width: state.width, height: state.height, maximized: state.maximized }
}

function rememberState(window: BrowserWindow): void {
  const state: WindowState = { ...window.getNormalBounds(), maximized: window.isMaximized() }
  writeFileSync(statePath(), JSON.stringify(state))
}

/** @param place where the page begins, as in its address; '' is Home */
export function openWindow(preloadPath: string, place: string): BrowserWindow {
  const { maximized, ...bounds } = readState()
  const window = new BrowserWindow({
    ...bounds,
    minWidth: 900,
    minHeight: 600,
    show: false,
    title: 'Pairlab',
    backgroundColor: '#15181d',
    webPreferences: {
      preload: preloadPath,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false, // Chromium would fetch dictionaries
    },
  })
  if (maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  window.on('close', () => rememberState(window))
  void window.loadURL(`${pageOrigin()}/index.html${place === '' ? '' : `#${place}`}`)
  return window
}

/** No page but ours, in no window but ours. */
export function lockNavigation(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }))
    contents.on('will-navigate', (event) => {
      if (!isDevelopmentPage(event.url)) event.preventDefault() // Vite loads its page again where it cannot replace a part of it
    })
    contents.on('will-redirect', (event) => event.preventDefault())
    contents.on('will-attach-webview', (event) => event.preventDefault())
  })
}
