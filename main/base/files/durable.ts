// The one way in which a file gets its name: its bytes are on the disk first, then it is renamed, then its folder is on
// the disk. After a crash or a power cut there is the old file or the new one, never half of either.
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'

interface NewFile {
  /** Rights; default: what the process's mask leaves. */
  readonly mode?: number
}

/** @throws what the system says; nothing is left beside the file then */
export function replaceFile(file: string, data: string | Uint8Array, options: NewFile = {}): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeNewFile(temporary, data, options)
    moveDurably(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** A file of a folder that gets its name later: its bytes are on the disk when this returns. @throws what the system says, with the file's name, which a failed write leaves out */
export function writeNewFile(file: string, data: string | Uint8Array, { mode = 0o666 }: NewFile = {}): void {
  const descriptor = openSync(file, 'w', mode)
  try {
    writeFully(descriptor, typeof data === 'string' ? Buffer.from(data) : data)
    fsyncSync(descriptor)
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { path: file }) : error
  } finally {
    closeSync(descriptor)
  }
}

/** writeSync may take fewer bytes than it was given. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, bytes.length - done)
}

/** A file whose bytes are on the disk, or a folder. @throws what the system says */
export function moveDurably(from: string, to: string): void {
  renameSync(from, to)
  syncFolder(path.dirname(to))
  if (path.dirname(from) !== path.dirname(to)) syncFolder(path.dirname(from))
}

/** A folder that was filled by other means, as by copies: every file and folder of it is on the disk when this returns. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const place = path.join(entry.parentPath, entry.name)
    if (entry.isFile()) syncFile(place)
    else if (entry.isDirectory()) syncFolder(place)
  }
  syncFolder(folder)
}

function syncFile(file: string): void {
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** A rename is on the disk only once its folder is. Windows cannot open folders and keeps its journal itself. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
