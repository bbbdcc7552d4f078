import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'

/** Folders that the loopback host makes, one for each file or folder that a page sends. Anything else below `incoming/` is not ours. */
const UPLOAD = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** A file that was sent and not imported by then is given up. */
export const UPLOAD_LIFE_MS = 12 * 60 * 60 * 1000

/** A file or folder that a page sent has served, and what came with it; what is from elsewhere is somebody's own and stays. */
export function releaseUpload(dataFolder: string, file: string): void {
  const parent = path.join(dataFolder, 'incoming')
  const [name = '', ...below] = path.relative(parent, path.resolve(file)).split(path.sep)
  if (!UPLOAD.test(name) || below.length === 0) return
  rmSync(path.join(parent, name), { recursive: true, force: true })
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
