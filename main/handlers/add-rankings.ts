import type { DatasetId } from '../../shared/domain.ts'
import { addDataset, type NewPart } from '../data/add-dataset.ts'
import { readRankings } from '../retrieval/to-dataset.ts'
import type { HandlerDeps } from './deps.ts'

/** Reads a BEIR set or LETOR files into a data set. @param from what the data set says it came from; the path by default   @throws AppError */
export async function addRankings({ db, dataFolder, events }: Pick<HandlerDeps, 'db' | 'dataFolder' | 'events'>, from: { readonly path: string; readonly name: string; readonly licence: string | null; readonly source?: string; readonly datasetId?: DatasetId }): Promise<DatasetId> {
  const { datasetId } = await addDataset({ ...(from.datasetId === undefined ? {} : { datasetId: from.datasetId }), name: from.name, kind: 'rankings', source: from.source ?? from.path, licence: from.licence, question: 'Which document answers the query better?', parts: partsOf(from.path) }, { db, dataFolder })
  events.emit('datasets.changed', { datasetId })
  return datasetId
}

async function* partsOf(source: string): AsyncGenerator<NewPart> {
  for await (const part of readRankings(source)) {
    if ('problem' in part) yield part
    else if ('document' in part) yield { extra: { extra: 'document', data: { ...part.document } } }
    else yield { item: { pairId: part.query.queryId, line: part.query.line, group: part.query.queryId, title: part.query.title, split: part.query.split, data: part.query.data } }
  }
}
