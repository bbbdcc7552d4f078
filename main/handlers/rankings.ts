import path from 'node:path'
import type { JudgedRow } from '../../shared/contract/rankings.ts'
import { AppError } from '../../shared/errors.ts'
import type { Handlers } from '../../shared/rpc.ts'
import { addDataset, type NewPart } from '../data/add-dataset.ts'
import { createRankingBrowser } from '../data/browse-rankings.ts'
import { readRankings, type RankingSource } from '../retrieval/to-dataset.ts'
import { requireDataset } from '../store/datasets.ts'
import type { HandlerDeps } from './deps.ts'

export function rankingHandlers({ db, dataFolder, events }: HandlerDeps): Pick<Handlers, 'rankings.import' | 'rankings.queries'> {
  const browser = createRankingBrowser(db, dataFolder)
  return {
    'rankings.import': async ({ path: given, name, licence }) => {
      const source = path.resolve(given)
      const read = await readRankings(source)
      const { datasetId } = await addDataset({ name: name === '' ? path.basename(source) : name, kind: 'rankings', source, licence, question: 'Which document answers the query better?', parts: partsOf(read) }, { db, dataFolder })
      events.emit('datasets.changed', { datasetId })
      return { datasetId }
    },
    'rankings.queries': ({ datasetId, offset, limit }): { total: number; documents: number; rows: JudgedRow[] } => {
      const dataset = requireDataset(db, datasetId)
      if (dataset.kind !== 'rankings') throw new AppError({ code: 'input-invalid', message: `"${dataset.name}" holds ${dataset.kind}, not judged lists.`, hint: 'Open it as what it is.' })
      return browser.read(dataset, offset, limit)
    },
  }
}

function* partsOf({ queries, documents, problems }: RankingSource): Generator<NewPart> {
  for (const problem of problems) yield { problem }
  for (const { queryId, line, title, split, data } of queries) yield { item: { pairId: queryId, line, group: queryId, title, split, data } }
  for (const { docId, title, text } of documents) yield { extra: { extra: 'document', data: { docId, title, text } } }
}
