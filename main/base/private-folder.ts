import { chmodSync, existsSync, readdirSync, statSync, type Stats } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

const OTHERS = 0o077
const OWNER_ONLY = 0o700
const SHARED_ON_PURPOSE = 0o3000 // sticky, as /tmp, or handing its group on, as a folder of a team

/**
 * From here on, whatever this process and its children make is for this person alone: 0700 and 0600. Exports to a place
 * elsewhere are no exception; who wants to share one says so with chmod. Called at every entry. Windows has no such mask.
 */
export function keepFilesPrivate(): void {
  process.umask(OTHERS)
}

/**
 * Takes a data folder that others could enter away from them. Left alone is what is not Pairlab's own: a home folder, a
 * folder of somebody else, one with other things in it, or one that is shared on purpose; what we write there is
 * private all the same.
 * @returns what was done or could not be, in words for the log; null where there was nothing to do
 */
export function closeToOthers(folder: string): string | null {
  if (process.platform === 'win32') return null
  const found = statSync(folder)
  if ((found.mode & OTHERS) === 0) return null
  if (!isOurs(folder, found))
    return `Others on this machine can list ${folder}, which holds more than Pairlab's data; the files that Pairlab makes there are readable by you alone`
  try {
    chmodSync(folder, OWNER_ONLY)
    return `${folder} could be entered by others on this machine and is yours alone now`
  } catch (error) {
    return `${folder} can be entered by others on this machine, and this could not be changed: ${error instanceof Error ? error.message : String(error)}`
  }
}

function isOurs(folder: string, found: Stats): boolean {
  const isHome = path.relative(folder, homedir()).split(path.sep)[0] !== '..' // or above it
  if (found.uid !== process.getuid?.() || (found.mode & SHARED_ON_PURPOSE) !== 0 || isHome) return false
  return existsSync(path.join(folder, 'app.sqlite')) || readdirSync(folder).length === 0
}
