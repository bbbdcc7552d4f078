import type { DatasetId } from '../../shared/domain.ts'
import { addDataset, type NewPart } from '../data/add-dataset.ts'
import { readRankings, type RankingSource } from '../retrieval/to-dataset.ts'
import type { HandlerDeps } from './deps.ts'

/** Reads a BEIR set or LETOR files into a data set. @param from what the data set says it came from; the path by default   @throws AppError */
export async function addRankings({ db, dataFolder, events }: Pick<HandlerDeps, 'db' | 'dataFolder' | 'events'>, from: { readonly path: string; readonly name: string; readonly licence: string | null; readonly source?: string }): Promise<DatasetId> {
  const read = await readRankings(from.path)
  const { datasetId } = await addDataset({ name: from.name, kind: 'rankings', source: from.source ?? from.path, licence: from.licence, question: 'Which document answers the query better?', parts: partsOf(read) }, { db, dataFolder })
  events.emit('datasets.changed', { datasetId })
  return datasetId
}

function* partsOf({ queries, documents, problems }: RankingSource): Generator<NewPart> {
  for (const problem of problems) yield { problem }
  for (const { queryId, line, title, split, data } of queries) yield { item: { pairId: queryId, line, group: queryId, title, split, data } }
  for (const { docId, title, text } of documents) yield { extra: { extra: 'document', data: { docId, title, text } } }
}
