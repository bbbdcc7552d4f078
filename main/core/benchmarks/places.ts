// Where a benchmark's tables lie: in a folder as it was downloaded, in a file, or in a folder of such folders.
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'

const KNOWN = /\.(?:jsonl|ndjson|json|tsv)(?:\.gz)?$|\.parquet$/i
/** Files that describe and are no table. */
const OTHER = /(?:^|\/)(?:dataset_infos?|state|dataset_dict|config|README)\.json$/i
const DEEPEST = 3

/** Names of the tables in a folder and below, in order; of a file, its own. @throws AppError `file-not-found` */
export function listTables(place: string): string[] {
  if (!existsSync(place))
    throw new AppError({
      code: 'file-not-found',
      message: `There is nothing at ${place}.`,
      hint: 'Give the folder of the data set, as it was downloaded.',
    })
  const given = statSync(place)
  if (given.isFile()) return ['']
  if (!given.isDirectory())
    throw new AppError({
      code: 'input-invalid',
      message: `${place} is neither a file nor a folder.`,
      hint: 'Give the folder of the data set, as it was downloaded.',
    })
  const found: string[] = []
  const seen = new Set<string>()
  const look = (below: string, depth: number): void => {
    const real = realpathSync(path.join(place, below))
    if (seen.has(real)) return // a link that leads back
    seen.add(real)
    for (const entry of readdirSync(path.join(place, below), { withFileTypes: true })) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.name.startsWith('.')) continue
      // A cache of downloads holds links to its files.
      const met = entry.isSymbolicLink() ? statSync(path.join(place, name), { throwIfNoEntry: false }) : entry
      if (met?.isDirectory() === true && depth < DEEPEST) look(name, depth + 1)
      else if (met?.isFile() === true && KNOWN.test(name) && !OTHER.test(name)) found.push(name)
    }
  }
  look('', 1)
  return found.toSorted()
}

export interface TaskPlace {
  /** Of its folder or file. */
  readonly name: string
  readonly place: string
}

/** Parts that a single task has: its splits, and what retrieval is made of. */
const PARTS = /^(?:data|corpus|queries|qrels|default|test|dev|validation|train|en)$/i

/** A folder with tables is one task, a folder of such folders one task each. @throws AppError `file-not-found` */
export function tasksIn(place: string): readonly TaskPlace[] {
  const tables = listTables(place)
  const whole = [{ name: path.basename(path.resolve(place)).replace(KNOWN, ''), place }]
  const folders = [...new Set(tables.map((name) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '')))]
  return folders.length === 0 || folders.some((folder) => folder === '' || PARTS.test(folder))
    ? whole
    : folders.map((folder) => ({ name: folder, place: path.join(place, folder) }))
}
