import type { Handlers } from '../../../shared/rpc.ts'
import { addDataset } from '../data/add-dataset.ts'
import { createTextBrowser } from '../data/browse-texts.ts'
import { createDatasetMaker } from '../data/dataset-ids.ts'
import { ITEM_QUESTIONS, nameFromPath } from '../data/import-items.ts'
import { requireDataset } from '../store/datasets.ts'
import type { HandlerDeps } from './deps.ts'
import { resolveGiven } from '../../base/files/given-path.ts'

export function textHandlers({
  db,
  dataFolder,
  events,
  reader,
}: HandlerDeps): Pick<Handlers, Extract<keyof Handlers, `texts.${string}`>> {
  const browser = createTextBrowser(db, dataFolder)
  const makeOnce = createDatasetMaker({ db, dataFolder })
  return {
    'texts.import': async ({ path: given, name, licence, as, scale, clientKey }) => {
      const source = resolveGiven(given)
      const shown = name === '' ? nameFromPath(source) : name
      const datasetId = await makeOnce(clientKey, (datasetId) =>
        addDataset(
          {
            datasetId,
            name: shown,
            kind: 'contrast-groups',
            source,
            licence,
            question: ITEM_QUESTIONS['contrast-groups'],
            parts: reader.stream('texts', { path: source, options: { as, scale } }),
          },
          { db, dataFolder },
        ),
      )
      events.emit('datasets.changed', { datasetId })
      return { datasetId }
    },
    'texts.rows': (asked) => browser.readRows(asked, requireDataset(db, asked.datasetId)),
  }
}
