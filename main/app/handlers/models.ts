import path from 'node:path'
import type { ModelSource } from '../../../shared/contract/models.ts'
import type { RunId } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { findAlgorithm } from '../../core/learn/registry.ts'
import { exportModel, type ExportOptions } from '../../core/models/export-model.ts'
import { describeModel, summarizeModel } from '../registry/describe-model.ts'
import type { Addition } from '../registry/model-service.ts'
import { modelCard } from '../runs/model-card.ts'
import { listModels, requireModel } from '../store/models.ts'
import { readRunSpec } from '../store/runs.ts'
import type { HandlerDeps } from './deps.ts'
import { findCheckpoint, type StartPoint } from '../requests/find-checkpoint.ts'
import { commandFor } from '../requests/run-command.ts'
import { requestOf } from '../../../shared/request-of.ts'

type ModelHandlers = Pick<Handlers, Extract<keyof Handlers, `models.${string}`> | 'runs.export'>

export function modelHandlers(deps: HandlerDeps): ModelHandlers {
  const { db, dataFolder, models } = deps
  return {
    'models.list': () => listModels(db).map((entry) => summarizeModel(dataFolder, entry)),
    'models.get': async ({ modelId }) => {
      const entry = requireModel(db, modelId)
      return describeModel(db, dataFolder, entry, await models.read(entry))
    },
    'models.inspect': ({ path: folder }) => models.inspect(path.resolve(folder)),
    'models.add': async ({ source, name, clientKey }) => ({
      jobId: await models.add({ ...additionOf(deps, source), clientKey, ...(name === '' ? {} : { name }) }),
    }),
    'models.addJob': ({ jobId }) => models.job(jobId),
    'models.addJobs': () => models.jobs(),
    'models.cancelAdd': ({ jobId }) => nothing(models.cancel(jobId)),
    'models.verify': ({ modelId }) => models.verify(modelId),
    'models.rename': ({ modelId, name }) => nothing(models.rename(modelId, name)),
    'models.delete': ({ modelId }) => nothing(models.remove(modelId)),
    'runs.export': async ({ runId, checkpoint, path: target, form }) => {
      if (!path.isAbsolute(target))
        throw new AppError({
          code: 'input-invalid',
          message: `"${target}" is not an absolute path.`,
          hint: 'Give the whole path of the new folder.',
        })
      const start = findCheckpoint(deps, runId, checkpoint, 'export', null)
      return {
        path: target,
        step: start.step,
        files: await exportModel(start.path, target, exportOptions(deps, runId, start, form)),
      }
    },
  }
}

function additionOf(deps: HandlerDeps, source: ModelSource): Addition {
  if (source.kind === 'folder')
    return { source: path.resolve(source.path), place: source.place, name: '', originRunId: null }
  const start = findCheckpoint(deps, source.runId, source.checkpoint, 'add as a model', 'policy')
  return {
    source: start.path,
    place: 'copy',
    name: `${start.run.name} s${start.run.seed}`,
    originRunId: source.runId,
    write: (folder) => exportModel(start.path, folder, exportOptions(deps, source.runId, start, 'model')),
  }
}

function exportOptions(
  { db }: HandlerDeps,
  runId: RunId,
  { run, step, hash }: StartPoint,
  form: ExportOptions['form'],
): ExportOptions {
  const spec = readRunSpec(db, runId)
  const algorithm = findAlgorithm(spec.method)
  const command = commandFor({
    algorithm,
    config: spec.config,
    training: spec.training,
    request: { ...requestOf(spec), engine: spec.engine },
  })
  return {
    form,
    origin: spec.model.kind === 'registered' ? spec.model.path : null,
    card: modelCard({
      spec,
      methodName: algorithm.name,
      engine: run.engine,
      paper: algorithm.paper,
      step,
      checkpointHash: hash,
      summary: run.summary,
      command,
    }),
  }
}

/** The contract's answer where there is nothing to say. */
function nothing(_done: void): null {
  return null
}
