import { useEffect, useRef, type ReactNode } from 'react'
import { Play } from 'lucide-react'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { parseSeeds } from '../../shared/form.ts'
import { useMutate } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { goTo, useGoOn } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Say } from '../parts/Say.tsx'
import { showToast } from '../parts/toast.tsx'
import type { TrainForm } from './use-train.ts'
import { useTokenPreview } from './use-token-preview.ts'

const TRY_STEPS = 20

/** The same settings cut to a quick look: one seed, a few steps, one evaluation at the end. */
export function tryRequest(request: RunRequestInput): RunRequestInput {
  const name = request.name === undefined || request.name === '' ? '' : `${request.name} try`.slice(0, 80)
  return {
    ...request,
    name,
    seeds: (request.seeds ?? [1]).slice(0, 1),
    training: { ...request.training, steps: TRY_STEPS, evalEvery: 0, checkpointEvery: 0 },
  }
}

export function StartBar({ form }: { readonly form: TrainForm }): ReactNode {
  const count = parseSeeds(form.draft.seeds)?.length ?? 0
  const goOn = useGoOn()
  const start = useMutate('runs.start', {
    invalidate: ['runs.list'],
    onSuccess({ runIds }) {
      const [first] = runIds
      if (first === undefined || (runIds.length === 1 && goOn(`/runs/${first}`))) return
      showToast(runIds.length === 1 ? 'The run is in the queue.' : `${runIds.length} runs are in the queue.`, {
        action: {
          title: runIds.length === 1 ? 'Open it' : 'Open the first',
          run: () => goTo(`/runs/${first}`),
        },
      })
    },
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  // The run would end at its first row with the words that the panel of tokens says.
  const unreadable = useTokenPreview(form)?.error?.code === 'spec-invalid'
  const ready = form.valid && !unreadable && !start.isPending
  const wrong = Object.keys(form.problems).length + form.otherProblems.length
  const checking = !form.valid && wrong === 0 && form.checkError === null
  // Who is quick with the keys does not wait for the check: what was asked for starts when it has passed as it was then.
  const asked = useRef<RunRequestInput | null>(null)
  const startAll = (): void => {
    if (ready) start.mutate({ request: form.request })
    else asked.current = form.request
  }
  const { mutate } = start
  useEffect(() => {
    const request = asked.current
    if (request === null || (checking && request === form.request)) return
    asked.current = null
    if (ready && request === form.request) mutate({ request })
  }, [checking, form.request, ready, mutate])
  useCommands([
    {
      id: 'train.start',
      title: 'Start the runs',
      group: 'Train',
      keys: ['mod+enter'],
      everywhere: true,
      disabled: !ready && !checking,
      run: startAll,
    },
  ])
  return (
    <div className="start-bar">
      <Button look="primary" icon={Play} keys="mod+enter" disabled={!ready} onClick={startAll}>
        Start {count === 1 ? '1 run' : `${count} runs`}
      </Button>
      {form.algorithm.learns ? (
        <Button disabled={!ready} onClick={() => start.mutate({ request: tryRequest(form.request) })}>
          Try {TRY_STEPS} steps
        </Button>
      ) : null}
      <span className="grow" />
      <output>
        {wrong > 0 ? (
          <Say tone="bad">{wrong === 1 ? 'One setting needs' : `${wrong} settings need`} attention.</Say>
        ) : unreadable ? (
          <Say tone="bad">The model cannot read the data like this.</Say>
        ) : form.valid ? (
          <Say tone="good">Ready.</Say>
        ) : form.checkError === null ? (
          <span className="small text-3">Checking …</span>
        ) : null}
      </output>
    </div>
  )
}
