import { readdirSync } from 'node:fs'
import { runId as runIdSchema, type RunId } from '../../../shared/domain.ts'
import { runSpec, type RunSpec } from '../../../shared/run-spec.ts'
import { mainMetricOn } from '../../core/learn/define.ts'
import type { View } from '../data/view.ts'
import { enginesFolderOf } from '../engine-setup/folder.ts'
import type { HandlerDeps } from '../handlers/deps.ts'
import type { PreparedRun } from '../runs/run-service.ts'
import { requireDataset } from '../store/datasets.ts'
import { nextRunNumber } from '../store/run-numbers.ts'
import { describeEntry, listTrash } from '../store/trash.ts'
import { groupHashOf } from './group-hash.ts'
import type { CheckedRequest } from './run-request.ts'

type Deps = Pick<HandlerDeps, 'db' | 'dataFolder' | 'appVersion' | 'runs'>

/** One run for each seed. Their ids are free until something else is awaited: start them at once. */
export function prepareRuns(deps: Deps, checked: CheckedRequest, view: View): PreparedRun[] {
  const { request, algorithm } = checked
  const dataset = requireDataset(deps.db, request.data.datasetId)
  const ids = newRunIds(deps, request.name === '' ? request.method : request.name, request.seeds.length)
  const createdAtMs = Date.now()
  const mainMetric = mainMetricOn(algorithm, dataset.kind, algorithm.config.parse(checked.config), checked.training)
  return request.seeds.map((seed, index) => ({
    title: { methodName: algorithm.name, mainMetric },
    spec: specFor(deps, checked, view, { runId: ids[index]!, seed, createdAtMs: createdAtMs + index }), // one id a seed
  }))
}

/** A specification for the dry run: nothing is kept of it. */
export function prepareEstimate(deps: Deps, checked: CheckedRequest, view: View): RunSpec {
  return specFor(deps, checked, view, {
    runId: runIdSchema.parse('estimate'),
    seed: checked.request.seeds[0] ?? 1,
    createdAtMs: Date.now(),
  })
}

function specFor(
  deps: Deps,
  checked: CheckedRequest,
  view: View,
  own: { readonly runId: RunId; readonly seed: number; readonly createdAtMs: number },
): RunSpec {
  const { request, algorithm, config, training, layout, pretrained, registered, rewardModel, judge } = checked
  const start = checked.starts.get(own.seed) ?? checked.start
  return runSpec.parse({
    formatVersion: 1,
    ...own,
    name: request.name === '' ? algorithm.name : request.name,
    appVersion: deps.appVersion,
    method: request.method,
    config,
    training,
    layout,
    pretrained,
    groupHash: groupHashOf(checked, view),
    ...checked.engine,
    data: {
      ...request.data,
      datasetName: view.datasetName,
      fingerprint: view.fingerprint,
      viewHash: view.viewHash,
      viewPath: view.viewPath,
      labelCount: view.labelCount,
      counts: view.counts,
      cutCount: view.cutCount,
    },
    model:
      request.model.kind === 'new' || request.model.kind === 'networks'
        ? request.model
        : request.model.kind === 'run'
          ? {
              ...request.model,
              runId: start?.run.runId,
              step: start?.step,
              seed: start?.run.seed,
              path: start?.path,
              hash: start?.hash,
            }
          : { ...request.model, name: registered?.name, path: registered?.path, hash: registered?.hash },
    judge: request.judge === null ? null : { source: request.judge, path: judge?.path ?? null },
    rewardModelPath: rewardModel?.path ?? null,
    cacheFolder: deps.runs.cacheFolder,
    enginesFolder: enginesFolderOf(deps.dataFolder),
    threads: request.threads,
  })
}

/** `dpo-4`, `dpo-5` …: one more than the highest number that was ever given, deleted runs included. */
function newRunIds({ db, runs, dataFolder }: Deps, name: string, count: number): RunId[] {
  const base =
    name
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60)
      .replace(/-+$/, '') || 'run'
  const deleted = listTrash(dataFolder)
    .map(describeEntry)
    .filter(({ kind }) => kind === 'run')
  const first = nextRunNumber(db, base, [...readdirSync(runs.runsFolder), ...deleted.map(({ id }) => id)])
  return Array.from({ length: count }, (_, index) => runIdSchema.parse(`${base}-${first + index}`))
}
