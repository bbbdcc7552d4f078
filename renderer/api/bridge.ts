import type { Bridge } from '../../shared/bridge.ts'

declare global {
  interface Window {
    /** What the desktop window's preload script offers; absent in a browser. */
    readonly bridge?: Bridge
  }
}
