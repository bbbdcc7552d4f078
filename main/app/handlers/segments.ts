import path from 'node:path'
import type { CollectSettings } from '../../../shared/collecting.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { addDataset } from '../data/add-dataset.ts'
import { createDatasetMaker } from '../data/dataset-ids.ts'
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
  collecting,
}: Pick<HandlerDeps, 'db' | 'dataFolder' | 'events' | 'runs' | 'reader' | 'collecting'>): Pick<
  Handlers,
  SegmentCallName
> {
  const context = { db, dataFolder }
  const makeOnce = createDatasetMaker(context)
  /** Folder of the policy that acts; null where a script does. */
  const policyOf = ({ behaviour, runId, checkpoint }: CollectSettings): string | null =>
    behaviour !== 'learned' || runId === null
      ? null
      : findCheckpoint({ db, runs }, runId, checkpoint, 'act with', 'policy').path
  return {
    'worlds.list': () =>
      worlds.map(({ info: { actionLimit: _limit, discount: _discount, observation, action, ...info }, advantage }) => ({
        ...info,
        observation: [...observation],
        action: [...action],
        advantageKnown: advantage !== undefined,
      })),
    'segments.row': ({ datasetId, index }) => readSegmentRow(db, dataFolder, requireDataset(db, datasetId), index),
    'segments.estimateCollection': async (settings) => ({
      ms: await collecting.estimate(settings, policyOf(settings)),
    }),
    'segments.startCollecting': ({ clientKey, ...request }) => ({
      jobId: collecting.start(request, policyOf(request), clientKey),
    }),
    'segments.collectJobs': () => collecting.jobs(),
    'segments.collectJob': ({ jobId }) => collecting.job(jobId),
    'segments.cancelCollecting': ({ jobId }) => {
      collecting.cancel(jobId)
      return null
    },
    'segments.collect': async ({ clientKey, pairs, segmentSteps, ...rest }) => {
      const request = { ...rest, segments: 2 * pairs, steps: segmentSteps }
      const datasetId = await collecting.ended(collecting.start(request, policyOf(request), clientKey))
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
