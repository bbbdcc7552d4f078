import {
  BrowserWindow,
  dialog,
  ipcMain,
  Notification,
  type IpcMainEvent,
  type IpcMainInvokeEvent,
  type WebContents,
} from 'electron'
import {
  CALL_CHANNEL,
  EVENT_CHANNEL,
  NOTIFY_CHANNEL,
  PICK_FILE_CHANNEL,
  PICK_FOLDER_CHANNEL,
  SUBSCRIBE_CHANNEL,
  type FileUse,
} from '../../../shared/bridge.ts'
import { AppError, toWire } from '../../../shared/errors.ts'
import { dispatch, type Reply } from '../../../shared/rpc.ts'
import type { App } from '../../app/app.ts'
import { pageOrigin } from './page-origin.ts'

/** Only our own page, in the top frame, may speak. */
function isOurPage(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame
  return frame !== null && frame.parent === null && frame.url.startsWith(`${pageOrigin()}/`)
}

function refused(): Reply {
  return {
    ok: false,
    error: toWire(
      new AppError({
        code: 'forbidden',
        message: 'This page may not call the app.',
        hint: 'Close the window and start Pairlab again.',
      }),
    ),
  }
}

const FILE_DIALOGS = {
  preferences: {
    title: 'A file of data to import',
    name: 'Files of data',
    extensions: ['jsonl', 'ndjson', 'json', 'csv', 'tsv', 'txt', 'npz', 'svm', 'svmlight', 'letor', 'parquet', 'gz'],
  },
  model: { title: 'A model in a file', name: 'Models', extensions: ['gguf', 'zip', 'whl'] },
} as const satisfies Record<FileUse, unknown>

async function pick(event: IpcMainInvokeEvent, options: Electron.OpenDialogOptions): Promise<string | null> {
  const owner = BrowserWindow.fromWebContents(event.sender)
  const answer = owner === null ? await dialog.showOpenDialog(options) : await dialog.showOpenDialog(owner, options)
  return answer.canceled ? null : (answer.filePaths[0] ?? null)
}

/** Shown until they are clicked or closed: without a reference Electron forgets the click. */
const shown = new Set<Notification>()

/** What the page sends is text for the system's own notice, cut to what one shows. */
function showNotice(notice: unknown, show: (path: string) => void): void {
  if (typeof notice !== 'object' || notice === null || !Notification.isSupported()) return
  const { title, text, path } = notice as Record<string, unknown>
  if (typeof title !== 'string' || typeof text !== 'string' || typeof path !== 'string' || !path.startsWith('/')) return
  const notification = new Notification({ title: title.slice(0, 200), body: text.slice(0, 500), silent: true })
  const forget = (): void => void shown.delete(notification)
  shown.add(notification)
  notification.on('click', () => {
    forget()
    show(path)
  })
  notification.on('close', forget)
  notification.show()
}

/**
 * Transport 1: Electron's IPC in front of the same dispatch as every other door.
 * @param show brings the window to the front, at a place
 */
export function connectIpc(app: App, show: (path: string) => void): void {
  const listening = new Set<WebContents>()

  ipcMain.handle(CALL_CHANNEL, (event, name: unknown, input: unknown) =>
    isOurPage(event) && typeof name === 'string' ? dispatch(app.handlers, name, input) : refused(),
  )

  ipcMain.handle(PICK_FILE_CHANNEL, async (event, use: unknown) => {
    if (!isOurPage(event) || (use !== 'preferences' && use !== 'model')) return null
    const { title, name, extensions } = FILE_DIALOGS[use]
    return pick(event, {
      title,
      properties: ['openFile'],
      filters: [
        { name, extensions: [...extensions] },
        { name: 'All files', extensions: ['*'] },
      ],
    })
  })

  ipcMain.handle(PICK_FOLDER_CHANNEL, async (event, title: unknown) => {
    if (!isOurPage(event) || typeof title !== 'string') return null
    return pick(event, { title, properties: ['openDirectory', 'createDirectory'] })
  })

  ipcMain.on(NOTIFY_CHANNEL, (event, notice: unknown) => {
    if (isOurPage(event)) showNotice(notice, show)
  })

  ipcMain.on(SUBSCRIBE_CHANNEL, (event) => {
    if (!isOurPage(event) || listening.has(event.sender)) return
    listening.add(event.sender)
    event.sender.once('destroyed', () => listening.delete(event.sender))
  })

  app.events.subscribe((message) => {
    for (const contents of listening) if (!contents.isDestroyed()) contents.send(EVENT_CHANNEL, message)
  })
}
