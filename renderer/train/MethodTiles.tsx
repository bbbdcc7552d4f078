import type { ReactNode } from 'react'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import type { DataKind } from '../../shared/data-kinds.ts'
import { changeMethod } from './draft-changes.ts'
import type { TrainForm } from './use-train.ts'

const KIND_NEEDS: Readonly<Record<DataKind, string>> = {
  'response-pairs': 'needs pairs of answers',
  'unpaired-responses': 'needs answers called good or bad',
  'segment-pairs': 'needs pairs of segments, not text',
  rankings: 'needs ranked documents (qrels)',
  'contrast-groups': 'needs texts, or queries with texts',
}

/** One tile a method; those that the data set is nothing for say why, behind the others. */
export function MethodTiles({ form }: { readonly form: TrainForm }): ReactNode {
  const kind = form.dataset?.kind ?? 'response-pairs'
  const fits = form.algorithms.filter((one) => one.kinds.includes(kind))
  const others = form.algorithms.filter((one) => !fits.includes(one))
  return (
    <div role="radiogroup" aria-label="Method">
      <div className="methods">
        {fits.map((algorithm) => (
          <Tile key={algorithm.id} algorithm={algorithm} form={form} reason={null} />
        ))}
      </div>
      <details className="methods-other">
        <summary>{others.length} methods for other data</summary>
        <div className="methods">
          {others.map((algorithm) => (
            <Tile key={algorithm.id} algorithm={algorithm} form={form} reason={reasonOf(algorithm, kind)} />
          ))}
        </div>
      </details>
    </div>
  )
}

function reasonOf({ data }: AlgorithmInfo, kind: DataKind): string {
  if (kind === 'unpaired-responses' && data === 'response-pairs') return 'needs two answers to a prompt, to compare'
  return KIND_NEEDS[data]
}

function Tile({
  algorithm,
  form,
  reason,
}: {
  readonly algorithm: AlgorithmInfo
  readonly form: TrainForm
  readonly reason: string | null
}): ReactNode {
  const chosen = form.draft.method === algorithm.id
  return (
    <label className="method" data-on={chosen} data-off={reason !== null} title={algorithm.summary}>
      <input
        type="radio"
        className="hidden-visually"
        name="method"
        checked={chosen}
        disabled={reason !== null}
        onChange={() => form.change(changeMethod(form.draft, algorithm))}
      />
      <b>{algorithm.name}</b>
      <span>{reason ?? algorithm.summary}</span>
    </label>
  )
}
