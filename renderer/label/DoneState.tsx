import type { ReactNode } from 'react'
import { Check } from 'lucide-react'
import { Link } from 'wouter'
import type { DatasetId } from '../../shared/domain.ts'
import { Button } from '../parts/Button.tsx'
import { formatCount } from '../../shared/units.ts'
import { EmptyState } from '../parts/states.tsx'
import type { Session } from './session.ts'
import type { SessionStore } from './session-store.ts'

/** Nothing is left that passes the filter: what next. */
export function DoneState({
  session,
  store,
  datasetId,
}: {
  readonly session: Session
  readonly store: SessionStore
  readonly datasetId: DatasetId
}): ReactNode {
  const { progress, filter } = session
  if (progress === null) return <span />
  const left = progress.total - progress.answered - progress.skipped
  if (filter.only !== 'unlabeled' || filter.search !== '') {
    const text =
      session.matching === 0 ? 'No pair passes the filter.' : 'You have been through every pair that passes the filter.'
    return (
      <EmptyState
        page
        title={text}
        action={
          <Button look="primary" onClick={() => store.restart({ only: 'unlabeled', search: '' })}>
            Show pairs without an answer
          </Button>
        }
      />
    )
  }
  if (left > 0) {
    return (
      <EmptyState
        page
        title={`${formatCount(left)} pairs were passed over`}
        text="They have no answer yet."
        action={
          <Button look="primary" onClick={() => store.restart(filter)}>
            Go through them
          </Button>
        }
      />
    )
  }
  return (
    <EmptyState
      page
      icon={Check}
      title={progress.answered === 0 ? 'No pair is left' : 'Every pair has an answer'}
      text={
        <>
          {formatCount(progress.answered)} answered, {formatCount(progress.skipped)} skipped,{' '}
          {formatCount(progress.flagged)} marked to look at again.
        </>
      }
      action={
        <>
          <Link className="btn btn-primary" href={`/train?data=${datasetId}`}>
            Train on this
          </Link>
          {progress.flagged > 0 ? (
            <Button onClick={() => store.restart({ only: 'flagged', search: '' })}>
              Look again at {formatCount(progress.flagged)}
            </Button>
          ) : null}
          {progress.skipped > 0 ? (
            <Button onClick={() => store.restart({ only: 'skipped', search: '' })}>
              Go through {formatCount(progress.skipped)} skipped
            </Button>
          ) : null}
          <Link className="btn btn-quiet" href={`/data/${datasetId}`}>
            Look at the data set
          </Link>
        </>
      }
    />
  )
}
