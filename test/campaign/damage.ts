import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../support/filled-store.ts'
import { makeFullFolder } from '../support/full-folder.ts'
import { createRandom } from '../support/seeded.ts'
import type { Found } from './inspect-folder.ts'

const INSPECT = fileURLToPath(new URL('inspect-folder.ts', import.meta.url))
export const DAMAGES = ['half', 'empty', 'flipped', 'gone', 'unreadable', 'a folder'] as const
export type Damage = (typeof DAMAGES)[number]
/** To which a process of root's becomes, so that a file without rights is one. */
const NOBODY = 65_534

export function listFiles(folder: string, below = ''): string[] {
  return readdirSync(path.join(folder, below), { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? listFiles(folder, path.join(below, entry.name)) : [path.join(below, entry.name)],
    )
    .sort()
}

function damage(file: string, kind: Damage, seed: number): void {
  const random = createRandom(seed)
  const size = lstatSync(file).size
  if (kind === 'half') truncateSync(file, Math.floor(size / 2))
  if (kind === 'empty') truncateSync(file, 0)
  if (kind === 'gone' || kind === 'a folder') rmSync(file)
  if (kind === 'a folder') mkdirSync(file)
  if (kind === 'unreadable') chmodSync(file, 0)
  if (kind !== 'flipped' || size === 0) return
  const bytes = readFileSync(file)
  for (let flips = 0; flips < 3; flips += 1) {
    const at = Math.floor(random() * size)
    bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
  }
  writeFileSync(file, bytes)
}

function giveAway(folder: string, user: number): void {
  chownSync(folder, user, user)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const child = path.join(folder, entry.name)
    if (entry.isDirectory()) giveAway(child, user)
    else chownSync(child, user, user)
  }
}

export async function inspectFolder(dataFolder: string): Promise<Found & { readonly died: string | null }> {
  const root = process.getuid?.() === 0
  if (root) giveAway(path.dirname(dataFolder), NOBODY)
  const child = spawn(process.execPath, [INSPECT, dataFolder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(root ? { uid: NOBODY, gid: NOBODY, env: { ...process.env, HOME: path.dirname(dataFolder) } } : {}),
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), 60_000)
  let out = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const status = await new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)))
  clearTimeout(limit)
  if (status === 0 && out !== '') return { ...(JSON.parse(out) as Found), died: null } // our own child wrote it
  return {
    events: [],
    sets: [],
    runs: [],
    tables: {},
    integrity: '',
    said: [complaint],
    unforeseen: [],
    refused: true,
    died: `${String(status)}: ${complaint.slice(-600)}`,
  }
}

/** Files whose loss changes nothing for anybody; why stands beside each. */
const NEEDLESS: readonly (readonly [RegExp, string])[] = [
  [/^app(\.1)?\.log$/, 'a log'],
  [/^app\.(lock|owner\.json)$|(^|\/)trainer\.lock$|^serve\.json$/, 'says who is here now'],
  [/^app\.sqlite\.sha256$/, 'the next start checks the slow way'],
  [/^exports\//, 'made for other programs'],
  [/\/log\.txt$|^log\.txt$/, 'what the trainer printed'],
  [/^app\.sqlite-(wal|shm)$/, 'empty once the app is closed'],
  [/control\.json$/, 'a command of yesterday'],
]

export interface DamageReport {
  readonly cases: number
  readonly named: number
  readonly harmless: number
  readonly problems: readonly string[]
}

interface Job {
  readonly file: string
  readonly kind: Damage
}

/** Damages each file in each way, one at a time, in a copy of the folder, and compares what an app finds there with what there was. */
export function runDamage(
  every: number,
  seed: number,
  onCase: (text: string) => void = () => {},
): Promise<DamageReport> {
  return damageOneByOne(
    (folder) =>
      listFiles(folder)
        .flatMap((file) => DAMAGES.map((kind) => ({ file, kind })))
        .filter((_job, at) => (at + seed) % every === 0),
    seed,
    onCase,
  )
}

/** Three bits of the database flipped, `count` times over, elsewhere every time. */
export function runFlips(
  count: number,
  seed: number,
  onCase: (text: string) => void = () => {},
): Promise<DamageReport> {
  return damageOneByOne(
    () => Array.from({ length: count }, () => ({ file: 'app.sqlite', kind: 'flipped' })),
    seed,
    onCase,
  )
}

async function damageOneByOne(
  choose: (folder: string) => readonly Job[],
  seed: number,
  onCase: (text: string) => void,
): Promise<DamageReport> {
  const root = temporaryFolder()
  chmodSync(root, 0o755)
  const problems: string[] = []
  let [cases, named, harmless] = [0, 0, 0]
  try {
    const original = await makeFullFolder(root)
    const copy = (name: string): string => {
      const folder = path.join(root, name, 'data')
      mkdirSync(path.dirname(folder))
      cpSync(original, folder, { recursive: true })
      return folder
    }
    const before = await inspectFolder(copy('whole'))
    if (before.refused) throw new Error(`the whole folder cannot be opened: ${before.died ?? before.said.join('; ')}`)
    for (const [at, { file, kind }] of choose(original).entries()) {
      const folder = copy(`case ${at}`)
      damage(path.join(folder, file), kind, seed + at)
      const after = await inspectFolder(folder)
      const found = judge(file, kind, before, after, statSync(path.join(original, file)).size)
      cases += 1
      named += found.named ? 1 : 0
      harmless += found.named ? 0 : 1
      problems.push(...found.problems)
      if (found.problems.length > 0) onCase(found.problems.join('\n'))
      if (existsSync(path.dirname(folder))) rmSync(path.dirname(folder), { recursive: true, force: true })
    }
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  }
  return { cases, named, harmless, problems }
}

function judge(
  file: string,
  kind: Damage,
  before: Found,
  after: Found & { readonly died: string | null },
  size: number,
): { readonly named: boolean; readonly problems: string[] } {
  const what = `${file} ${kind}`
  const problems: string[] = []
  if (after.died !== null) problems.push(`${what}: the app died (${after.died})`)
  for (const text of after.unforeseen) problems.push(`${what}: ${text}`)
  const heard = after.said.filter((line) => !before.said.includes(line)).join('\n')
  // By name, or by the data set or run that it belongs to.
  const owner = file.split(path.sep)[1]
  const named =
    heard.includes(path.basename(file)) ||
    (owner !== undefined && heard.includes(owner)) ||
    (file === 'app.sqlite' && heard.includes('database'))
  if (after.refused && !named) problems.push(`${what}: refused without naming it: ${heard.slice(0, 300)}`)
  if (after.refused)
    return {
      named,
      problems: [
        ...problems,
        ...(kind === 'unreadable' || kind === 'a folder'
          ? []
          : [`${what}: cannot be opened any more: ${heard.slice(0, 300)}`]),
      ],
    }
  const lost = before.events.filter((event) => !after.events.includes(event))
  if (lost.length > 0)
    problems.push(`${what}: ${lost.length} of ${before.events.length} label events lost${named ? '' : ', in silence'}`)
  const missing = [...before.sets, ...before.runs].filter((entry) => ![...after.sets, ...after.runs].includes(entry))
  const changed = missing.length > 0
  if (changed && !named) problems.push(`${what}: ${missing.join(', ')} changed in silence`)
  if (file === 'app.sqlite' && !named) return { named, problems: [...problems, ...silentlyOther(what, before, after)] }
  const needless = NEEDLESS.some(([pattern]) => pattern.test(file.replaceAll(path.sep, '/')))
  if (!named && !needless && !changed && size > 0) problems.push(`${what}: nobody said anything`)
  return { named, problems }
}

/** Bits of free space may be anything: the database is whole as long as every table says what it said and every index fits. */
function silentlyOther(what: string, before: Found, after: Found): string[] {
  const other = Object.keys(before.tables).filter((name) => after.tables[name] !== before.tables[name])
  return [
    ...(other.length === 0 ? [] : [`${what}: ${other.join(', ')} changed in silence`]),
    ...(after.integrity === 'ok' ? [] : [`${what}: SQLite says ${after.integrity}, and nobody said anything`]),
  ]
}
