import type { ReactNode } from 'react'
import { Rows3 } from 'lucide-react'
import type { RunSummary } from '../../shared/contract/runs.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { callApp, useCall } from '../api/queries.ts'
import { asAppError } from '../api/client.ts'
import { goOnFromHere } from '../frame/location.ts'
import { MenuButton, type MenuItem } from '../parts/MenuButton.tsx'
import { showToast } from '../parts/toast.tsx'
import type { CompareState } from './use-compare.ts'

/** Rows to compare with that nobody has to train: what the runs began with, and the order that rankers begin from. */
export function AddBaseline({ state }: { readonly state: CompareState }): ReactNode {
  const { runs, comparison } = state
  const trained = (comparison?.groups ?? []).flatMap((group) => {
    const members = group.runIds.flatMap((runId) => runs.find((run) => run.runId === runId && run.totalSteps > 0) ?? [])
    return members.length === 0 ? [] : [{ label: group.label, members }]
  })
  const rankers = (useCall('algorithms.list', {}).data ?? []).filter(({ data }) => data === 'rankings')
  const ranked = runs.find((run) => rankers.some(({ id }) => id === run.method))
  const items: MenuItem[] = [
    ...(ranked === undefined || runs.some((run) => run.method === 'bm25')
      ? []
      : [{ id: 'bm25', title: 'BM25, the first stage', run: () => void add(state, [ranked], firstStageOf) }]),
    ...trained.map(({ label, members }, at) => ({
      id: `untrained-${at}`,
      title: `${label}, before training`,
      run: () => void add(state, members, untrainedOf),
    })),
  ]
  if (items.length === 0) return null
  return (
    <MenuButton
      small
      icon={Rows3}
      label="Add a baseline"
      command={{ id: 'compare.baseline', title: 'Add a baseline', group: 'Compare' }}
      items={items}
    />
  )
}

type Change = (request: RunRequestInput, seeds: readonly number[]) => RunRequestInput

/** Weights from elsewhere are the same for every seed; new ones are drawn. */
const untrainedOf: Change = (request, seeds) => ({
  ...request,
  name: '',
  seeds: [...(request.model.kind === 'new' || request.model.kind === 'networks' ? seeds : seeds.slice(0, 1))],
  training: { ...request.training, steps: 0 },
})

const firstStageOf: Change = ({ data, config = {} }, seeds) => ({
  method: 'bm25',
  data,
  model: { kind: 'networks' },
  config: Object.fromEntries(
    ['candidates', 'cutoff'].flatMap((name) => (name in config ? [[name, config[name]!]] : [])),
  ),
  seeds: seeds.slice(0, 1),
})

/** Starts the runs and shows them beside the others. */
async function add({ runs }: CompareState, like: readonly RunSummary[], change: Change): Promise<void> {
  const goOn = goOnFromHere()
  try {
    const request = await callApp('runs.request', { runId: like[0]!.runId }) // there is one
    const seeds = [...new Set(like.map(({ seed }) => seed))]
    const { runIds } = await callApp('runs.start', { request: change(request, seeds), clientKey: crypto.randomUUID() })
    goOn(`/compare?runs=${[...runs.map(({ runId }) => runId), ...runIds].join(',')}`)
    showToast(runIds.length === 1 ? 'The baseline is being measured.' : 'The baselines are being measured.')
  } catch (error) {
    showToast(asAppError(error).message, { tone: 'bad' })
  }
}
