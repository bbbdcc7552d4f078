import { readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { replaceFile } from '../../base/files/durable.ts'
import { hashFileNow } from '../../base/files/hash-file.ts'

// When the app closes, the sha256 of the database is written beside it; while the app runs there is none. So the next start
// knows every byte to be as it was left, in a tenth of the time of SQLite's own check, and sees flipped bits inside texts
// and numbers, which that check cannot.

export type Left =
  /** Every byte is what the last orderly close left. */
  | 'as-left'
  /** Something else wrote the file since, or the disk lost bits. */
  | 'otherwise'
  /** The app was killed, or another version closed it: nothing is known. */
  | 'unknown'

function sumPath(file: string): string {
  return `${file}.sha256`
}

/** Compares the database with the sum of its last close. */
export function compareSum(file: string): Left {
  const wanted = readSum(file)
  if (wanted === null || (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return 'unknown'
  try {
    return hashFileNow(file) === wanted ? 'as-left' : 'otherwise'
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return 'unknown' // a file that cannot be read is named by whoever opens it
    throw error
  }
}

/** For a database that is about to be written. */
export function removeSum(file: string): void {
  rmSync(sumPath(file), { recursive: true, force: true })
}

/** Writes the sum of a database that nobody has open. A disk that is full or gone leaves none: the next start checks the slow way. */
export function leaveSum(file: string): void {
  try {
    replaceFile(sumPath(file), `${hashFileNow(file)}  ${path.basename(file)}\n`, { mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    removeSum(file)
  }
}

/** In the format of sha256sum, so that anyone can check. */
function readSum(file: string): string | null {
  try {
    return /^[0-9a-f]{64}(?= )/.exec(readFileSync(sumPath(file), 'utf8'))?.[0] ?? null
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return null // not there, or not readable: nothing is known
    throw error
  }
}
