// Finds Electron's binary, or tries once to download it. A machine that cannot reach it gets the browser instead.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { findRuntime, root } from './runtime.mjs'

const folder = path.join(root, 'node_modules', 'electron')
const refusedPath = path.join(root, 'node_modules', '.pairlab', 'electron-refused')
const RETRY_AFTER_MS = 24 * 3600 * 1000
const DOWNLOAD_LIMIT_MS = 10 * 60 * 1000

function installedBinary() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  const name = existsSync(path.join(folder, 'path.txt'))
    ? readFileSync(path.join(folder, 'path.txt'), 'utf8')
    : 'electron'
  const binary = override !== undefined ? path.join(override, name) : path.join(folder, 'dist', name)
  return existsSync(binary) ? binary : null
}

/** The binary, downloaded now if it can be; null when it cannot. A refusal is remembered for a day. */
function obtainBinary() {
  const present = installedBinary()
  if (present !== null) return present
  if (existsSync(refusedPath) && Date.now() - statSync(refusedPath).mtimeMs < RETRY_AFTER_MS) return null
  console.log('Downloading Electron (once) …')
  spawnSync(findRuntime(), ['install.js'], { cwd: folder, stdio: 'ignore', timeout: DOWNLOAD_LIMIT_MS })
  const downloaded = installedBinary()
  if (downloaded === null) {
    mkdirSync(path.dirname(refusedPath), { recursive: true })
    writeFileSync(refusedPath, '')
  }
  return downloaded
}

/** @returns {{ binary: string } | { reason: string }} */
export function findElectron() {
  if (process.env.PAIRLAB_BROWSER === '1') return { reason: 'PAIRLAB_BROWSER=1 asks for the browser' }
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
    return { reason: 'there is no display' }
  const binary = obtainBinary()
  return binary === null ? { reason: 'Electron is not installed and could not be downloaded' } : { binary }
}

/** Null when a distribution is at hand, else why not. */
export function findElectronDistribution() {
  return obtainBinary() === null ? 'not installed and not downloadable' : null
}
