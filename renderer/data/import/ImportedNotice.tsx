import type { ReactNode } from 'react'
import { Check, X } from 'lucide-react'
import { useSearchParams } from 'wouter'
import type { DatasetId, JobId } from '../../../shared/domain.ts'
import { KIND_WORDS } from '../../../shared/kind-words.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { goTo } from '../../frame/location.ts'
import { Button } from '../../parts/Button.tsx'

/** That a data set has just come in, what was left out, and what is next. Nothing where the page was opened otherwise. */
export function ImportedNotice({ datasetId }: { readonly datasetId: DatasetId }): ReactNode {
  const [search] = useSearchParams()
  const jobId = search.get('imported')
  const { data: job } = useCall(
    'datasets.importJob',
    { jobId: (jobId ?? '') as JobId }, // the app checks it
    { enabled: jobId !== null },
  )
  const { data: detail } = useCall('datasets.get', { datasetId }, { enabled: jobId !== null })
  if (jobId === null || job?.datasetId !== datasetId || detail === undefined) return null
  const { kind, rejectedRowCount, labelCount } = detail
  const { items, labeled } = KIND_WORDS[kind]
  const toLabel = labeled && labelCount === 0
  return (
    <output className="notice notice-good">
      <Check className="icon" aria-hidden="true" />
      <div>
        <p className="bold">
          Imported {formatCount(detail.itemCount)} {items};{' '}
          {rejectedRowCount === 0
            ? 'no row left out'
            : `${formatCount(rejectedRowCount)} ${rejectedRowCount === 1 ? 'row' : 'rows'} left out`}
        </p>
        <p>
          {toLabel
            ? 'Nobody has judged them yet: label some, then train on them.'
            : labeled
              ? 'Labels came with them: train on them, or add your own.'
              : kind === 'rankings'
                ? 'Train a ranker on them.'
                : 'Train a language model or an encoder on them.'}
        </p>
      </div>
      <span className="row gap-1">
        {labeled ? (
          <Button small look={toLabel ? 'primary' : 'normal'} onClick={() => goTo(`/label/${datasetId}`)}>
            Label them
          </Button>
        ) : null}
        {toLabel ? null : (
          <Button small look="primary" onClick={() => goTo(`/train?data=${datasetId}`)}>
            Train on them
          </Button>
        )}
        <Button
          small
          look="quiet"
          icon={X}
          aria-label="Close the message"
          onClick={() => goTo(`/data/${datasetId}`, { replace: true })}
        />
      </span>
    </output>
  )
}
