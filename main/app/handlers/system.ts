import { readdirSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import path from 'node:path'
import { CONNECTIONS } from '../../../shared/connections.ts'
import type { Output } from '../../../shared/contract.ts'
import type { SystemInfo, Trouble } from '../../../shared/contract/system.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { verifyAnnotators, verifyDatasets } from '../data/verify-datasets.ts'
import { findAwakeProgram } from '../runs/stay-awake.ts'
import { verifyRuns } from '../runs/verify-runs.ts'
import { listDatasets } from '../store/datasets.ts'
import { sqliteVersion } from '../store/open.ts'
import { listRuns } from '../store/runs.ts'
import { readSettings, writeSettings } from '../store/settings.ts'
import { inSlices, type Sliced } from '../store/slices.ts'
import type { HandlerDeps } from './deps.ts'

type SystemHandlers = Pick<
  Handlers,
  'system.info' | 'system.verify' | 'system.troubles' | 'system.log' | 'settings.get' | 'settings.set'
>

export function systemHandlers(deps: HandlerDeps): SystemHandlers {
  return {
    'system.info': () => describeSystem(deps),
    'system.log': ({ lines }) => ({ path: deps.log.path, lines: deps.log.tail(lines) }),
    'system.verify': () => verifyFolder(deps),
    'system.troubles': () => [...deps.troubles],
    'settings.get': () => readSettings(deps.db),
    'settings.set': (changes) => {
      const settings = writeSettings(deps.db, definedOnly(changes))
      deps.runs.wake() // slots or the pause may be among the changes
      deps.events.emit('settings.changed', {})
      return settings
    },
  }
}

/** The partial schema yields `undefined` for keys that were not sent; those are left as they are. */
function definedOnly<T extends object>(changes: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  } // filtered
}

async function describeSystem(deps: HandlerDeps): Promise<SystemInfo> {
  const processors = cpus()
  const disk = await statfs(deps.dataFolder)
  return {
    appVersion: deps.appVersion,
    nodeVersion: process.versions.node,
    sqliteVersion: sqliteVersion(deps.db),
    electronVersion: deps.electronVersion,
    platform: `${process.platform} ${process.arch}`,
    cpuCount: processors.length,
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    dataFolder: deps.dataFolder,
    dataBytes: await inSlices(folderBytes(deps.dataFolder)),
    diskFreeBytes: disk.bavail * disk.bsize,
    awakeBy: awakeBy(deps.electronVersion !== null),
    connections: [...CONNECTIONS],
  }
}

function awakeBy(inWindow: boolean): string | null {
  const program = findAwakeProgram()
  const parts = [
    ...(program === null ? [] : [path.basename(program)]),
    ...(inWindow ? ['Electron’s power save blocker'] : []),
  ]
  return parts.length === 0 ? null : parts.join(' and ')
}

async function verifyFolder({ db, dataFolder, runs }: HandlerDeps): Promise<Output<'system.verify'>> {
  const troubles: Trouble[] = []
  for await (const trouble of verifyAnnotators(db, dataFolder)) troubles.push(trouble)
  for await (const trouble of verifyDatasets(db, dataFolder)) troubles.push(trouble)
  for await (const trouble of verifyRuns(db, runs.runsFolder)) troubles.push(trouble)
  return { troubles, datasets: listDatasets(db).length, runs: listRuns(db).length }
}

/** Size of every file below; one that goes away while we look counts nothing. */
function* folderBytes(folder: string): Sliced<number> {
  let total = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name)
    if (entry.isDirectory()) total += yield* folderBytes(place)
    else if (entry.isFile()) total += statSync(place, { throwIfNoEntry: false })?.size ?? 0
    yield
  }
  return total
}
