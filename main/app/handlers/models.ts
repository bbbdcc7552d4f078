import path from 'node:path'
import type { ModelSource } from '../../../shared/contract/models.ts'
import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { describeModel, summarizeModel } from '../registry/describe-model.ts'
import { isArchive, lookInside, unpackModel } from '../../core/models/gguf/archive.ts'
import { requireSpace } from '../registry/copy-files.ts'
import type { Addition } from '../registry/model-service.ts'
import { listModels, requireModel } from '../store/models.ts'
import type { HandlerDeps } from './deps.ts'
import { exportRun } from '../requests/export-run.ts'
import { findCheckpoint } from '../requests/find-checkpoint.ts'
import { givenPath, resolveGiven } from '../../base/files/given-path.ts'
import { refuseKernelPlace } from '../../base/files/writable-place.ts'

type ModelHandlers = Pick<Handlers, Extract<keyof Handlers, `models.${string}`> | 'runs.export'>

export function modelHandlers(deps: HandlerDeps): ModelHandlers {
  const { db, dataFolder, models } = deps
  return {
    'models.list': () => listModels(db).map((entry) => summarizeModel(dataFolder, entry)),
    'models.get': async ({ modelId }) => {
      const entry = requireModel(db, modelId)
      return describeModel(db, dataFolder, entry, await models.read(entry))
    },
    'models.inspect': ({ path: folder }) => models.inspect(resolveGiven(folder)),
    'models.add': async ({ source, name, clientKey }) => ({
      jobId: await models.add({ ...(await additionOf(deps, source)), clientKey, ...(name === '' ? {} : { name }) }),
    }),
    'models.addJob': ({ jobId }) => models.job(jobId),
    'models.addJobs': () => models.jobs(),
    'models.cancelAdd': ({ jobId }) => nothing(models.cancel(jobId)),
    'models.verify': ({ modelId }) => models.verify(modelId),
    'models.rename': ({ modelId, name }) => nothing(models.rename(modelId, name)),
    'models.delete': ({ modelId }) => nothing(models.remove(modelId)),
    'runs.export': async ({ runId, checkpoint, path: given, form }) => {
      const target = givenPath(given)
      if (!path.isAbsolute(target))
        throw new AppError({
          code: 'input-invalid',
          message: `"${target}" is not an absolute path.`,
          hint: 'Give the whole path of the new folder.',
        })
      refuseKernelPlace(target)
      const start = findCheckpoint(deps, runId, checkpoint, 'export', null)
      return {
        path: target,
        step: start.step,
        files: await exportRun(deps, runId, start, form ?? null, target),
      }
    },
  }
}

async function additionOf(deps: HandlerDeps, source: ModelSource): Promise<Addition> {
  if (source.kind === 'folder') {
    const from = resolveGiven(source.path)
    if (!isArchive(from)) return { source: from, place: source.place, name: '', originRunId: null }
    const { name, sizeBytes } = await lookInside(from)
    await requireSpace(
      deps.dataFolder,
      sizeBytes,
      'Free some space, or unpack it on another disk and add the file by link.',
    )
    return {
      source: from,
      place: 'copy',
      name: name.replace(/\.gguf$/i, ''),
      originRunId: null,
      write: (folder, progress) => unpackModel(from, folder, progress),
    }
  }
  const start = findCheckpoint(deps, source.runId, source.checkpoint, 'add as a model', 'policy')
  return {
    source: start.path,
    place: 'copy',
    name: `${start.run.name} s${start.run.seed}`,
    originRunId: source.runId,
    write: (folder) => exportRun(deps, source.runId, start, 'model', folder),
  }
}

/** The contract's answer where there is nothing to say. */
function nothing(_done: void): null {
  return null
}
