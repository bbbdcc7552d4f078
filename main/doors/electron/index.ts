// The desktop door: one window over the same handlers as the command line and the loopback host.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { app, BrowserWindow, dialog } from 'electron'
import { toWire } from '../../../shared/errors.ts'
import type { App } from '../../app/app.ts'
import { takeOverSharedApp, type SharedApp } from '../headless/shared-app.ts'
import { keepFilesPrivate } from '../../base/private-folder.ts'
import { stayAwake } from './awake.ts'
import { handleCrashes, type CrashReports } from './crashes.ts'
import { dataFolderOf, fileAmong, separateFromChromium } from './instance.ts'
import { connectIpc } from './ipc.ts'
import { setMenu } from './menu.ts'
import { developmentOrigin } from './page-origin.ts'
import { declareScheme, serveAssets } from './protocol.ts'
import { lockNavigation, openWindow } from './window.ts'

const here = path.dirname(fileURLToPath(import.meta.url))
const preloadPath = path.join(here, '../preload/index.cjs')
const importable = /\.(jsonl|json|csv|tsv|parquet|gz)$/i

/** Chromium's own background traffic, off before it starts. */
function silenceChromium(): void {
  for (const name of [
    'disable-background-networking',
    'disable-component-update',
    'disable-domain-reliability',
    'disable-sync',
    'no-pings',
  ]) {
    app.commandLine.appendSwitch(name)
  }
}

function importPlace(file: string): string {
  return `/data?import=${encodeURIComponent(file)}`
}

/** Shows a place in the window that is open, else in a new one. @param target '' leaves the page where it is */
function goTo(pairlab: App, target: string): void {
  const [window] = BrowserWindow.getAllWindows()
  if (window === undefined) return void openWindow(preloadPath, target)
  if (window.isMinimized()) window.restore()
  window.focus()
  if (target !== '') pairlab.events.emit('ui.goto', { path: target })
}

async function importFile(pairlab: App): Promise<void> {
  const answer = await dialog.showOpenDialog({ title: 'Import a preference file', properties: ['openFile'] })
  const file = answer.filePaths[0]
  if (!answer.canceled && file !== undefined) goTo(pairlab, importPlace(file))
}

/** macOS hands over a file by an event, which may come before there is a window: the last one waits for it. */
function takeOpenedFiles(): { waiting(): string | null; follow(open: (file: string) => void): void } {
  let waiting: string | null = null
  let open = (file: string): void => {
    waiting = file
  }
  app.on('open-file', (event, file) => {
    event.preventDefault()
    open(file)
  })
  return {
    waiting: () => waiting,
    follow: (now) => {
      open = now
    },
  }
}

function closeInOrder(shared: SharedApp): void {
  let closed = false
  app.on('before-quit', (event) => {
    if (closed) return
    event.preventDefault()
    // A restart of `npm run dev` is no end: what trains goes on.
    void shared
      .end('now', developmentOrigin() === null ? undefined : 'continue')
      .catch((error: unknown) => shared.app.log.error('could not close in order', error))
      .finally(() => {
        closed = true
        app.quit()
      })
  })
}

async function start(dataFolder: string, crashes: CrashReports): Promise<void> {
  const opened = takeOpenedFiles()
  await app.whenReady()
  let shared: SharedApp
  try {
    // Commands beside the window reach its app by the address that it leaves.
    shared = await takeOverSharedApp({
      rendererFolder: null,
      dataFolder,
      electronVersion: process.versions['electron'] ?? null,
      worker: { execPath: process.execPath, args: [path.join(here, 'worker.js')] },
    })
  } catch (error) {
    const { message, hint } = toWire(error)
    dialog.showErrorBox('Pairlab cannot start', `${message}\n\n${hint}`)
    app.exit(1)
    return
  }
  const pairlab = shared.app
  crashes.useLog(pairlab.log)
  serveAssets(path.join(here, '../renderer'))
  connectIpc(pairlab, (target) => goTo(pairlab, target))
  setMenu(
    (target) => goTo(pairlab, target),
    () => void importFile(pairlab),
  )
  stayAwake(pairlab)
  closeInOrder(shared)
  const file = opened.waiting() ?? fileAmong(process.argv, importable, process.cwd())
  openWindow(preloadPath, file === null ? '' : importPlace(file))
  opened.follow((later) => goTo(pairlab, importPlace(later)))
  app.on('second-instance', (_event, args, workingDirectory) => {
    const given = fileAmong(args, importable, workingDirectory)
    goTo(pairlab, given === null ? '' : importPlace(given))
  })
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) openWindow(preloadPath, '')
  })
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
}

keepFilesPrivate()
const dataFolder = dataFolderOf(process.argv)
separateFromChromium(dataFolder)
// In development the next window starts while this one still closes; the data folder's own lock makes it wait.
if (developmentOrigin() !== null || app.requestSingleInstanceLock()) {
  silenceChromium()
  declareScheme()
  app.enableSandbox()
  lockNavigation()
  void start(dataFolder, handleCrashes())
} else {
  app.quit() // the first instance on this data folder was told of our arguments and shows its window
}
