// Opens a data folder as a start would, recovers where it is told to, and tells as one line of JSON what it found: labels,
// data sets, runs, and every word about trouble. Argument: data folder.
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import path from 'node:path'
import { createApp, recoverData } from '../../main/app/app.ts'
import { listDatasets } from '../../main/app/store/datasets.ts'
import { iterateEvents } from '../../main/app/store/labels-journal.ts'
import { openStore, type ReadableDb } from '../../main/app/store/open.ts'
import { toWire } from '../../shared/errors.ts'
import { inProcess } from '../../shared/rpc.ts'

export interface Found {
  /** A line an event, everybody's, of all data sets. */
  readonly events: readonly string[]
  readonly sets: readonly string[]
  readonly runs: readonly string[]
  /** Of each table of the database: sha256 of all that its rows say. */
  readonly tables: Readonly<Record<string, string>>
  /** SQLite's own full check, indexes included; an app's start asks for the quick one. */
  readonly integrity: string
  /** Everything that was said about trouble: errors, warnings of the log, what recovery reports. */
  readonly said: readonly string[]
  /** Errors that nobody foresaw. */
  readonly unforeseen: readonly string[]
  readonly refused: boolean
}

const [dataFolder] = process.argv.slice(2)
if (dataFolder === undefined) throw new Error('usage: <data folder>')
const said: string[] = []
const unforeseen: string[] = []
function hear(what: string, error: unknown): void {
  const { code, message, hint } = toWire(error)
  said.push(`${what}: ${message} ${hint}`)
  if (code === 'internal') unforeseen.push(`${what}: ${message}`)
}

async function open(folder: string) {
  try {
    return await createApp({ dataFolder: folder })
  } catch (error) {
    hear('opening', error)
    if (!toWire(error).hint.includes('pairlab recover')) return null
  }
  try {
    const report = await recoverData(folder)
    said.push(
      ...report.problems,
      ...report.datasets.flatMap((set) => set.problems.map((problem) => `${set.datasetId}: ${problem}`)),
    )
    return await createApp({ dataFolder: folder })
  } catch (error) {
    hear('recovering', error)
    return null
  }
}

const sets: string[] = []
const runs: string[] = []
const app = await open(dataFolder)
if (app !== null) {
  const client = inProcess(app.handlers)
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      hear(what, error)
      return null
    }
  }
  for (const set of (await attempt('datasets.list', () => client.call('datasets.list', {}))) ?? []) {
    sets.push(`${set.datasetId} ${set.name} ${set.itemCount}`)
    await attempt(`datasets.get ${set.datasetId}`, () => client.call('datasets.get', { datasetId: set.datasetId }))
    await attempt(`datasets.rows ${set.datasetId}`, () =>
      client.call('datasets.rows', { datasetId: set.datasetId, limit: 500 }),
    )
    await attempt(`datasets.report ${set.datasetId}`, () =>
      client.call('datasets.report', { datasetId: set.datasetId }),
    )
  }
  for (const run of (await attempt('runs.list', () => client.call('runs.list', {}))) ?? []) {
    runs.push(`${run.runId} ${run.state} ${run.step}`)
    const detail = await attempt(`runs.get ${run.runId}`, () => client.call('runs.get', { runId: run.runId }))
    if (detail?.error != null) said.push(`${run.runId}: ${detail.error.message}`)
    await attempt(`runs.log ${run.runId}`, () => client.call('runs.log', { runId: run.runId }))
    await attempt(`runs.samples ${run.runId}`, () => client.call('runs.samples', { runId: run.runId }))
    await attempt(`runs.metrics ${run.runId}`, () => client.call('runs.metrics', { runId: run.runId }))
    await attempt(`runs.export ${run.runId}`, () =>
      client.call('runs.export', {
        runId: run.runId,
        path: path.join(dataFolder, '..', `${path.basename(dataFolder)}-export`),
      }),
    )
  }
  for (const { path: file, trouble } of (await attempt('system.verify', () => client.call('system.verify', {})))
    ?.troubles ?? [])
    said.push(`${file}: ${trouble}`)
  await attempt('models.list', () => client.call('models.list', {}))
  await attempt('settings.get', () => client.call('settings.get', {}))
  await attempt('annotators.list', () => client.call('annotators.list', {}))
  const lines = app.log.tail(2000)
  said.push(...lines.filter((line) => / (warn|error) /.test(line)))
  await app.close('continue').catch((error: unknown) => hear('closing', error))
}
function hashTables(db: ReadableDb): Record<string, string> {
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[] // one column of text
  return Object.fromEntries(
    names.map((name) => {
      const hash = createHash('sha256')
      for (const row of db.prepare(`SELECT * FROM "${name}"`).raw().iterate()) hash.update(`${JSON.stringify(row)}\n`)
      return [name, hash.digest('hex')]
    }),
  )
}

const events: string[] = []
let tables: Record<string, string> = {}
let integrity = ''
if (app !== null) {
  const { db, close } = openStore(dataFolder)
  for (const set of listDatasets(db))
    for (const event of iterateEvents(db, set.datasetId))
      events.push([set.datasetId, event.labelId, event.kind, event.annotatorId, event.pairId, event.outcome].join(' '))
  tables = hashTables(db)
  integrity = String(db.pragma('integrity_check(3)', { simple: true }))
  close()
}
const found: Found = {
  events,
  sets,
  runs,
  tables,
  integrity,
  said: said.map((line) => line.slice(0, 2000)),
  unforeseen,
  refused: app === null,
}
writeSync(1, `${JSON.stringify(found)}\n`)
process.exit(0)
