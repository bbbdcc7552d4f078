import { app, dialog } from 'electron'
import type { Log } from '../../base/log.ts'

/** A page that ends more often than this within the time would only end again. */
const MOST_RELOADS = 3
const WITHIN_MS = 60_000

export interface CrashReports {
  /** Those that came before are written to the app's log now, later ones as they come. */
  useLog(log: Pick<Log, 'error'>): void
}

/** Loads a page that crashed again, a few times, and reports what goes wrong. Before the app is ready. */
export function handleCrashes(): CrashReports {
  // Whoever started us may have closed the terminal, or filled the disk that takes our output.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  let log: Pick<Log, 'error'> | null = null
  const waiting: (readonly [text: string, error: unknown])[] = []
  const reloadsMs: number[] = []
  const report = (text: string, error?: unknown): void => {
    if (log !== null) return log.error(text, error)
    console.error(text, error ?? '')
    waiting.push([text, error])
  }
  app.on('render-process-gone', (_event, contents, details) => {
    report(`the page ended: ${details.reason} (${details.exitCode})`)
    if (details.reason === 'clean-exit' || contents.isDestroyed()) return
    const recent = reloadsMs.filter((atMs) => Date.now() - atMs < WITHIN_MS)
    reloadsMs.splice(0, reloadsMs.length, ...recent)
    if (recent.length >= MOST_RELOADS) {
      dialog.showErrorBox(
        'The page of Pairlab ends again and again',
        `It ended ${recent.length + 1} times within a minute: ${details.reason} (${details.exitCode}).\n\nLabels and runs are on disk, and runs go on. Close the window and start Pairlab again; if that does not help, open it in the browser: pairlab serve --open`,
      )
      return
    }
    reloadsMs.push(Date.now())
    contents.reload() // every answer is already on disk
  })
  app.on('child-process-gone', (_event, { type, reason, exitCode }) => {
    if (reason !== 'clean-exit') report(`a process of the window ended: ${type}, ${reason} (${exitCode})`)
  })
  const unexpected = (error: unknown): void => {
    report('something unexpected happened in the desktop process', error)
    dialog.showErrorBox(
      'Pairlab met an unexpected error',
      `${error instanceof Error ? error.message : String(error)}\n\nLabels and runs are on disk. Start Pairlab again if it does not answer.`,
    )
  }
  process.on('uncaughtException', unexpected)
  process.on('unhandledRejection', unexpected)
  return {
    useLog(given) {
      log = given
      for (const [text, error] of waiting.splice(0)) given.error(text, error)
    },
  }
}
