import type { ReactNode } from 'react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { Chip } from '../parts/Chip.tsx'

/** Its name, what it holds, which state of it, and under which licence. */
export function DatasetTitle({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  return (
    <div className="row wrap">
      <h1>{detail.name}</h1>
      <Chip>{KIND_WORDS[detail.kind].name}</Chip>
      <Chip title={detail.fingerprint}>
        snapshot <span className="mono">{detail.fingerprint.slice(0, 8)}</span>
      </Chip>
      {detail.licence === null ? null : <Chip>licence: {detail.licence}</Chip>}
    </div>
  )
}
