import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createApp } from '../../main/app/app.ts'
import { assignSplits } from '../../main/app/data/split.ts'
import { listDatasets, type DatasetEntry } from '../../main/app/store/datasets.ts'
import { readDatasetFile } from '../../main/app/store/datasets-file.ts'
import { recordsPath } from '../../main/app/store/datasets-folder.ts'
import { iterateEvents, type JournalEvent } from '../../main/app/store/labels-journal.ts'
import { compareWithJournal } from '../../main/app/store/labels-reconcile.ts'
import { openStore, type ReadableDb } from '../../main/app/store/open.ts'
import { iterateItems } from '../../main/app/store/items.ts'
import type { Outcome } from '../../shared/data-kinds.ts'
import { toWire } from '../../shared/errors.ts'
import { inProcess } from '../../shared/rpc.ts'
import { cellOf, forgetSet, type Ledger } from './ledger.ts'

/**
 * Opens the data folder as the next start would, closes it, and compares what lies there with what was acknowledged.
 * What an unacknowledged deed did is taken into the ledger. @returns what is wrong; empty: nothing
 */
export async function lookOver(dataFolder: string, ledger: Ledger): Promise<string[]> {
  const problems: string[] = []
  await callAround(dataFolder, ledger, problems)
  const { db, close } = openStore(dataFolder)
  try {
    const sets = listDatasets(db)
    checkSets(dataFolder, ledger, sets, problems)
    for (const set of sets) {
      checkWhole(db, dataFolder, set, ledger, problems)
      checkLabels(db, dataFolder, set, ledger, problems)
    }
    for (const table of ['pairs', 'label_events', 'answers', 'flags']) {
      const orphans =
        db
          .prepare<[], number>(
            `SELECT count(*) FROM ${table} WHERE dataset_id NOT IN (SELECT dataset_id FROM datasets)`,
          )
          .pluck()
          .get() ?? 0
      if (orphans > 0) problems.push(`${table} holds ${orphans} rows of no data set`)
    }
  } finally {
    close()
  }
  ledger.pending = null
  return problems
}

/** The calls a page begins with. None may fail in a way that nobody foresaw. */
async function callAround(dataFolder: string, ledger: Ledger, problems: string[]): Promise<void> {
  const app = await createApp({ dataFolder })
  const client = inProcess(app.handlers)
  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work()
    } catch (error) {
      problems.push(`${what}: ${toWire(error).code} ${toWire(error).message}`)
      return null
    }
  }
  try {
    for (const { datasetId } of (await attempt('datasets.list', () => client.call('datasets.list', {}))) ?? []) {
      await attempt(`datasets.get ${datasetId}`, () => client.call('datasets.get', { datasetId }))
      await attempt(`datasets.rows ${datasetId}`, () => client.call('datasets.rows', { datasetId, limit: 20 }))
    }
    const listed = (await attempt('runs.list', () => client.call('runs.list', {}))) ?? []
    for (const { runId } of listed) await attempt(`runs.get ${runId}`, () => client.call('runs.get', { runId }))
    const present = new Set<string>(listed.map((run) => run.runId))
    const maybeGone = ledger.pending?.op === 'delete-run' ? ledger.pending.runId : null
    for (const runId of [...ledger.runs]) {
      if (present.has(runId)) continue
      if (runId === maybeGone) ledger.runs.delete(runId)
      else problems.push(`run ${runId} is gone`)
    }
    for (const runId of ledger.deletedRuns)
      if (present.has(runId)) problems.push(`run ${runId} was deleted and is back`)
  } finally {
    await app.close('continue')
  }
}

function checkSets(dataFolder: string, ledger: Ledger, sets: readonly DatasetEntry[], problems: string[]): void {
  const { pending } = ledger
  const present = new Map(sets.map((set) => [set.datasetId as string, set]))
  for (const datasetId of [...ledger.sets.keys()]) {
    if (present.has(datasetId)) continue
    const trash = path.join(dataFolder, 'trash')
    const kept =
      existsSync(trash) &&
      readdirSync(trash).some((name) => name.includes(datasetId) || existsSync(path.join(trash, name, datasetId)))
    if (pending?.op === 'delete' && pending.datasetId === datasetId && kept) forgetSet(ledger, datasetId)
    else problems.push(`data set ${datasetId} is gone`)
  }
  for (const [datasetId, set] of present) {
    if (ledger.deletedSets.has(datasetId)) problems.push(`data set ${datasetId} was deleted and is back`)
    if (ledger.sets.has(datasetId)) continue
    if (pending?.op === 'import' && pending.name === set.name)
      ledger.sets.set(datasetId, { rows: pending.rows, guideline: null, split: null })
    else problems.push(`data set ${datasetId} "${set.name}" came from nowhere`)
  }
}

/** Records, index, dataset.json and split belong together: nothing is half done. */
function checkWhole(db: ReadableDb, dataFolder: string, set: DatasetEntry, ledger: Ledger, problems: string[]): void {
  const known = ledger.sets.get(set.datasetId)
  const pairs = [...iterateItems(db, set.datasetId)]
  const lines = readFileSync(recordsPath(dataFolder, set.datasetId), 'utf8').split('\n').length - 1
  if (known !== undefined && (pairs.length !== known.rows || lines !== known.rows || set.itemCount !== known.rows))
    problems.push(
      `"${set.name}" should hold ${known.rows} pairs: ${pairs.length} are indexed, ${lines} recorded, ${set.itemCount} said`,
    )
  const wanted = assignSplits(
    pairs.map((pair) => pair.promptHash),
    set.split,
  )
  const torn = pairs.filter((pair, at) => pair.split !== wanted[at]).length
  if (torn > 0) problems.push(`"${set.name}": ${torn} of ${pairs.length} pairs are on another side than its split says`)
  const { pending } = ledger
  const open = pending !== null && 'datasetId' in pending && pending.datasetId === set.datasetId ? pending.op : null
  if (known?.guideline != null && set.guideline !== known.guideline && open !== 'describe')
    problems.push(`"${set.name}" lost its guideline`)
  if (
    known?.split != null &&
    JSON.stringify(known.split) !==
      JSON.stringify({ seed: set.split.seed, validation: set.split.validation, test: set.split.test }) &&
    open !== 'split'
  )
    problems.push(`"${set.name}" lost its split`)
  if (known !== undefined) Object.assign(known, { guideline: set.guideline, split: null })
  const file = readDatasetFile(dataFolder, set.datasetId)
  if (JSON.stringify([file.name, file.guideline, file.split]) !== JSON.stringify([set.name, set.guideline, set.split]))
    problems.push(`"${set.name}": dataset.json says other than the database`)
}

function checkLabels(db: ReadableDb, dataFolder: string, set: DatasetEntry, ledger: Ledger, problems: string[]): void {
  problems.push(...compareWithJournal(db, dataFolder, set.datasetId).map((problem) => `"${set.name}": ${problem}`))
  const events = [...iterateEvents(db, set.datasetId)]
  const keys = events.flatMap((event) => event.clientKey ?? [])
  if (new Set(keys).size !== keys.length) problems.push(`"${set.name}": a key counts twice`)
  for (const [key, datasetId] of ledger.keys)
    if (datasetId === set.datasetId && !keys.includes(key))
      problems.push(`"${set.name}": the acknowledged label ${key} is lost`)
  const { cells, flags } = foldAfresh(set.datasetId, events)
  let free =
    ledger.pending !== null && 'annotatorId' in ledger.pending && ledger.pending.datasetId === set.datasetId ? 1 : 0
  const compare = <T>(wanted: Map<string, T>, found: Map<string, T>, missing: T, noun: string): void => {
    for (const cell of new Set([...wanted.keys(), ...found.keys()])) {
      const [datasetId, annotatorId] = JSON.parse(cell) as [string, string]
      if (datasetId !== set.datasetId) continue
      const [should, is] = [wanted.get(cell) ?? missing, found.get(cell) ?? missing]
      if (should === is) continue
      const mayDiffer =
        free > 0 &&
        ledger.pending !== null &&
        'annotatorId' in ledger.pending &&
        ledger.pending.annotatorId === annotatorId
      if (mayDiffer) free -= 1
      else if (wanted.has(cell))
        problems.push(`"${set.name}": the ${noun} of ${cell} is ${String(is)}, not ${String(should)}`)
      if (wanted.has(cell) || mayDiffer) wanted.set(cell, is)
    }
  }
  compare<Outcome | null>(ledger.cells, cells, null, 'answer')
  compare(ledger.flags, flags, false, 'flag')
}

/** What is in force, folded from the events without the app's own code. */
function foldAfresh(
  datasetId: string,
  events: readonly JournalEvent[],
): { readonly cells: Map<string, Outcome | null>; readonly flags: Map<string, boolean> } {
  const undone = new Set<number>()
  const flags = new Map<string, boolean>()
  for (const event of events) {
    if (event.kind === 'undo' && event.targetId !== null) undone.add(event.targetId)
    if (event.kind === 'redo' && event.targetId !== null) undone.delete(event.targetId)
    if (event.kind === 'flag' || event.kind === 'unflag')
      flags.set(cellOf({ ...event, datasetId }), event.kind === 'flag')
  }
  const cells = new Map<string, Outcome | null>()
  for (const event of events)
    if (event.kind === 'answer' && !undone.has(event.labelId)) cells.set(cellOf({ ...event, datasetId }), event.outcome)
  return { cells, flags }
}
