import { useEffect, useState, type ReactNode } from 'react'
import type { EventPayload } from '../../../shared/contract.ts'
import type { DatasetId } from '../../../shared/domain.ts'
import { formatBytes, formatDuration } from '../../../shared/units.ts'
import { useAppEvent } from '../../api/events.ts'
import { useMutate } from '../../api/queries.ts'
import { Button } from '../../parts/Button.tsx'
import { ProgressBar } from '../../parts/ProgressBar.tsx'

const DOING = {
  documents: 'Finding the documents',
  search: 'Looking through the documents',
  bm25: 'Counting the words of the collection',
  run: 'Looking through what the run ranked',
} as const

const QUIET_MS = 300
const REST_AFTER = 0.1

/** What is being read of a collection, how far it is, and how to end it. Nothing in the first moment. */
export function CollectionWait({
  datasetId,
  what,
}: {
  readonly datasetId: DatasetId
  readonly what: string
}): ReactNode {
  const [progress, setProgress] = useState<(EventPayload<'rankings.progress'> & { readonly atMs: number }) | null>(null)
  const [began, setBegan] = useState<{ readonly doing: string; readonly atMs: number } | null>(null)
  const [shown, setShown] = useState(false)
  const cancel = useMutate('rankings.cancel')
  useAppEvent('rankings.progress', (told) => {
    if (told.datasetId !== datasetId) return
    const atMs = performance.now()
    setProgress({ ...told, atMs })
    if (began?.doing !== told.doing) setBegan({ doing: told.doing, atMs })
  })
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), QUIET_MS)
    return () => clearTimeout(timer)
  }, [])
  if (!shown) return <div className="collection-wait" aria-busy="true" />
  const share = progress === null || progress.total === 0 ? null : progress.done / progress.total
  const restMs =
    progress === null || began === null || share === null || share < REST_AFTER
      ? null
      : ((progress.atMs - began.atMs) * (1 - share)) / share
  return (
    <output className="collection-wait" aria-busy="true">
      <span className="row small">
        <span className="grow">{progress === null ? what : DOING[progress.doing]} …</span>
        <Button small disabled={cancel.isPending} onClick={() => cancel.mutate({ datasetId })}>
          Cancel
        </Button>
      </span>
      <ProgressBar value={share} label={what} />
      {progress === null ? null : (
        <span className="small text-3">
          <span className="mono">{formatBytes(progress.done)}</span> of{' '}
          <span className="mono">{formatBytes(progress.total)}</span>
          {restMs === null ? '' : `, about ${formatDuration(restMs)} left`}
        </span>
      )}
    </output>
  )
}
