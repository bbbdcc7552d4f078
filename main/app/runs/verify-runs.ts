import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Trouble } from '../../../shared/contract/system.ts'
import { isLive } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { viewsFolder } from '../store/datasets-folder.ts'
import { hashFile } from '../../base/files/hash-file.ts'
import { bytesOf, createScratch, type ReadableDb, type WritableDb } from '../store/open.ts'
import { listRuns, readRunSpec, type RunEntry } from '../store/runs.ts'
import { sameRunRows } from '../store/runs-rows.ts'
import { inSlices } from '../store/slices.ts'
import { withSnapshot } from '../store/snapshot.ts'
import { readAppRecord } from './app-record.ts'
import { foldFolder } from './rebuild.ts'
import { readSpec } from '../../base/run-folder/spec.ts'
import { runPaths } from '../../base/run-folder/paths.ts'

/** After so much a new one is made: what is deleted from one stays with it. */
const SCRATCH_BYTES = 16 * 1024 * 1024

/** A database in memory into which run after run is read. */
interface LastingScratch {
  get(): WritableDb
  close(): void
}

const CHECKPOINT_HINT = 'Another checkpoint of the run can be used. Resumed, the run passes a damaged one over.'

/** Reads every file of every run that has ended and compares it with what was written and with the index. Changes nothing. */
export async function* verifyRuns(db: ReadableDb, runsFolder: string): AsyncGenerator<Trouble> {
  const known = new Map(listRuns(db).map((run) => [run.runId as string, run]))
  await nextTurn()
  for (const name of existsSync(runsFolder) ? readdirSync(runsFolder).toSorted() : []) {
    if (!known.has(name))
      yield {
        path: path.join(runsFolder, name),
        trouble: 'It is in no list of runs: its spec.json is missing or cannot be read.',
        hint: 'Put a copy of spec.json back and start Pairlab again, or move the folder away.',
      }
  }
  const scratch = createLastingScratch()
  try {
    for (const run of known.values()) {
      if (isLive(run.state)) continue
      const folder = path.join(runsFolder, run.runId)
      yield* verifyRun(db, run, folder, scratch)
      await nextTurn()
    }
  } finally {
    scratch.close()
  }
}

/** Hundreds of databases in memory, one a run, would leave the collector and the allocator more to do than the runs do. */
function createLastingScratch(): LastingScratch {
  let db = createScratch()
  return {
    get: () => {
      if (bytesOf(db) > SCRATCH_BYTES) {
        db.close()
        db = createScratch()
      }
      return db
    },
    close: () => db.close(),
  }
}

async function* verifyRun(
  db: ReadableDb,
  run: RunEntry,
  folder: string,
  scratch: LastingScratch,
): AsyncGenerator<Trouble> {
  const paths = runPaths(folder)
  yield* naming(paths.spec, function* () {
    const spec = readSpec(folder)
    if (!isDeepStrictEqual(spec, readRunSpec(db, run.runId)))
      yield {
        path: paths.spec,
        trouble: 'It says other than the index.',
        hint: 'It is written once and never changed: put a copy back.',
      }
    const view = path.join(
      viewsFolder(path.join(folder, '../..'), spec.data.datasetId),
      path.basename(spec.data.viewPath),
    )
    if (!existsSync(view))
      yield {
        path: view,
        trouble: `The data of the run ${run.runId} are gone.`,
        hint: 'The run can be compared still, and not be resumed.',
      }
  })
  await nextTurn()
  yield* naming(path.join(folder, 'app.json'), function* () {
    const record = readAppRecord(folder)
    if (record === null || record.note !== run.note || record.methodName !== run.methodName)
      yield {
        path: path.join(folder, 'app.json'),
        trouble: record === null ? 'It is missing or damaged.' : 'It says other than the index.',
        hint: 'The next change of the run’s note writes it anew.',
      }
  })
  yield* naming(paths.events, () => verifyEvents(db, run, folder, scratch.get()))
  for (const step of existsSync(paths.checkpoints) ? readdirSync(paths.checkpoints).toSorted() : [])
    yield* verifyCheckpoint(path.join(paths.checkpoints, step))
}

/** The system's word about a file becomes a trouble of that file. */
async function* naming(
  file: string,
  check: () => Generator<Trouble> | AsyncGenerator<Trouble>,
): AsyncGenerator<Trouble> {
  try {
    yield* check()
  } catch (error) {
    if (error instanceof AppError) yield { path: file, trouble: error.message, hint: error.hint }
    else if (error instanceof Error)
      yield {
        path: file,
        trouble: `It cannot be read: ${error.message}.`,
        hint: 'See that it is a file you may read, or put a copy back.',
      }
    else throw error
  }
}

/** Folds the log afresh in memory: it must give what the index holds. */
async function* verifyEvents(
  db: ReadableDb,
  run: RunEntry,
  folder: string,
  scratch: WritableDb,
): AsyncGenerator<Trouble> {
  const file = runPaths(folder).events
  if (!existsSync(file)) {
    if (run.cursorSeq > 0)
      yield {
        path: file,
        trouble: 'The event log is missing.',
        hint: 'The index still has its curves. Put a copy back before it is rebuilt.',
      }
    return
  }
  await nextTurn()
  await inSlices(foldFolder(scratch, path.dirname(folder), run.runId))
  await nextTurn()
  const same = await withSnapshot(db, (snapshot) => inSlices(sameRunRows(scratch, snapshot, run.runId)))
  if (!same)
    yield {
      path: file,
      trouble: 'The index and the event log say different things.',
      hint: 'One of them was damaged. To read the log again: close Pairlab and run pairlab recover',
    }
}

async function* verifyCheckpoint(folder: string): AsyncGenerator<Trouble> {
  let files: Readonly<Record<string, unknown>>
  const stateFile = path.join(folder, 'state.json')
  try {
    const state = JSON.parse(readFileSync(stateFile, 'utf8')) as {
      readonly files?: Readonly<Record<string, unknown>>
      readonly step?: unknown
    } // looked at below
    if (state.step !== Number(path.basename(folder)) || typeof state.files !== 'object')
      throw new Error('it is of another step')
    files = state.files
  } catch (error) {
    yield {
      path: stateFile,
      trouble: `It cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      hint: CHECKPOINT_HINT,
    }
    return
  }
  for (const [name, wanted] of Object.entries(files)) {
    const file = path.join(folder, path.basename(name))
    const found = await hashFile(file).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    )
    if (found instanceof Error)
      yield { path: file, trouble: `It cannot be read: ${found.message}.`, hint: CHECKPOINT_HINT }
    else if (found !== wanted)
      yield { path: file, trouble: 'It is not what was written: its sha256 differs.', hint: CHECKPOINT_HINT }
  }
}
