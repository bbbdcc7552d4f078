import type { AppEvent } from '../../shared/contract.ts'
import type { Reply } from '../../shared/rpc.ts'

/** What the desktop window's preload script offers; absent in a browser. */
export interface Bridge {
  call(name: string, input: unknown): Promise<Reply>
  /** @returns the function that ends the subscription */
  subscribe(listener: (event: AppEvent) => void): () => void
  /** The system's file dialog; null when it was closed without a choice. */
  pickFile?(): Promise<string | null>
  /** Where a dropped file lies, or '' if it has no path. */
  pathForFile?(file: File): string
}

declare global {
  interface Window {
    readonly bridge?: Bridge
  }
}
