import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { protocol, session } from 'electron'
import { PAGE_ORIGIN } from '../../../shared/bridge.ts'
import { isDevelopmentPage } from './page-origin.ts'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const COPYING = 'clipboard-sanitized-write'

/** Must run before the app is ready, or the scheme is not a secure origin. */
export function declareScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

/** Serves the page's files from `folder` and refuses every other address, so that nothing leaves the machine. */
export function serveAssets(folder: string): void {
  protocol.handle('app', async (request) => {
    const url = new URL(request.url)
    const relative = decodeURIComponent(url.pathname)
    const file = path.join(folder, relative === '/' ? 'index.html' : relative)
    if (!`${url.protocol}//${url.host}`.startsWith(PAGE_ORIGIN) || !file.startsWith(folder + path.sep))
      return new Response('', { status: 404 })
    try {
      return new Response(new Uint8Array(await readFile(file)), {
        headers: {
          'content-type': CONTENT_TYPES[path.extname(file)] ?? 'application/octet-stream',
          'content-security-policy': CONTENT_SECURITY_POLICY,
          'x-content-type-options': 'nosniff',
        },
      })
    } catch (error) {
      return new Response(error instanceof Error ? error.message : '', { status: 404 })
    }
  })
  const { webRequest } = session.defaultSession
  webRequest.onBeforeRequest((details, decide) => {
    decide({
      cancel: !/^(app|blob|data|devtools|chrome-extension):/.test(details.url) && !isDevelopmentPage(details.url),
    })
  })
  // Copying a path or a figure after a click; everything else (reading the clipboard included) is refused.
  session.defaultSession.setPermissionRequestHandler((_contents, permission, decide) => decide(permission === COPYING))
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => permission === COPYING)
}
