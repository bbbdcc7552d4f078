import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { resolveGiven } from '../../base/files/given-path.ts'
import { releaseUpload } from '../data/incoming.ts'
import { readingOf } from '../reading/read-items.ts'
import type { HandlerDeps } from './deps.ts'

export type ImportCallName =
  | Extract<keyof Handlers, `imports.${string}`>
  | 'datasets.inspect'
  | 'datasets.import'
  | 'datasets.importJob'
  | 'datasets.importJobs'
  | 'datasets.cancelImport'

/** The one door by which data come in. */
export function importHandlers({
  imports,
  reader,
  dataFolder,
}: Pick<HandlerDeps, 'imports' | 'reader' | 'dataFolder'>): Pick<Handlers, ImportCallName> {
  /** Copies whose page was left while they were read. */
  const left = new Set<string>()

  /** A copy that a page sent has served once it was kept or the import was cancelled; one that was refused may still be read as something else. */
  async function start(
    request: Parameters<typeof imports.start>[0],
  ): Promise<{ jobId: Awaited<ReturnType<typeof imports.start>> }> {
    try {
      const jobId = await imports.start(request)
      void imports.ended(jobId).then(({ state }) => {
        if (left.delete(request.path) || state !== 'failed') releaseUpload(dataFolder, request.path)
      })
      return { jobId }
    } catch (error) {
      releaseUnlessMendable(error, request.path)
      throw error
    }
  }
  function releaseUnlessMendable(error: unknown, file: string): void {
    if (!(error instanceof AppError && (error.code === 'input-invalid' || error.code === 'dataset-invalid')))
      releaseUpload(dataFolder, file)
  }
  return {
    'imports.recognize': async ({ path: given }) => {
      const path = resolveGiven(given)
      try {
        return await reader.ask('recognize', { path })
      } catch (error) {
        releaseUpload(dataFolder, path) // nothing can be made of it
        throw error
      }
    },
    'imports.preview': ({ path, segments, ...asked }) =>
      reader.ask('preview', { ...asked, path: resolveGiven(path), segments: readingOf(segments) }),
    'imports.release': ({ path: given }) => {
      const path = resolveGiven(given)
      if (imports.reads(path)) left.add(path)
      else releaseUpload(dataFolder, path)
      return null
    },
    'datasets.inspect': async ({ path: file, ...options }) => {
      try {
        return await reader.ask('inspect', { path: resolveGiven(file), options })
      } catch (error) {
        if (options.mapping === null) releaseUnlessMendable(error, file) // no pairs, whatever its columns mean
        throw error
      }
    },
    'datasets.import': ({ path: file, kind, texts, segments, ...request }) =>
      start({
        ...request,
        path: resolveGiven(file),
        ...(kind === 'response-pairs' ? {} : { items: { kind, texts, segments } }),
      }),
    'datasets.importJob': ({ jobId }) => imports.job(jobId),
    'datasets.importJobs': () => imports.jobs(),
    'datasets.cancelImport': ({ jobId }) => {
      imports.cancel(jobId)
      return null
    },
  }
}
