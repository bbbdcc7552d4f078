import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const PAGE_LIFE_MS = 60_000

/**
 * Opens an address in the default browser; a machine without one is no reason to fail. Everybody on the machine can read
 * a program's arguments, so the browser is given a page that only its owner can read, which leads on to the address.
 * @param folder where the page is written: the person's own
 */
export function openBrowser(address: string, folder: string): void {
  removePages(folder, PAGE_LIFE_MS)
  const page = path.join(folder, `open-${randomBytes(8).toString('hex')}.html`)
  writeFileSync(page, leadingTo(address), { mode: 0o600, flag: 'wx' })
  setTimeout(() => rmSync(page, { force: true }), PAGE_LIFE_MS).unref()
  const target = pathToFileURL(page).href
  const [command, args] =
    process.platform === 'darwin'
      ? (['open', [target]] as const)
      : process.platform === 'win32'
        ? (['rundll32', ['url.dll,FileProtocolHandler', target]] as const)
        : (['xdg-open', [target]] as const)
  const child = spawn(command, args, { stdio: 'ignore', detached: true, windowsHide: true })
  child.on('error', () => rmSync(page, { force: true })) // no such program: the address is printed anyway
  child.unref()
}

/** Takes away the pages that are as old as that; a command that ended at once left one for the browser to read. */
export function removePages(folder: string, ageMs = 0): void {
  for (const name of readdirSync(folder).filter((one) => /^open-[0-9a-f]{16}\.html$/.test(one))) {
    const page = path.join(folder, name)
    const madeMs = statSync(page, { throwIfNoEntry: false })?.mtimeMs ?? 0
    if (Date.now() - madeMs >= ageMs) rmSync(page, { force: true })
  }
}

function leadingTo(address: string): string {
  const escaped = address.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
  return `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0;url=${escaped}"><title>Pairlab</title><a href="${escaped}" rel="noreferrer">Open Pairlab</a>\n`
}
