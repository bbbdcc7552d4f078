import type { AppEvent } from './contract.ts'
import type { Reply } from './rpc.ts'

/** The two channels between the desktop window and the app; nothing else crosses. */
export const CALL_CHANNEL = 'pairlab:call'
export const EVENT_CHANNEL = 'pairlab:event'
export const SUBSCRIBE_CHANNEL = 'pairlab:subscribe'
export const NOTIFY_CHANNEL = 'pairlab:notify'
export const PICK_FILE_CHANNEL = 'pairlab:pick-file'
export const PICK_FOLDER_CHANNEL = 'pairlab:pick-folder'

/** What a file is chosen for. */
export const FILE_USES = ['preferences', 'model'] as const
export type FileUse = (typeof FILE_USES)[number]

export interface Notice {
  readonly title: string
  readonly text: string
  /** As in the page's address: `/runs/dpo-1`. */
  readonly path: string
}

/** Origin of the page inside the desktop window. */
export const PAGE_ORIGIN = 'app://pairlab'

/** What the preload script puts on `window`. */
export interface Bridge {
  call(name: string, input: unknown): Promise<Reply>
  /** Every event from now on; a page fetches its state after subscribing. Returns the way to stop. */
  subscribe(listener: (event: AppEvent) => void): () => void
  /** The system's own notice; a click on it shows the window at `path`. */
  notify(notice: Notice): void
  /** The system's own file dialog; null when closed without a choice. */
  pickFile(use: FileUse): Promise<string | null>
  /** The same for a folder, with words for the dialog's title. */
  pickFolder(title: string): Promise<string | null>
  /** Path on disk of a DOM File dropped on the window, '' if it has none. */
  pathForFile(file: object): string
}
