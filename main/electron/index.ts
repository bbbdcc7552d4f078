// The desktop door: one window over the same handlers as the command line and the loopback host.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { app, BrowserWindow, dialog } from 'electron'
import { toWire } from '../../shared/errors.ts'
import { createApp, type App } from '../app.ts'
import { defaultDataFolder } from '../data-folder.ts'
import { connectIpc } from './ipc.ts'
import { setMenu } from './menu.ts'
import { declareScheme, serveAssets } from './protocol.ts'
import { lockNavigation, openWindow } from './window.ts'

const here = path.dirname(fileURLToPath(import.meta.url))
const preloadPath = path.join(here, '../preload/index.cjs')
const importable = /\.(jsonl|json|csv|tsv|gz)$/i

/** `--data-dir <folder>`, as the command line takes it. */
function givenDataFolder(args: readonly string[]): string | null {
  const at = args.indexOf('--data-dir')
  return at < 0 ? null : (args[at + 1] ?? null)
}

/** Chromium's own background traffic, off before it starts. */
function silenceChromium(): void {
  for (const name of ['disable-background-networking', 'disable-component-update', 'disable-domain-reliability', 'disable-sync', 'no-pings']) {
    app.commandLine.appendSwitch(name)
  }
}

function goTo(pairlab: App, target: string): void {
  const window = BrowserWindow.getAllWindows()[0] ?? openWindow(preloadPath)
  if (window.isMinimized()) window.restore()
  window.focus()
  pairlab.events.emit('ui.goto', { path: target })
}

async function importFile(pairlab: App): Promise<void> {
  const answer = await dialog.showOpenDialog({ title: 'Import a preference file', properties: ['openFile'] })
  const file = answer.filePaths[0]
  if (!answer.canceled && file !== undefined) goTo(pairlab, `/data?import=${encodeURIComponent(file)}`)
}

function handleCrashes(): void {
  app.on('render-process-gone', (_event, contents, details) => {
    console.error(`The page ended: ${details.reason} (${details.exitCode})`)
    // Every answer is already on disk, so the page can simply be loaded again.
    if (details.reason !== 'clean-exit' && !contents.isDestroyed()) contents.reload()
  })
  process.on('uncaughtException', (error) => {
    console.error(error)
    dialog.showErrorBox('Pairlab met an unexpected error', `${error.message}\n\nLabels and runs are on disk. Start Pairlab again if it does not answer.`)
  })
}

function closeInOrder(pairlab: App): void {
  let closed = false
  app.on('before-quit', (event) => {
    if (closed) return
    event.preventDefault()
    void pairlab.close().catch((error: unknown) => console.error(error)).finally(() => {
      closed = true
      app.quit()
    })
  })
}

async function start(): Promise<void> {
  await app.whenReady()
  let pairlab: App
  try {
    pairlab = await createApp({
      dataFolder: givenDataFolder(process.argv) ?? defaultDataFolder(),
      electronVersion: process.versions['electron'] ?? null,
      trainer: { execPath: process.execPath, args: [path.join(here, 'trainer.js')] },
    })
  } catch (error) {
    const { message, hint } = toWire(error)
    dialog.showErrorBox('Pairlab cannot start', `${message}\n\n${hint}`)
    app.exit(1)
    return
  }
  serveAssets(path.join(here, '../renderer'))
  connectIpc(pairlab)
  setMenu((target) => goTo(pairlab, target), () => void importFile(pairlab))
  closeInOrder(pairlab)
  openWindow(preloadPath)
  const openArguments = (args: readonly string[]): void => {
    const file = args.slice(1).find((argument) => importable.test(argument))
    if (file !== undefined) goTo(pairlab, `/data?import=${encodeURIComponent(path.resolve(file))}`)
  }
  openArguments(process.argv)
  app.on('second-instance', (_event, args) => {
    goTo(pairlab, '')
    openArguments(args)
  })
  app.on('open-file', (event, file) => {
    event.preventDefault()
    goTo(pairlab, `/data?import=${encodeURIComponent(file)}`)
  })
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow(preloadPath)
  })
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
}

if (app.requestSingleInstanceLock()) {
  silenceChromium()
  declareScheme()
  app.enableSandbox()
  lockNavigation()
  handleCrashes()
  void start()
} else {
  app.quit() // the first instance was told of our arguments and shows its window
}
