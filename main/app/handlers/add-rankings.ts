import type { DatasetId } from '../../../shared/domain.ts'
import { addDataset } from '../data/add-dataset.ts'
import { ITEM_QUESTIONS } from '../data/import-items.ts'
import type { HandlerDeps } from './deps.ts'

/** Reads a BEIR set, MS MARCO’s tables or LETOR files into a data set. @param from what the data set says it came from; the path by default   @throws AppError */
export async function addRankings(
  { db, dataFolder, events, reader }: Pick<HandlerDeps, 'db' | 'dataFolder' | 'events' | 'reader'>,
  from: {
    readonly path: string
    readonly name: string
    readonly licence: string | null
    readonly source?: string
    readonly datasetId?: DatasetId
  },
): Promise<DatasetId> {
  const { datasetId } = await addDataset(
    {
      ...(from.datasetId === undefined ? {} : { datasetId: from.datasetId }),
      name: from.name,
      kind: 'rankings',
      source: from.source ?? from.path,
      licence: from.licence,
      question: ITEM_QUESTIONS.rankings,
      parts: reader.stream('rankings', { path: from.path }),
    },
    { db, dataFolder },
  )
  events.emit('datasets.changed', { datasetId })
  return datasetId
}
