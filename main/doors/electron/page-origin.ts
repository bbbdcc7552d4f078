import { app } from 'electron'
import { PAGE_ORIGIN } from '../../../shared/bridge.ts'

/**
 * The address of Vite, where `npm run dev` started this window; null in every other, and always in an installed app.
 * Only the loopback interface will do.
 */
export function developmentOrigin(): string | null {
  const given = process.env['ELECTRON_RENDERER_URL']
  if (app.isPackaged || given === undefined) return null
  return /^http:\/\/127\.0\.0\.1:\d+$/.test(given) ? given : null
}

/** Origin of the page that this window shows: it alone may call the app. */
export function pageOrigin(): string {
  return developmentOrigin() ?? PAGE_ORIGIN
}

/** Of Vite: a file of the page, or the socket that tells of changes. */
export function isDevelopmentPage(url: string): boolean {
  const origin = developmentOrigin()
  return origin !== null && url.replace(/^ws:/, 'http:').startsWith(`${origin}/`)
}
