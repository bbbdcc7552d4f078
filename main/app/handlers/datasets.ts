import type { DatasetDetail } from '../../../shared/contract/datasets.ts'
import { ENDED_STATES, type DatasetId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { addDataset } from '../data/add-dataset.ts'
import { createBrowser } from '../data/browse.ts'
import { deleteDataset } from '../data/delete-dataset.ts'
import { measureAgreement } from '../data/describe-agreement.ts'
import { measureLabels } from '../data/describe-labels.ts'
import { shareRuns } from '../data/describe-shared.ts'
import { drawSides } from '../data/draw-sides.ts'
import { exportDataset } from '../data/export.ts'
import { readDatasetWarnings } from '../data/dataset-warnings.ts'
import { readReport, summarizeLeftOut } from '../data/import-report.ts'
import { pairTexts } from '../data/sample-texts.ts'
import { listSamples, requireSample, type Sample } from '../data/samples.ts'
import { keepsSourceSplit, withDrawnSplit } from '../data/split.ts'
import { listDatasets, requireDataset, setMapping, summarizeDataset, updateDataset } from '../store/datasets.ts'
import { writeDatasetFile } from '../store/datasets-file.ts'
import { reportPath } from '../store/datasets-folder.ts'
import { loadLabelIndex } from '../store/labels-index.ts'
import { inTransaction } from '../store/open.ts'
import { listRuns } from '../store/runs.ts'
import { countSplits, packSides, putSides } from '../store/sides.ts'
import { inSlices } from '../store/slices.ts'
import { addRankings } from './add-rankings.ts'
import type { HandlerDeps } from './deps.ts'
import type { ImportCallName } from './imports.ts'

type DatasetCallName = Exclude<Extract<keyof Handlers, `datasets.${string}` | `samples.${string}`>, ImportCallName>

/** What of the app these calls need. */
export type DatasetDeps = Pick<
  HandlerDeps,
  'db' | 'dataFolder' | 'resourcesFolder' | 'events' | 'log' | 'imports' | 'reader'
>

export function datasetHandlers(deps: DatasetDeps): Pick<Handlers, DatasetCallName> {
  return { ...browseHandlers(deps), ...changeHandlers(deps), ...sampleHandlers(deps) }
}

function browseHandlers({ db, dataFolder }: DatasetDeps) {
  const browser = createBrowser(db, dataFolder)
  // Every label makes every page ask anew.
  const measured = shareRuns((datasetId) => measureLabels(db, datasetId))
  const agreed = shareRuns((datasetId) => measureAgreement(db, datasetId))
  return {
    'datasets.list': async () => {
      for (const { datasetId } of listDatasets(db)) await loadLabelIndex(db, datasetId)
      return listDatasets(db).map((dataset) => summarizeDataset(db, dataset))
    },
    'datasets.get': async ({ datasetId }) => {
      requireDataset(db, datasetId)
      const { balance, lengths, perAnnotator } = await measured(datasetId)
      const counts = await inSlices(countSplits(db, datasetId))
      await loadLabelIndex(db, datasetId)
      const dataset = requireDataset(db, datasetId)
      const summary = summarizeDataset(db, dataset)
      const unlabeled = dataset.itemCount - balance.a - balance.b - balance.tie - balance.bothBad
      const { mapping, guideline, question } = dataset
      return {
        ...summary,
        mapping,
        guideline,
        question,
        split: { ...dataset.split, counts },
        balance: { ...balance, unlabeled },
        lengths,
        perAnnotator,
      } satisfies DatasetDetail
    },
    'datasets.rows': (query) => browser.readRows(query, requireDataset(db, query.datasetId)),
    'datasets.agreement': ({ datasetId }) => agreed(requireDataset(db, datasetId).datasetId),
    'datasets.report': async ({ datasetId, offset, limit }) => {
      const file = reportPath(dataFolder, requireDataset(db, datasetId).datasetId)
      const { total, groups, problems } = await readReport(file, offset, limit)
      return { path: file, total, groups, problems }
    },
    'datasets.leftOut': ({ datasetId }) =>
      summarizeLeftOut(reportPath(dataFolder, requireDataset(db, datasetId).datasetId)),
    'datasets.warnings': ({ datasetId }) => readDatasetWarnings(db, requireDataset(db, datasetId)),
    'datasets.export': ({ datasetId, format }) => exportDataset(db, dataFolder, requireDataset(db, datasetId), format),
  } satisfies Partial<Handlers>
}

function changeHandlers({ db, dataFolder, events, log }: DatasetDeps) {
  /** What the database says is written beside the records too, and told to every page. */
  function changed(datasetId: DatasetId): void {
    writeDatasetFile(dataFolder, requireDataset(db, datasetId))
    events.emit('datasets.changed', { datasetId })
  }
  return {
    'datasets.update': ({ datasetId, ...changes }) => {
      requireDataset(db, datasetId)
      // One with the other: what a full disk refuses is not in force either.
      inTransaction(db, () => {
        updateDataset(db, datasetId, changes)
        changed(datasetId)
      })
      return null
    },
    'datasets.setSplit': async ({ datasetId, ...split }) => {
      requireDataset(db, datasetId)
      if (split.validation + split.test > 0.95)
        throw new AppError({
          code: 'input-invalid',
          message: 'Validation and test together leave too little to train on.',
          hint: 'Keep at least 5 % for training.',
        })
      // Drawn while everything else goes on; then all pairs change sides at one moment.
      const sides = await inSlices(
        packSides(await drawSides(db, datasetId, split), requireDataset(db, datasetId).itemCount),
      )
      const { mapping } = requireDataset(db, datasetId) // it may have gone meanwhile
      inTransaction(db, () => {
        putSides(db, datasetId, split, sides)
        if (keepsSourceSplit(mapping)) setMapping(db, datasetId, withDrawnSplit(mapping)) // somebody asks for other sides than the source's
        changed(datasetId)
      })
      return { ...split, counts: await inSlices(countSplits(db, datasetId)) }
    },
    'datasets.delete': async ({ datasetId }) => {
      const dataset = requireDataset(db, datasetId)
      const beforeMark = (): void => refuseWhileUsed({ db, datasetId, name: dataset.name })
      beforeMark()
      const kept = await deleteDataset(db, dataFolder, datasetId, Date.now(), {
        beforeMark,
        onHidden: () => events.emit('datasets.changed', { datasetId: null }),
        onLeft: (error) =>
          log.error(`the rows of the deleted data set "${dataset.name}" are taken away at the next start`, error),
      })
      log.info(`deleted data set "${dataset.name}"; its files are in ${kept}`)
      return null
    },
  } satisfies Partial<Handlers>
}

function refuseWhileUsed({
  db,
  datasetId,
  name,
}: {
  readonly db: HandlerDeps['db']
  readonly datasetId: string
  readonly name: string
}): void {
  const busy = listRuns(db).filter((run) => run.datasetId === datasetId && !ENDED_STATES.includes(run.state))
  if (busy.length === 0) return
  throw new AppError({
    code: 'run-conflict',
    message: `"${name}" is used by ${busy.length === 1 ? `the run ${busy[0]?.runId ?? ''}` : `${busy.length} runs`} that did not end yet.`,
    hint: 'Wait for the runs, or cancel them, then delete the data set.',
  })
}

function sampleHandlers({ db, dataFolder, events, imports, reader, resourcesFolder }: DatasetDeps) {
  const opening = new Map<string, Promise<{ readonly jobId: Awaited<ReturnType<typeof imports.start>> }>>()
  const collections = new Map<string, Promise<DatasetId>>()
  const isRunning = (jobId: string): boolean =>
    imports.jobs().some((job) => job.jobId === jobId && job.state === 'running')
  const findOpened = (source: string): DatasetId | null =>
    listDatasets(db).find((dataset) => dataset.source === source)?.datasetId ?? null
  async function addTexts({ title, licence, source, path }: Sample): Promise<DatasetId> {
    const { datasetId } = await addDataset(
      {
        name: title,
        kind: 'contrast-groups',
        source,
        licence,
        question: 'Which text is nearer to the query?',
        parts: pairTexts(reader.stream('rankings', { path })),
      },
      { db, dataFolder },
    )
    events.emit('datasets.changed', { datasetId })
    return datasetId
  }
  return {
    'samples.list': () =>
      listSamples(resourcesFolder).map(({ sampleId, kind, title, text, licence, attribution, source }) => ({
        sampleId,
        kind,
        title,
        text,
        licence,
        attribution,
        datasetId: findOpened(source),
      })),
    'samples.open': async ({ sampleId }) => {
      const sample = requireSample(resourcesFolder, sampleId)
      const datasetId = findOpened(sample.source)
      if (datasetId !== null) return { jobId: null, datasetId }
      // A second click, or a second command, while the first import runs joins it.
      if (sample.kind !== 'response-pairs') {
        const reading =
          collections.get(sampleId) ??
          (sample.kind === 'rankings'
            ? addRankings(
                { db, dataFolder, events, reader },
                { path: sample.path, name: sample.title, licence: sample.licence, source: sample.source },
              )
            : addTexts(sample)
          ).finally(() => collections.delete(sampleId))
        collections.set(sampleId, reading)
        return { jobId: null, datasetId: await reading }
      }
      const current = opening.get(sampleId)
      if (current !== undefined && isRunning((await current).jobId))
        return { jobId: (await current).jobId, datasetId: null }
      const justMade = findOpened(sample.source) // it may have ended while we looked
      if (justMade !== null) return { jobId: null, datasetId: justMade }
      const started = imports
        .start({ path: sample.path, name: sample.title, mapping: null, licence: sample.licence, source: sample.source })
        .then((jobId) => ({ jobId }))
      opening.set(sampleId, started)
      started.catch(() => opening.delete(sampleId))
      return { jobId: (await started).jobId, datasetId: null }
    },
  } satisfies Partial<Handlers>
}
