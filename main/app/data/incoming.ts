import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'

/** Folders that the loopback host makes, one for each file that a page sends. Anything else below `incoming/` is not ours. */
const UPLOAD = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** A file that was sent and not imported by then is given up. */
export const UPLOAD_LIFE_MS = 12 * 60 * 60 * 1000

/** A file that a page sent has served; a file from elsewhere is somebody's own and stays. */
export function releaseUpload(dataFolder: string, file: string): void {
  const folder = path.dirname(path.resolve(file))
  if (path.dirname(folder) !== path.join(dataFolder, 'incoming') || !UPLOAD.test(path.basename(folder))) return
  rmSync(folder, { recursive: true, force: true })
}

/** Removes the copies that pages sent longer ago than `ageMs`. */
export function clearUploads(dataFolder: string, ageMs: number, nowMs: number): void {
  const parent = path.join(dataFolder, 'incoming')
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    const folder = path.join(parent, name)
    const changedAtMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? nowMs
    if (UPLOAD.test(name) && nowMs - changedAtMs >= ageMs) rmSync(folder, { recursive: true, force: true })
  }
}
