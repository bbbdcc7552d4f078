import { engineName } from '../../../shared/domain.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { readCards } from '../../base/machine/cards.ts'
import type { HandlerDeps } from './deps.ts'

type EngineHandlers = Pick<Handlers, Extract<keyof Handlers, `engines.${string}`>>

export function engineHandlers({ engines }: Pick<HandlerDeps, 'engines'>): EngineHandlers {
  return {
    'engines.list': () => engines.list(),
    'engines.cards': () => readCards(),
    'engines.test': ({ engine, seconds }) => ({
      jobId: engines.test(engine === null ? engineName.options : [engine], seconds),
    }),
    'engines.add': ({ fetch, cuda }) => ({ jobId: engines.add({ wheels: [], fetch, cuda }) }),
    'engines.addWheels': ({ wheels }) => ({ jobId: engines.add({ wheels, fetch: false, cuda: false }) }),
    'engines.remove': () => ({ removed: engines.remove() }),
    'engines.setAdapter': ({ adapter }) => {
      engines.setAdapter(adapter)
      return null
    },
    'engines.cancel': ({ jobId }) => {
      engines.cancel(jobId)
      return null
    },
  }
}
