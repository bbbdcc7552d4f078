// A stand-in for the `electron` module that keeps its promises where main/doors/electron leans on them: messages are cloned,
// senders carry frames, handlers are unique, events reach their listeners. Tests reach behind it through `behind`.
import { EventEmitter } from 'node:events'
import { tmpdir } from 'node:os'
import { existsSync, mkdtempSync } from 'node:fs'
import path from 'node:path'
import type { Menu as MenuType, MenuItemConstructorOptions, OpenDialogOptions } from 'electron'

type Handler = (event: unknown, ...args: unknown[]) => unknown
type ProtocolHandler = (request: Request) => Promise<Response>

export interface SentMessage {
  readonly channel: string
  readonly args: readonly unknown[]
}

class StandInContents extends EventEmitter {
  readonly sent: SentMessage[] = []
  openHandler: ((details: { url: string }) => { action: string }) | undefined
  url = ''
  reloads = 0
  destroyed = false
  get mainFrame() {
    return { url: this.url, parent: null }
  }
  send(channel: string, ...args: unknown[]): void {
    if (this.destroyed) throw new TypeError('Object has been destroyed')
    this.sent.push({ channel, args: structuredClone(args) })
    rendererListeners.emit(channel, {}, ...structuredClone(args))
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler
  }
  isDestroyed(): boolean {
    return this.destroyed
  }
  reload(): void {
    this.reloads += 1
  }
}

const windows: StandInWindow[] = []
const rendererListeners = new EventEmitter()

class StandInWindow extends EventEmitter {
  readonly webContents = new StandInContents()
  readonly options: Record<string, unknown>
  shown = false
  focused = 0
  minimized = false
  maximized = false
  static getAllWindows(): StandInWindow[] {
    return [...windows]
  }
  static fromWebContents(contents: unknown): StandInWindow | null {
    return windows.find((window) => window.webContents === contents) ?? null
  }
  constructor(options: Record<string, unknown>) {
    super()
    this.options = options
    windows.push(this)
    app.emit('web-contents-created', {}, this.webContents)
  }
  async loadURL(url: string): Promise<void> {
    this.webContents.url = url
    this.emit('ready-to-show')
  }
  show(): void {
    this.shown = true
  }
  focus(): void {
    this.focused += 1
  }
  restore(): void {
    this.minimized = false
  }
  maximize(): void {
    this.maximized = true
  }
  isMinimized(): boolean {
    return this.minimized
  }
  isMaximized(): boolean {
    return this.maximized
  }
  getNormalBounds() {
    return { x: 10, y: 20, width: 1000, height: 700 }
  }
  close(): void {
    this.emit('close')
    windows.splice(windows.indexOf(this), 1)
    this.webContents.destroyed = true
    this.webContents.emit('destroyed')
    this.emit('closed')
    if (windows.length === 0) app.emit('window-all-closed')
  }
}

const appData = mkdtempSync(path.join(tmpdir(), 'pairlab-app-data-'))

class StandInApp extends EventEmitter {
  lock = true
  isPackaged = false
  /** Where `userData` was when the lock was asked for: Electron's lock is one of that folder. */
  lockedIn: string | null = null
  readonly paths = new Map([
    ['appData', appData],
    ['userData', path.join(appData, 'pairlab')],
  ])
  sandboxed = false
  quits = 0
  exits: number[] = []
  readonly switches: string[] = []
  readonly commandLine = { appendSwitch: (name: string) => void this.switches.push(name) }
  /** What the system tells before the app is ready. */
  readonly early: (() => void)[] = []
  readonly whenReady = async (): Promise<void> => {
    for (const event of this.early) event()
  }
  requestSingleInstanceLock(): boolean {
    this.lockedIn = this.getPath('userData')
    return this.lock
  }
  enableSandbox(): void {
    this.sandboxed = true
  }
  getPath(name: string): string {
    return this.paths.get(name) ?? tmpdir()
  }
  /** Like Electron: not to a folder that is not there. */
  setPath(name: string, folder: string): void {
    if (!existsSync(folder)) throw new Error(`Failed to set path: ${folder}`)
    this.paths.set(name, folder)
  }
  exit(code = 0): void {
    this.exits.push(code)
  }
  /** Like Electron: tells `before-quit` first, which may hold it back. */
  quit(): void {
    let prevented = false
    this.emit('before-quit', {
      preventDefault: () => {
        prevented = true
      },
    })
    if (!prevented) this.quits += 1
  }
}

export const app = new StandInApp()
export const BrowserWindow = StandInWindow

const handlers = new Map<string, Handler>()
const mainListeners = new EventEmitter()
export const ipcMain = {
  handle(channel: string, handler: Handler): void {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    handlers.set(channel, handler)
  },
  on: (channel: string, listener: Handler) => void mainListeners.on(channel, listener),
}

/** The page's side: what it sends is cloned, and carries the frame it came from. */
export const ipcRenderer = {
  async invoke(channel: string, ...args: unknown[]): Promise<unknown> {
    return structuredClone(await behind.invokeFrom(behind.frame, channel, ...args))
  },
  send(channel: string, ...args: unknown[]): void {
    mainListeners.emit(
      channel,
      { sender: windows[0]?.webContents, senderFrame: behind.frame },
      ...structuredClone(args),
    )
  },
  on: (channel: string, listener: (...args: unknown[]) => void) => void rendererListeners.on(channel, listener),
  removeListener: (channel: string, listener: (...args: unknown[]) => void) =>
    void rendererListeners.removeListener(channel, listener),
}

export const contextBridge = {
  exposeInMainWorld: (name: string, value: unknown) => void behind.exposed.set(name, value),
}
export const powerSaveBlocker = {
  /** Kinds of those that are held, by number. */
  held: new Map<number, string>(),
  next: 0,
  start(kind: 'prevent-app-suspension' | 'prevent-display-sleep'): number {
    powerSaveBlocker.held.set(powerSaveBlocker.next, kind)
    return powerSaveBlocker.next++ // from 0 on, as Electron's
  },
  stop: (id: number): boolean => powerSaveBlocker.held.delete(id),
}
export const webUtils = { getPathForFile: (file: { path?: string }) => file.path ?? '' }
export const screen = { getAllDisplays: () => [{ bounds: { x: 0, y: 0, width: 1920, height: 1080 } }] }

export const dialog = {
  answer: { canceled: false, filePaths: ['/data/pairs.jsonl'] },
  errors: [] as [string, string][],
  /** What the last dialog was asked to be. */
  asked: null as OpenDialogOptions | null,
  showOpenDialog: async (...args: readonly [OpenDialogOptions] | readonly [unknown, OpenDialogOptions]) => {
    dialog.asked = args.at(-1) as OpenDialogOptions
    return dialog.answer
  },
  showErrorBox: (title: string, text: string) => void dialog.errors.push([title, text]),
}

export const Menu = {
  current: null as MenuItemConstructorOptions[] | null,
  buildFromTemplate: (template: MenuItemConstructorOptions[]) => template as unknown as MenuType,
  setApplicationMenu: (menu: unknown) => {
    Menu.current = menu as MenuItemConstructorOptions[]
  },
}

export class Notification extends EventEmitter {
  static isSupported(): boolean {
    return true
  }
  readonly options: { readonly title: string; readonly body: string }
  constructor(options: { readonly title: string; readonly body: string }) {
    super()
    this.options = options
  }
  show(): void {
    behind.notices.push(this)
  }
}

const protocolHandlers = new Map<string, ProtocolHandler>()
export const protocol = {
  privileged: [] as { scheme: string }[],
  registerSchemesAsPrivileged: (schemes: { scheme: string }[]) => void protocol.privileged.push(...schemes),
  handle: (scheme: string, handler: ProtocolHandler) => void protocolHandlers.set(scheme, handler),
}

export const session = {
  defaultSession: {
    webRequest: {
      onBeforeRequest: (
        listener: (details: { url: string }, decide: (answer: { cancel: boolean }) => void) => void,
      ) => {
        behind.beforeRequest = listener
      },
    },
    setPermissionRequestHandler: (handler: typeof behind.permission) => {
      behind.permission = handler
    },
    setPermissionCheckHandler: (handler: typeof behind.permissionCheck) => {
      behind.permissionCheck = handler
    },
  },
}

/** What no program could see, but a test must. */
export const behind = {
  windows,
  exposed: new Map<string, unknown>(),
  notices: [] as Notification[],
  frame: { url: 'app://pairlab/index.html', parent: null } as { url: string; parent: unknown } | null,
  beforeRequest: undefined as
    | ((details: { url: string }, decide: (answer: { cancel: boolean }) => void) => void)
    | undefined,
  permission: undefined as
    | ((contents: unknown, permission: string, decide: (granted: boolean) => void) => void)
    | undefined,
  permissionCheck: undefined as ((contents: unknown, permission: string) => boolean) | undefined,
  async invokeFrom(frame: unknown, channel: string, ...args: unknown[]): Promise<unknown> {
    const handler = handlers.get(channel)
    if (handler === undefined) throw new Error(`No handler registered for '${channel}'`)
    return handler({ sender: windows[0]?.webContents, senderFrame: frame }, ...structuredClone(args))
  },
  /** As after a restart: no handler, no listener, no window. */
  reset(): void {
    handlers.clear()
    mainListeners.removeAllListeners()
    rendererListeners.removeAllListeners()
    behind.exposed.clear()
    windows.splice(0)
  },
  fetchAsset: (url: string) => protocolHandlers.get('app')?.(new Request(url)),
}
