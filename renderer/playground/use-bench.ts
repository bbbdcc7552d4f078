import { useState } from 'react'
import type { Input } from '../../shared/contract.ts'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import { asAppError } from '../api/client.ts'
import { callApp, useCall } from '../api/queries.ts'
import { useViewState } from '../api/settings.ts'
import { goTo } from '../frame/location.ts'
import { showToast } from '../parts/toast.tsx'
import { useGeneration, type Playground } from './use-playground.ts'

export type BenchKind = Extract<DataKind, 'response-pairs' | 'unpaired-responses'>
export type Bench = Input<'playground.keep'>['into']

export interface BenchChoice {
  /** Of what would be kept now: two sides are a pair. */
  readonly kind: BenchKind
  /** Data sets of that kind that grow. */
  readonly benches: readonly DatasetSummary[]
  /** Where it goes; undefined until it was chosen. */
  readonly bench: DatasetSummary | undefined
  /** The name of the one that the next answer makes. */
  readonly wanted: string | undefined
  readonly ready: boolean
  readonly asking: boolean
  /** Puts it there, or asks where. */
  keep(): void
  choose(into: Bench): void
  ask(): void
  close(): void
}

const WANTED = 'new:'

/** The last answers, on their way to people who label. */
export function useBench({ turns, sides }: Playground): BenchChoice {
  const datasets = useCall('datasets.list', {}).data
  const [chosen, remember] = useViewState<Readonly<Partial<Record<BenchKind, string>>>>('playground.bench', {})
  const [asking, setAsking] = useState(false)
  const [sending, setSending] = useState(false)
  const kind: BenchKind = sides.length === 2 ? 'response-pairs' : 'unpaired-responses'
  const benches = (datasets ?? []).filter((one) => one.source === 'playground' && one.kind === kind)
  const bench = benches.find((one) => one.datasetId === chosen[kind])
  /** A name that was given before there was an answer to put there. */
  const wanted = chosen[kind]?.startsWith(WANTED) === true ? chosen[kind].slice(WANTED.length) : undefined
  const last = turns.at(-1)
  const ids = sides.map((side) => last?.[side] ?? null)
  const [first = null, second = null] = ids
  const states = [useGeneration(first).data?.state, useGeneration(second).data?.state]
  const ready = !sending && datasets !== undefined && ids.every((id, at) => id !== null && states[at] === 'done')

  async function send(into: Bench): Promise<void> {
    if (first === null) return
    setSending(true)
    try {
      const left = first as Input<'playground.keep'>['left'] // ids of the app
      const right = second as Input<'playground.keep'>['right']
      const { datasetId, index, added } = await callApp('playground.keep', { left, right, into })
      remember({ ...chosen, [kind]: datasetId })
      const name = 'name' in into ? into.name : (bench?.name ?? 'the data set')
      const what = kind === 'response-pairs' ? 'Pair' : 'Answer'
      showToast(
        added
          ? `${what} ${index + 1} of ${name}.`
          : `It is there already: ${what.toLowerCase()} ${index + 1} of ${name}.`,
        {
          action: { title: 'Label', run: () => goTo(`/label/${datasetId}`) },
        },
      )
    } catch (error) {
      const { message, hint } = asAppError(error)
      showToast(`${message} ${hint}`, { tone: 'bad' })
    } finally {
      setSending(false)
    }
  }

  return {
    kind,
    benches,
    bench,
    ready,
    asking,
    wanted,
    keep() {
      if (bench !== undefined) void send({ datasetId: bench.datasetId })
      else if (wanted !== undefined) void send({ name: wanted })
      else setAsking(true)
    },
    choose(into) {
      setAsking(false)
      if (ready) void send(into)
      else remember({ ...chosen, [kind]: 'name' in into ? `${WANTED}${into.name}` : into.datasetId })
    },
    ask: () => setAsking(true),
    close: () => setAsking(false),
  }
}
