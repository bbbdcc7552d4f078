import path from 'node:path'
import type { Handlers } from '../../../shared/rpc.ts'
import { addDataset } from '../data/add-dataset.ts'
import { createDatasetMaker } from '../data/dataset-ids.ts'
import { collectDataset } from '../data/segments/collect-dataset.ts'
import { readSegmentRow } from '../data/segments/browse-segments.ts'
import { exportSegments } from '../data/segments/export-segments.ts'
import { requireDataset, summarizeDataset } from '../store/datasets.ts'
import { worlds } from '../../core/worlds/registry.ts'
import { ITEM_QUESTIONS } from '../data/import-items.ts'
import { readingOf } from '../reading/read-items.ts'
import type { HandlerDeps } from './deps.ts'
import { findCheckpoint } from '../requests/find-checkpoint.ts'
import { resolveGiven } from '../../base/files/given-path.ts'

type SegmentCallName = Extract<keyof Handlers, `segments.${string}` | 'worlds.list'>

export function segmentHandlers({
  db,
  dataFolder,
  events,
  runs,
  reader,
}: Pick<HandlerDeps, 'db' | 'dataFolder' | 'events' | 'runs' | 'reader'>): Pick<Handlers, SegmentCallName> {
  const context = { db, dataFolder }
  const makeOnce = createDatasetMaker(context)
  return {
    'worlds.list': () =>
      worlds.map(({ info: { actionLimit: _limit, discount: _discount, observation, action, ...info } }) => ({
        ...info,
        observation: [...observation],
        action: [...action],
      })),
    'segments.row': ({ datasetId, index }) => readSegmentRow(db, dataFolder, requireDataset(db, datasetId), index),
    'segments.collect': async ({ clientKey, ...request }) => {
      const checkpoint =
        request.runId === null ? null : findCheckpoint({ db, runs }, request.runId, 'last', 'act with', 'policy').path
      const datasetId = await makeOnce(clientKey, (datasetId) =>
        collectDataset(request, checkpoint, context, datasetId),
      )
      events.emit('datasets.changed', { datasetId })
      return summarizeDataset(db, requireDataset(db, datasetId))
    },
    'segments.import': async ({ path: file, name, world, scoreName, segmentSteps, clientKey }) => {
      const datasetId = await makeOnce(clientKey, async (datasetId) => {
        const parts = reader.stream('segments', {
          path: resolveGiven(file),
          options: readingOf({ world, scoreName, segmentSteps }),
        })
        return addDataset(
          {
            datasetId,
            name,
            kind: 'segment-pairs',
            source: path.basename(resolveGiven(file)),
            licence: null,
            question: ITEM_QUESTIONS['segment-pairs'],
            parts,
          },
          context,
        )
      })
      events.emit('datasets.changed', { datasetId })
      return summarizeDataset(db, requireDataset(db, datasetId))
    },
    'segments.export': ({ datasetId, format }) => exportSegments(db, dataFolder, requireDataset(db, datasetId), format),
  }
}
