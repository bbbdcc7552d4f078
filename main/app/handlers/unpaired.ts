import type { Handlers } from '../../../shared/rpc.ts'
import { addDataset } from '../data/add-dataset.ts'
import { createDatasetMaker } from '../data/dataset-ids.ts'
import { ITEM_QUESTIONS, nameFromPath } from '../data/import-items.ts'
import type { HandlerDeps } from './deps.ts'
import { resolveGiven } from '../../base/files/given-path.ts'

export function unpairedHandlers({ db, dataFolder, events, reader }: HandlerDeps): Pick<Handlers, 'unpaired.import'> {
  const makeOnce = createDatasetMaker({ db, dataFolder })
  return {
    'unpaired.import': async ({ path: given, name, licence, clientKey }) => {
      const source = resolveGiven(given)
      const shown = name === '' ? nameFromPath(source) : name
      const datasetId = await makeOnce(clientKey, (datasetId) =>
        addDataset(
          {
            datasetId,
            name: shown,
            kind: 'unpaired-responses',
            source,
            licence,
            question: ITEM_QUESTIONS['unpaired-responses'],
            parts: reader.stream('unpaired', { path: source }),
          },
          { db, dataFolder },
        ),
      )
      events.emit('datasets.changed', { datasetId })
      return { datasetId }
    },
  }
}
