// Which engines this installation made. The list lies outside of every data folder, so that a data folder of somebody
// else, which may hold anything, cannot name native code that is loaded here.
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { configFolder } from './config-folder.ts'
import { replaceFile } from './files/durable.ts'

/** `stamp`: size and times, which a copy cannot carry over; where it differs, the contents decide. */
const knownFile = z.strictObject({ path: z.string(), stamp: z.string(), sha256: z.string() })
const knownEngine = z.strictObject({ folder: z.string(), files: z.array(knownFile) })
const listFile = z.strictObject({ formatVersion: z.literal(1), engines: z.array(knownEngine) })
type KnownEngine = z.infer<typeof knownEngine>

const RECORD = 'engine.json'
const LIBRARY = /\.(so|dylib|dll|node)(\.|$)/
const READ_BYTES = 4 * 1024 * 1024

function listPath(): string {
  return path.join(configFolder(), 'engines.json')
}

function readList(): KnownEngine[] {
  try {
    return listFile.parse(JSON.parse(readFileSync(listPath(), 'utf8'))).engines
  } catch {
    return [] // none was added here, or the list is lost: then they are added again
  }
}

function writeList(engines: readonly KnownEngine[]): void {
  mkdirSync(configFolder(), { recursive: true, mode: 0o700 })
  const file = listPath()
  const kept = engines.filter(({ folder }) => existsSync(folder))
  replaceFile(file, `${JSON.stringify({ formatVersion: 1, engines: kept }, null, 2)}\n`, { mode: 0o600 })
}

/** What is loaded from an engine's folder: its record, its addon, and every library below it and in the folders it names. */
function loadedFiles(folder: string): string[] {
  const { addon, libraries } = z
    .object({ addon: z.string(), libraries: z.array(z.string()) })
    .parse(JSON.parse(readFileSync(path.join(folder, RECORD), 'utf8')))
  const below = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) =>
    path.join(entry.parentPath, entry.name),
  )
  const elsewhere = libraries
    .map((one) => path.resolve(folder, one))
    .filter((one) => !one.startsWith(folder + path.sep) && existsSync(one))
  const beside = elsewhere.flatMap((one) => readdirSync(one).map((name) => path.join(one, name)))
  const all = [
    path.join(folder, RECORD),
    path.resolve(folder, addon),
    ...[...below, ...beside].filter((file) => LIBRARY.test(path.basename(file))),
  ]
  return [...new Set(all)].filter((file) => statSync(file).isFile()).toSorted()
}

function stampOf(file: string): string {
  const { size, mtimeNs, ctimeNs } = statSync(file, { bigint: true })
  return `${size} ${mtimeNs} ${ctimeNs}`
}

function hashOf(file: string): string {
  const hash = createHash('sha256')
  const handle = openSync(file, 'r')
  try {
    const part = Buffer.alloc(READ_BYTES)
    for (let count = readSync(handle, part); count > 0; count = readSync(handle, part))
      hash.update(part.subarray(0, count))
  } finally {
    closeSync(handle)
  }
  return hash.digest('hex')
}

function measure(folder: string): KnownEngine {
  const files = loadedFiles(folder).map((file) => ({
    path: path.relative(folder, file),
    stamp: stampOf(file),
    sha256: hashOf(file),
  }))
  return { folder, files }
}

/** Notes an engine that was just built, with the hash of all that is loaded from it. @param engineFolder holds engine.json */
export function rememberEngine(engineFolder: string): void {
  const folder = realpathSync(engineFolder)
  writeList([...readList().filter((one) => one.folder !== folder), measure(folder)])
}

/** The same engine lies elsewhere now. Not after a copy: it is the renaming that keeps the files what they are. */
export function engineMoved(from: string, to: string): void {
  const folder = realpathSync(to)
  const engines = readList()
  const moved = engines.find((one) => one.folder === path.join(realpathSync(path.dirname(from)), path.basename(from)))
  if (moved !== undefined)
    writeList([...engines.filter((one) => one !== moved && one.folder !== folder), { ...moved, folder }])
}

/**
 * Whether this installation made the engine, and nothing that is loaded was changed, added or taken away since.
 * @param thorough compares contents where only sizes or times differ, as after a chmod: a second or more
 */
export function isOwnEngine(engineFolder: string, thorough: boolean): boolean {
  try {
    const folder = realpathSync(engineFolder)
    const known = readList().find((one) => one.folder === folder)
    const files = known === undefined ? [] : loadedFiles(folder)
    if (known === undefined || files.length !== known.files.length) return false
    const changed = known.files.filter(
      ({ path: relative, stamp }, at) => path.resolve(folder, relative) !== files[at] || stampOf(files[at]) !== stamp,
    )
    if (changed.length === 0) return true
    if (!thorough || changed.some(({ path: relative, sha256 }) => hashOf(path.resolve(folder, relative)) !== sha256))
      return false
    rememberEngine(folder) // the same contents under new times: next time they are known at a glance
    return true
  } catch {
    return false // something is gone or cannot be read: nothing of it is loaded
  }
}

/** Before native code is loaded. @throws AppError `engine-unavailable` */
export function requireOwnEngine(engineFolder: string): void {
  if (!isOwnEngine(engineFolder, true)) throw notOwn(engineFolder)
}

export function notOwn(engineFolder: string): AppError {
  return new AppError({
    code: 'engine-unavailable',
    message: `The TensorFlow in ${engineFolder} was not added by this installation, or was changed since; native code of unknown origin is not loaded.`,
    hint: 'Add it here: pairlab engine add tensorflow',
  })
}
