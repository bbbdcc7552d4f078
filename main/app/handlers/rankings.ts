import path from 'node:path'
import type { JudgedRow } from '../../../shared/contract/rankings.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { createRankingBrowser } from '../data/browse-rankings.ts'
import { createDatasetMaker } from '../data/dataset-ids.ts'
import { requireDataset } from '../store/datasets.ts'
import { addRankings } from './add-rankings.ts'
import type { HandlerDeps } from './deps.ts'
import { resolveGiven } from '../../base/files/given-path.ts'

export function rankingHandlers({
  db,
  dataFolder,
  events,
  reader,
}: HandlerDeps): Pick<Handlers, 'rankings.import' | 'rankings.queries'> {
  const browser = createRankingBrowser(db, dataFolder)
  const makeOnce = createDatasetMaker({ db, dataFolder })
  return {
    'rankings.import': async ({ path: given, name, licence, clientKey }) => {
      const source = resolveGiven(given)
      return {
        datasetId: await makeOnce(clientKey, (datasetId) =>
          addRankings(
            { db, dataFolder, events, reader },
            { path: source, name: name === '' ? path.basename(source) : name, licence, datasetId },
          ),
        ),
      }
    },
    'rankings.queries': ({ datasetId, offset, limit }): { total: number; documents: number; rows: JudgedRow[] } => {
      const dataset = requireDataset(db, datasetId)
      if (dataset.kind !== 'rankings')
        throw new AppError({
          code: 'input-invalid',
          message: `"${dataset.name}" holds ${dataset.kind}, not judged lists.`,
          hint: 'Open it as what it is.',
        })
      return browser.read(dataset, offset, limit)
    },
  }
}
