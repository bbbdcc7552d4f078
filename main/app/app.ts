import path from 'node:path'
import type { Trouble } from '../../shared/contract/system.ts'
import type { Handlers } from '../../shared/rpc.ts'
import { defaultDataFolder } from '../base/data-folder.ts'
import { createCollectionService } from './collections/collection-service.ts'
import { findReader, findResources, findWorker } from './find-programs.ts'
import { emptyByRule } from './data/empty-trash.ts'
import { createActingService } from './acting/acting-service.ts'
import { createCollectService } from './data/segments/collect-service.ts'
import { createImportService } from './data/import-service.ts'
import { clearUploads, UPLOAD_LIFE_MS } from './data/incoming.ts'
import { settleFolders } from './data/settle-folders.ts'
import { assignSplits } from './data/split.ts'
import { pruneViews } from './data/view-prune.ts'
import { createEngineService } from './engine-setup/engine-service.ts'
import { enginesFolderOf } from './engine-setup/folder.ts'
import { engineEnvironment } from './engine-setup/probe.ts'
import { createEventBus, type EventBus } from './events.ts'
import { systemError } from '../base/files/system-error.ts'
import { createHandlers } from './handlers/index.ts'
import { createLog, type Log } from '../base/log.ts'
import type { ProgramCommand } from '../base/processes/program.ts'
import { closeToOthers, keepFilesPrivate } from '../base/private-folder.ts'
import { makePairs } from './requests/make-pairs.ts'
import { createMatchService } from './matches/match-service.ts'
import { createPlaygroundService } from './playground/playground-service.ts'
import { streamItems } from './reading/read-items.ts'
import { createReader } from './reading/reader.ts'
import { createModelService } from './registry/model-service.ts'
import { createReproductionService } from './papers/reproduction-service.ts'
import { createRunService } from './runs/run-service.ts'
import { journalPath } from './store/datasets-folder.ts'
import { reconcileJournals } from './store/labels-reconcile.ts'
import { databasePath, makeDataFolder, openStore, storeError, type Store, type WritableDb } from './store/open.ts'
import { recoverStore, type RecoveryReport } from './store/recover.ts'
import { readSettings } from './store/settings.ts'
import { TRASH_DAYS } from './store/trash.ts'

export interface AppOptions {
  /** Default: see data-folder.ts. Made if it is not there. */
  readonly dataFolder?: string
  readonly appVersion?: string
  readonly electronVersion?: string | null
  /** How a process that computes is started. Default: this Node on the workers' program. */
  readonly worker?: ProgramCommand
  readonly resourcesFolder?: string
  /** Told while this process alone has the folder: right after it got it, and right before it gives it back. */
  readonly holding?: { begin(): void; end(): void }
  /** Told a few times a second while the start takes long: what is being done, in words. */
  readonly onProgress?: (text: string) => void
}

export interface App {
  readonly handlers: Handlers
  readonly events: EventBus
  readonly dataFolder: string
  readonly log: Log
  /** True while something is done in this process that would have to begin again in another: an import, a model that is added, a text being written. */
  isBusy(): boolean
  /** True while a run trains here and the person wants the machine to stay awake for it. */
  wantsAwake(): boolean
  /** Ends imports, lets runs go on by themselves or has them checkpoint and stop, and gives the folder back. */
  close(mode?: 'continue' | 'checkpoint'): Promise<void>
}

export const APP_VERSION = '0.1.0'

/**
 * Puts the program together: a store, services over it, and one handler for each call of the contract. Every door —
 * window, loopback host, command line, test — goes through what this returns.
 * @throws AppError `db-locked`, `db-damaged`, `db-from-future`, `folder-unusable`, `disk-full`
 */
export async function createApp(options: AppOptions = {}): Promise<App> {
  const dataFolder = path.resolve(options.dataFolder ?? defaultDataFolder())
  keepFilesPrivate()
  makeDataFolder(dataFolder)
  const closed = closeToOthers(dataFolder)
  const appVersion = options.appVersion ?? APP_VERSION
  const electronVersion = options.electronVersion ?? null
  const store = openStore(dataFolder)
  try {
    options.holding?.begin()
    const log = createLog(dataFolder)
    if (closed !== null) log.warn(closed)
    const events = createEventBus({ onListenerError: (error) => log.error('an event listener failed', error) })
    const troubles = await settleData(store, log)
    const reader = createReader(findReader())
    const imports = createImportService({
      db: store.db,
      dataFolder,
      events,
      log,
      inspectFile: (file, options) => reader.ask('inspect', { path: file, options }),
      readPairs: (file, mapping, signal) => reader.stream('pairs', { path: file, mapping }, { signal }),
      readItems: (source, signal) => streamItems(reader, source, signal),
    })
    const models = createModelService({
      db: store.db,
      dataFolder,
      events,
      log,
      readModel: (folder, signal) => reader.ask('model', { folder }, { signal }),
      hashModel: (folder, onProgress, signal) =>
        reader.ask(
          'hash',
          { folder },
          { signal, onPiece: ({ doneBytes, totalBytes }) => onProgress(doneBytes, totalBytes) },
        ),
    })
    const enginesFolder = enginesFolderOf(dataFolder)
    const worker: ProgramCommand = {
      environment: () => engineEnvironment(enginesFolder),
      ...(options.worker ?? findWorker()),
    }
    const collections = createCollectionService({ command: worker, events })
    const collecting = createCollectService({ db: store.db, dataFolder, events, worker, log })
    const playground = createPlaygroundService({ command: worker, enginesFolder, events })
    const acting = createActingService({ command: worker, enginesFolder })
    const engines = createEngineService({ enginesFolder, appVersion, worker, events, log })
    // What may be refused comes before the service of the runs, which begins to look after them at once.
    const freedBytes = await pruneViews(dataFolder)
    if (freedBytes > 0) log.info(`removed views that no run uses: ${freedBytes} bytes`)
    clearUploads(dataFolder, 0, Date.now())
    const runs = await createRunService({
      db: store.db,
      dataFolder,
      worker,
      events,
      log,
      settings: () => readSettings(store.db),
      onRead: tellReading(options.onProgress ?? ((text) => log.info(text))),
    })
    const papers = createReproductionService({ dataFolder, enginesFolder, appVersion, events, worker })
    const matches = createMatchService({
      dataFolder,
      enginesFolder,
      events,
      worker,
      makePairs: (file, name) => makePairs(imports, file, name),
      log,
    })
    const tidying = setInterval(() => tidy(store.db, dataFolder, log), TIDY_MS)
    tidying.unref()
    tidy(store.db, dataFolder, log)
    const resourcesFolder = options.resourcesFolder ?? findResources()
    const handlers = createHandlers({
      db: store.db,
      dataFolder,
      resourcesFolder,
      events,
      appVersion,
      electronVersion,
      log,
      troubles,
      runs,
      imports,
      collecting,
      reader,
      collections,
      models,
      papers,
      matches,
      playground,
      acting,
      engines,
    })
    log.info(`Pairlab ${appVersion} opened ${dataFolder}`)
    let closing: Promise<void> | null = null
    async function close(mode: 'continue' | 'checkpoint'): Promise<void> {
      clearInterval(tidying)
      await imports.close()
      await collecting.close()
      clearUploads(dataFolder, 0, Date.now())
      await models.close()
      await reader.close()
      await collections.close()
      await papers.close()
      await matches.close()
      await playground.close()
      await acting.end()
      await engines.close()
      await runs.close(mode)
      log.info('closed')
      options.holding?.end()
      store.close()
    }
    return {
      handlers,
      events,
      dataFolder,
      log,
      isBusy: () =>
        [imports, collecting, models, papers, matches, playground, engines].some((service) => service.isBusy()),
      wantsAwake: () => runs.isTraining() && readSettings(store.db).keepAwake,
      close: (mode) => (closing ??= close(mode ?? readSettings(store.db).onQuit)),
    }
  } catch (error) {
    options.holding?.end()
    store.close()
    throw systemError(storeError(error, dataFolder))
  }
}

const TIDY_MS = 60 * 60 * 1000

/** Copies that pages sent and never imported, and what the rule of the trash removes. */
function tidy(db: WritableDb, dataFolder: string, log: Log): void {
  clearUploads(dataFolder, UPLOAD_LIFE_MS, Date.now())
  emptyByRule(db, dataFolder, Date.now()).then(
    ({ removed }) =>
      removed > 0 &&
      log.info(
        `removed ${removed} entries of the trash that are older than ${TRASH_DAYS} days and hold no labels of people`,
      ),
    (error: unknown) => log.error('the trash could not be tidied', error),
  )
}

function changedWhileClosed(dataFolder: string): Trouble {
  return {
    path: databasePath(dataFolder),
    trouble:
      'It is not what Pairlab wrote when it was last closed: another program changed it, or the disk lost something. Its structure is sound.',
    hint: 'Let Settings → Files compare what it says with the files of data sets, labels and runs.',
  }
}

/** Brings database, journals and folders together before anybody asks. @returns what stays as it was found */
async function settleData({ db, folder: dataFolder, found }: Store, log: Log): Promise<Trouble[]> {
  const reconciled = reconcileJournals(db, dataFolder)
  for (const one of reconciled) log.warn('labels were brought together from journal and database', one)
  const { done, troubles } = await settleFolders(db, dataFolder, Date.now())
  for (const text of done) log.warn(text)
  const all = [
    ...(found === 'otherwise' ? [changedWhileClosed(dataFolder)] : []),
    ...reconciled.flatMap(({ datasetId, problems }) =>
      problems.map((trouble) => ({
        path: journalPath(dataFolder, datasetId),
        trouble,
        hint: 'The labels that the database has are in force.',
      })),
    ),
    ...troubles,
  ]
  for (const { path: file, trouble } of all) log.warn(`${file}: ${trouble}`)
  return all
}

/**
 * Rebuilds a damaged database of a data folder nobody has open; runs are read back at the next start.
 * @throws AppError `db-locked`, `file-not-found`
 */
export function recoverData(dataFolder: string): Promise<RecoveryReport> {
  return recoverStore(path.resolve(dataFolder), { assignSplits, nowMs: Date.now() })
}

const TELL_EVERY_MS = 500

/** As after a recovery: the first start reads every run. What is done in a moment is not spoken of. */
function tellReading(tell: (text: string) => void): (done: number, total: number) => void {
  let toldMs = performance.now()
  return (done, total) => {
    if (performance.now() - toldMs < TELL_EVERY_MS) return
    toldMs = performance.now()
    tell(`Reading the runs: ${done} of ${total}`)
  }
}
