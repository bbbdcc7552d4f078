import { AppError } from '../../../shared/errors.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { releaseUpload } from '../data/incoming.ts'
import { systemError } from '../../base/files/system-error.ts'
import { storeError } from '../store/open.ts'
import { algorithmHandlers } from './algorithms.ts'
import { comparisonHandlers } from './comparisons.ts'
import { datasetHandlers } from './datasets.ts'
import type { HandlerDeps } from './deps.ts'
import { engineHandlers } from './engines.ts'
import { importHandlers } from './imports.ts'
import { labelHandlers } from './labels.ts'
import { matchHandlers } from './matches.ts'
import { modelHandlers } from './models.ts'
import { paperHandlers } from './papers.ts'
import { playgroundHandlers } from './playground.ts'
import { rankingHandlers } from './rankings.ts'
import { runHandlers } from './runs.ts'
import { segmentHandlers } from './segments.ts'
import { systemHandlers } from './system.ts'
import { textHandlers } from './texts.ts'
import { unpairedHandlers } from './unpaired.ts'
import { trashHandlers } from './trash.ts'
import { watchHandlers } from './watch.ts'

/** Everything the app can do. The compiler refuses this while a call of the contract has no handler. */
export function createHandlers(deps: HandlerDeps): Handlers {
  const handlers: Handlers = {
    ...systemHandlers(deps),
    ...algorithmHandlers(),
    ...datasetHandlers(deps),
    ...importHandlers(deps),
    ...segmentHandlers(deps),
    ...labelHandlers(deps),
    ...modelHandlers(deps),
    ...engineHandlers(deps),
    ...runHandlers(deps),
    ...comparisonHandlers(deps),
    ...paperHandlers(deps),
    ...matchHandlers(deps),
    ...playgroundHandlers(deps),
    ...rankingHandlers(deps),
    ...textHandlers(deps),
    ...unpairedHandlers(deps),
    ...watchHandlers(deps),
    ...trashHandlers(deps),
  }
  return explainErrors(releaseUploads(handlers, deps.dataFolder), deps)
}

/** A file that a page sent has served when the call that reads it whole is over, however it ended. */
function releaseUploads(handlers: Handlers, dataFolder: string): Handlers {
  function releasing<I extends { readonly path: string }, O>(
    handler: (input: I) => O | Promise<O>,
  ): (input: I) => Promise<O> {
    return async (input) => {
      try {
        return await handler(input)
      } finally {
        releaseUpload(dataFolder, input.path)
      }
    }
  }
  return {
    ...handlers,
    'rankings.import': releasing(handlers['rankings.import']),
    'texts.import': releasing(handlers['texts.import']),
    'unpaired.import': releasing(handlers['unpaired.import']),
    'segments.import': releasing(handlers['segments.import']),
  }
}

/** Puts the database's errors into words, and what nobody expected into the log. */
function explainErrors(handlers: Handlers, deps: HandlerDeps): Handlers {
  const wrapped = Object.entries(handlers).map(([name, handler]) => {
    const run = handler as (input: unknown) => unknown // dispatch parses the input by this very name's schema
    return [
      name,
      async (input: unknown): Promise<unknown> => {
        try {
          return await run(input)
        } catch (error) {
          const known = systemError(storeError(error, deps.dataFolder))
          if (!(known instanceof AppError)) deps.log.error(`${name} failed`, error)
          throw known
        }
      },
    ]
  })
  return Object.fromEntries(wrapped) as Handlers // the same names, each behind the same signature
}
