import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AppEvent, EventName, EventPayload, Input, Output } from '../../shared/contract.ts'
import { contract } from '../../shared/contract.ts'
import { createImportService, type ImportService } from '../../main/app/data/import-service.ts'
import { createEventBus } from '../../main/app/events.ts'
import { datasetHandlers } from '../../main/app/handlers/datasets.ts'
import { importHandlers } from '../../main/app/handlers/imports.ts'
import { streamItems } from '../../main/app/reading/read-items.ts'
import { createLog } from '../../main/base/log.ts'
import { openStore, type WritableDb } from '../../main/app/store/open.ts'
import { readHere } from './read-here.ts'

type DatasetCall = keyof ReturnType<typeof datasetHandlers> | keyof ReturnType<typeof importHandlers>

export interface OpenData {
  readonly dataFolder: string
  readonly db: WritableDb
  readonly imports: ImportService
  /** The handler behind a call, input and output checked against the contract. */
  call<N extends DatasetCall>(name: N, input: Input<N>): Promise<Output<N>>
  /** Imports a file and waits until it is done; throws what stopped it. */
  importFile(file: string, options?: { readonly name?: string }): Promise<Output<'datasets.importJob'>>
  eventsOf<N extends EventName>(name: N): EventPayload<N>[]
  close(): Promise<void>
}

/** The data part of the app on a real store in a folder of its own. */
export function openData(dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab-data-'))): OpenData {
  const store = openStore(dataFolder)
  const events = createEventBus()
  const seen: AppEvent[] = []
  events.subscribe((event) => seen.push(event))
  const log = createLog(dataFolder)
  const reader = readHere()
  const imports = createImportService({
    db: store.db,
    dataFolder,
    events,
    log,
    inspectFile: (path, options) => reader.ask('inspect', { path, options }),
    readPairs: (path, mapping, signal) => reader.stream('pairs', { path, mapping }, { signal }),
    readItems: (source, signal) => streamItems(reader, source, signal),
  })
  const resourcesFolder = fileURLToPath(new URL('../../resources', import.meta.url))
  const deps = { db: store.db, dataFolder, resourcesFolder, events, log, imports, reader }
  const handlers = { ...datasetHandlers(deps), ...importHandlers(deps) }
  async function call<N extends DatasetCall>(name: N, input: Input<N>): Promise<Output<N>> {
    const handler = handlers[name] as (value: unknown) => unknown // its input is parsed here, by its own schema
    return contract[name].output.parse(await handler(contract[name].input.parse(input))) as Output<N> // parsed by its own schema
  }
  return {
    dataFolder,
    db: store.db,
    imports,
    call,
    async importFile(file, options = {}) {
      const { jobId } = await call('datasets.import', { path: file, ...options })
      const job = await imports.ended(jobId)
      if (job.state !== 'finished') throw new Error(`the import ended as ${job.state}: ${job.error?.message ?? ''}`)
      return job
    },
    eventsOf: (name) =>
      seen.filter((event) => event.name === name).map((event) => event.payload as EventPayload<typeof name>), // by its name
    async close() {
      await imports.close()
      await reader.close()
      store.close()
    },
  }
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
