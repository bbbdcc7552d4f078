import type { App } from '../../main/app/app.ts'
import type { CallName } from '../../shared/contract.ts'
import { dispatch } from '../../shared/rpc.ts'
import { callInputs, type Place } from './call-inputs.ts'
import { gaugeEventLoop, type Held } from './event-loop-gauge.ts'
import { waitUntil } from './make-app.ts'

export interface GaugedCall extends Held {
  readonly totalMs: number
  /** `ok`, or the code of the error that it was refused with. */
  readonly answer: string
}

/** Makes every call of the contract once in each of its variants, and tells how long each held the event loop. */
export async function* gaugeCalls(
  app: App,
  place: Place,
): AsyncGenerator<GaugedCall & { readonly name: CallName; readonly input: unknown; readonly call: string }> {
  for (const name of Object.keys(callInputs) as CallName[]) {
    // keys of a table by call name
    for (const [variant, input] of Object.entries(callInputs[name](place))) {
      yield {
        name,
        input,
        call: variant === '' ? name : `${name} (${variant})`,
        ...(await gaugeCall(app, name, input)),
      }
    }
  }
}

export async function gaugeCall(app: App, name: CallName, input: unknown): Promise<GaugedCall> {
  const beganMs = performance.now()
  const { value: reply, held } = await gaugeEventLoop(async () => {
    const answered = await dispatch(app.handlers, name, input)
    if (name === 'datasets.import') await importsEnded(app)
    return answered
  })
  return { ...held, totalMs: performance.now() - beganMs, answer: reply.ok ? 'ok' : reply.error.code }
}

/** The call returns when the import has begun; what it does to the app comes after. */
async function importsEnded({ handlers }: App): Promise<void> {
  await waitUntil(
    'the import to end',
    async () => (await handlers['datasets.importJobs']({})).every((job) => job.state !== 'running'),
    3_600_000,
  )
}
