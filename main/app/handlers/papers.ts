import type { Handlers } from '../../../shared/rpc.ts'
import { readReport } from '../papers/report-files.ts'
import type { HandlerDeps } from './deps.ts'

type PaperHandlers = Pick<Handlers, Extract<keyof Handlers, `papers.${string}`>>

export function paperHandlers({ papers, dataFolder }: Pick<HandlerDeps, 'papers' | 'dataFolder'>): PaperHandlers {
  return {
    'papers.list': () => papers.list(),
    'papers.report': ({ id, form }) => readReport(dataFolder, id, form),
    'papers.reproduce': ({ id, form, seeds }) => {
      papers.start(id, form, seeds)
      return null
    },
    'papers.cancel': async ({ id }) => {
      await papers.cancel(id)
      return null
    },
    'papers.bandit': () => papers.bandit(),
  }
}
