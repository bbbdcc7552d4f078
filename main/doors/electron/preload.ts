import { contextBridge, ipcRenderer, webUtils } from 'electron'
import {
  CALL_CHANNEL,
  EVENT_CHANNEL,
  NOTIFY_CHANNEL,
  PICK_FILE_CHANNEL,
  PICK_FOLDER_CHANNEL,
  SUBSCRIBE_CHANNEL,
  type Bridge,
} from '../../../shared/bridge.ts'
import type { AppEvent } from '../../../shared/contract.ts'

const bridge: Bridge = {
  call: (name, input) => ipcRenderer.invoke(CALL_CHANNEL, name, input),
  subscribe(listener) {
    const forward = (_event: unknown, message: AppEvent): void => listener(message)
    ipcRenderer.on(EVENT_CHANNEL, forward)
    ipcRenderer.send(SUBSCRIBE_CHANNEL)
    return () => void ipcRenderer.removeListener(EVENT_CHANNEL, forward)
  },
  notify: (notice) => ipcRenderer.send(NOTIFY_CHANNEL, notice),
  pickFile: (use) => ipcRenderer.invoke(PICK_FILE_CHANNEL, use),
  pickFolder: (title) => ipcRenderer.invoke(PICK_FOLDER_CHANNEL, title),
  pathForFile: (file) => webUtils.getPathForFile(file as Parameters<typeof webUtils.getPathForFile>[0]), // the page hands over a File
}

contextBridge.exposeInMainWorld('bridge', bridge)
