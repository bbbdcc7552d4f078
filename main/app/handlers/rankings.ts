import { existsSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import type { CollectionPlace } from '../collections/collection-service.ts'
import { createRankingBrowser } from '../data/browse-rankings.ts'
import { createDatasetMaker } from '../data/dataset-ids.ts'
import { requireDataset, type DatasetEntry } from '../store/datasets.ts'
import { recordsPath } from '../store/datasets-folder.ts'
import { findItemAt } from '../store/items.ts'
import { listRuns, requireRun } from '../store/runs.ts'
import { addRankings } from './add-rankings.ts'
import type { HandlerDeps } from './deps.ts'
import { resolveGiven } from '../../base/files/given-path.ts'

type RankingCallName = Extract<keyof Handlers, `rankings.${string}`>

/** What a run keeps of its orders, the most telling first: see main/workers/trainer/rankings/ranking-course.ts. */
const RUN_FILES = [
  ['best-test.run', 'best'],
  ['test.run', 'last'],
  ['validation.run', 'last'],
] as const

export function rankingHandlers({
  db,
  dataFolder,
  events,
  reader,
  runs,
  collections,
}: HandlerDeps): Pick<Handlers, RankingCallName> {
  const browser = createRankingBrowser(db, dataFolder)
  const makeOnce = createDatasetMaker({ db, dataFolder })

  function requireRankings(datasetId: string): DatasetEntry {
    const dataset = requireDataset(db, datasetId)
    if (dataset.kind === 'rankings') return dataset
    throw new AppError({
      code: 'input-invalid',
      message: `"${dataset.name}" holds ${dataset.kind}, not judged lists.`,
      hint: 'Open it as what it is.',
    })
  }

  function placeOf({ datasetId, fingerprint, itemCount }: DatasetEntry): CollectionPlace {
    const last = findItemAt(db, datasetId, itemCount - 1)
    return {
      datasetId,
      fingerprint,
      records: recordsPath(dataFolder, datasetId),
      queriesEnd: last === null ? 0 : last.byteOffset + last.byteLength + 1,
    }
  }

  const filesOf = (runId: string) =>
    RUN_FILES.map(([name, weights]) => ({ file: path.join(runs.folderOf(runId), 'rankings', name), weights }))

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
    'rankings.queries': (asked) => browser.readQueries(asked, requireRankings(asked.datasetId)),
    'rankings.query': ({ datasetId, index }) => browser.readQuery(index, requireRankings(datasetId)),
    'rankings.collection': ({ datasetId }) => collections.ask(placeOf(requireRankings(datasetId)), 'size', {}),
    'rankings.documents': ({ datasetId, docIds }) =>
      collections.ask(placeOf(requireRankings(datasetId)), 'documents', { docIds }),
    'rankings.document': async ({ datasetId, docId }) => {
      const dataset = requireRankings(datasetId)
      const document = await collections.ask(placeOf(dataset), 'document', { docId })
      if (document !== null) return document
      throw new AppError({
        code: 'not-found',
        message: `"${dataset.name}" has no document "${docId}".`,
        hint: 'It was judged and is not in the collection, or its documents are features.',
      })
    },
    'rankings.find': ({ datasetId, ...asked }) => collections.ask(placeOf(requireRankings(datasetId)), 'find', asked),
    'rankings.orders': async ({ datasetId, index, bm25, runId, limit }) => {
      const dataset = requireRankings(datasetId)
      const { queryId, text, judgments, features } = browser.readQuery(index, dataset)
      const files = runId === null ? [] : filesOf(requireRun(db, runId).runId)
      const found = await collections.ask(placeOf(dataset), 'orders', {
        queryId,
        text,
        judgments: judgments.map(({ docId, grade }) => [docId, grade]),
        bm25: bm25 && !features,
        runFiles: files.map(({ file }) => file),
        limit,
      })
      const { runFile, ...orders } = found
      return { ...orders, weights: runFile === null ? null : (files[runFile]?.weights ?? null) }
    },
    'rankings.rankers': ({ datasetId }) => {
      requireRankings(datasetId)
      return listRuns(db)
        .filter((run) => run.datasetId === datasetId && filesOf(run.runId).some(({ file }) => existsSync(file)))
        .map(({ runId, name, seed, methodName }) => ({ runId, name, seed, methodName }))
    },
    'rankings.cancel': async ({ datasetId }) => {
      await collections.cancel(datasetId)
      return null
    },
  }
}
