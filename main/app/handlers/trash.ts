import { existsSync } from 'node:fs'
import path from 'node:path'
import type { DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { emptyTrash, folderBytes } from '../data/empty-trash.ts'
import { assignSplits } from '../data/split.ts'
import { findModel } from '../store/models.ts'
import { rebuildDataset } from '../store/rebuild-dataset.ts'
import { findRun } from '../store/runs.ts'
import { describeEntry, listTrash, moveBack, moveToTrash, removalTime, type TrashEntry } from '../store/trash.ts'
import type { HandlerDeps } from './deps.ts'

type TrashCallName = Extract<keyof Handlers, `trash.${string}`>

const PLACES = { dataset: 'datasets', import: 'datasets', run: 'runs', model: 'models' } as const

export function trashHandlers(deps: HandlerDeps): Pick<Handlers, TrashCallName> {
  const { db, dataFolder, events, log } = deps
  return {
    'trash.list': () =>
      Promise.all(
        listTrash(dataFolder).map(async (entry) => {
          const { kind, name } = describeEntry(entry)
          return {
            trashId: entry.trashId,
            kind,
            name,
            deletedAtMs: entry.mark?.deletedAtMs ?? null,
            sizeBytes: await folderBytes(entry.folder),
            labelEvents: entry.mark?.labelEvents ?? 0,
            removedAtMs: removalTime(entry),
          }
        }),
      ),
    'trash.restore': async ({ trashId }) => {
      const entry = requireEntry(dataFolder, trashId)
      const { kind, id, name } = describeEntry(entry)
      if (kind === 'other' || kind === 'import')
        throw new AppError({
          code: 'input-invalid',
          message: `"${name}" is ${kind === 'import' ? 'an import that never ended' : 'nothing that Pairlab put there'}.`,
          hint: `Its files are in ${entry.folder}.`,
        })
      const target = path.join(dataFolder, PLACES[kind], id)
      if (existsSync(target))
        throw new AppError({
          code: 'run-conflict',
          message: `There is a ${target} already.`,
          hint: 'Delete or move that one first.',
        })
      moveBack(entry.folder, target)
      try {
        await readBack(deps, kind, id)
      } catch (error) {
        moveToTrash(dataFolder, target, entry.mark ?? { kind, id, name, deletedAtMs: Date.now(), labelEvents: 0 })
        throw error
      }
      log.info(`restored "${name}" from the trash to ${target}`)
      return { kind, id, name }
    },
    'trash.empty': async ({ trashIds }) => {
      const entries =
        trashIds === null ? listTrash(dataFolder) : trashIds.map((trashId) => requireEntry(dataFolder, trashId))
      const { removed, freedBytes, remains } = await emptyTrash(db, dataFolder, entries)
      log.info(`emptied the trash: ${removed} entries, ${freedBytes} bytes`)
      events.emit('datasets.changed', { datasetId: null })
      return { removed, freedBytes, remains: [...remains] }
    },
  }
}

async function readBack(
  { db, dataFolder, events, runs, models }: HandlerDeps,
  kind: 'dataset' | 'run' | 'model',
  id: string,
): Promise<void> {
  if (kind !== 'dataset') {
    if (kind === 'run') runs.readNewFolders()
    else models.readNewFolders()
    const known = kind === 'run' ? findRun(db, id) : findModel(db, id)
    if (known !== null) return
    throw new AppError({
      code: 'folder-unusable',
      message: `The ${kind} "${id}" cannot be read back.`,
      hint: 'It stays in the trash. See that the disk has room; Settings → Log says more.',
    })
  }
  await rebuildDataset(db, dataFolder, id, null, { assignSplits, nowMs: Date.now() })
  events.emit('datasets.changed', { datasetId: id as DatasetId }) // its folder's name
}

/** @throws AppError `not-found` */
function requireEntry(dataFolder: string, trashId: string): TrashEntry {
  const entry = listTrash(dataFolder).find((candidate) => candidate.trashId === trashId)
  if (entry === undefined)
    throw new AppError({
      code: 'not-found',
      message: `There is no "${trashId}" in the trash.`,
      hint: 'List the trash again; it may have been emptied.',
    })
  return entry
}
