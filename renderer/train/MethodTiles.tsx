import type { ReactNode } from 'react'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import { changeMethod } from './draft.ts'
import type { TrainForm } from './use-train.ts'

const KIND_WORDS: Readonly<Record<DataKind, string>> = {
  'response-pairs': 'needs pairs of answers',
  'segment-pairs': 'needs pairs of segments, not text',
  rankings: 'needs ranked documents (qrels)',
  'contrast-groups': 'needs texts, or queries with texts',
}

/** Methods that other kinds of data will bring; shown so that nobody looks for them in vain. */
const OTHER_METHODS: readonly { readonly id: string; readonly name: string; readonly data: DataKind }[] = [
  { id: 'cpl', name: 'CPL', data: 'segment-pairs' },
  { id: 'p-iql', name: 'P-IQL', data: 'segment-pairs' },
  { id: 'grace', name: 'GRACE', data: 'contrast-groups' },
]

/** One tile a method; the ones that cannot be used say why. */
export function MethodTiles({ form }: { readonly form: TrainForm }): ReactNode {
  const kind = form.dataset?.kind ?? 'response-pairs'
  const others = OTHER_METHODS.filter((other) => !form.algorithms.some((one) => one.id === other.id))
  return (
    <div className="methods" role="radiogroup" aria-label="Method">
      {form.algorithms.map((algorithm) => <Tile key={algorithm.id} algorithm={algorithm} form={form} reason={algorithm.data === kind ? null : KIND_WORDS[algorithm.data]} />)}
      {others.map((other) => (
        <div key={other.id} className="method" data-off="true">
          <b>{other.name}</b>
          <span>{KIND_WORDS[other.data]}</span>
        </div>
      ))}
    </div>
  )
}

function Tile({ algorithm, form, reason }: { readonly algorithm: AlgorithmInfo; readonly form: TrainForm; readonly reason: string | null }): ReactNode {
  const chosen = form.draft.method === algorithm.id
  return (
    <label className="method" data-on={chosen} data-off={reason !== null} title={algorithm.summary}>
      <input type="radio" className="hidden-visually" name="method" checked={chosen} disabled={reason !== null} onChange={() => form.change(changeMethod(form.draft, algorithm))} />
      <b>{algorithm.name}</b>
      <span>{reason ?? algorithm.summary}</span>
    </label>
  )
}
