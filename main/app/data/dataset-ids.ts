import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { DatasetId } from '../../../shared/domain.ts'
import { findDataset } from '../store/datasets.ts'
import { datasetFolder } from '../store/datasets-folder.ts'
import type { ReadableDb } from '../store/open.ts'

export interface DatasetPlace {
  readonly datasetId: DatasetId
  /** It was made already, by an earlier call with the same key. */
  readonly made: boolean
}

/**
 * Where a new data set goes. The key of the client's call decides: made again, by whatever process, the call finds
 * what it made the first time. A folder that an earlier try left behind is not touched; the next name is taken.
 * @param clientKey left out, the data set is new in any case
 */
export function placeDataset(
  { db, dataFolder }: { readonly db: ReadableDb; readonly dataFolder: string },
  clientKey: string | undefined,
): DatasetPlace {
  if (clientKey === undefined) return { datasetId: `ds-${randomBytes(6).toString('hex')}` as DatasetId, made: false } // made here
  for (let attempt = 1; ; attempt += 1) {
    const datasetId =
      `ds-${createHash('sha256').update(`${clientKey}/${attempt}`).digest('hex').slice(0, 12)}` as DatasetId // made here
    if (findDataset(db, datasetId) !== null) return { datasetId, made: true }
    if (!existsSync(datasetFolder(dataFolder, datasetId))) return { datasetId, made: false }
  }
}

/** Makes a data set once for each key: a call that comes again while the first still works waits for that one. */
export function createDatasetMaker(place: {
  readonly db: ReadableDb
  readonly dataFolder: string
}): (clientKey: string | undefined, make: (datasetId: DatasetId) => Promise<unknown>) => Promise<DatasetId> {
  const making = new Map<string, Promise<DatasetId>>()
  return (clientKey, make) => {
    const current = clientKey === undefined ? undefined : making.get(clientKey)
    if (current !== undefined) return current
    const { datasetId, made } = placeDataset(place, clientKey)
    if (made) return Promise.resolve(datasetId)
    const work = make(datasetId).then(() => datasetId)
    if (clientKey === undefined) return work
    making.set(clientKey, work)
    return work.finally(() => making.delete(clientKey))
  }
}
