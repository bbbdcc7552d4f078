import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { app } from 'electron'
import { defaultDataFolder } from '../../base/data-folder.ts'

const FLAG = '--data-dir'

/** `--data-dir <folder>` or `--data-dir=<folder>`, as the command line takes it; else the usual place. Absolute. */
export function dataFolderOf(args: readonly string[]): string {
  const at = args.indexOf(FLAG)
  const given = at < 0 ? args.find((argument) => argument.startsWith(`${FLAG}=`))?.slice(FLAG.length + 1) : args[at + 1]
  return given === undefined || given === '' ? defaultDataFolder() : path.resolve(given)
}

/** The last argument that is a file to import, taken from the folder it was given in; null where there is none. */
export function fileAmong(args: readonly string[], importable: RegExp, folder: string): string | null {
  const file = args
    .slice(1)
    .find((argument, at, rest) => !argument.startsWith('-') && rest[at - 1] !== FLAG && importable.test(argument))
  return file === undefined ? null : path.resolve(folder, file)
}

/**
 * Keeps what Chromium writes in a folder of its own, away from the data folder, whose usual place it would share:
 * where letters' case does not count, our `cache` and its `Cache` are one. One such folder a data folder, which is
 * also what makes the lock below one of the data folder's. Before the app is ready.
 */
export function separateFromChromium(dataFolder: string): void {
  const known = existsSync(dataFolder) ? realpathSync.native(dataFolder) : dataFolder
  const name = createHash('sha256').update(known).digest('hex').slice(0, 16)
  const folder = path.join(app.getPath('appData'), 'pairlab-window', name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  app.setPath('userData', folder)
  app.setPath('sessionData', folder)
}
