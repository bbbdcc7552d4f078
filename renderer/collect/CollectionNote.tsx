import type { ReactNode } from 'react'
import { sizeOfCollection, type CollectRequest } from '../../shared/collecting.ts'
import type { WorldSummary } from '../../shared/contract/segments.ts'
import { formatCount, formatDuration } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { useSettled } from '../train/use-train.ts'

interface CollectionNoteProps {
  readonly world: WorldSummary
  /** Null while something in the form is wrong. */
  readonly request: CollectRequest | null
}

/** What is seen and done in the world; what a collection gives, and about how long it takes. */
export function CollectionNote({ world, request }: CollectionNoteProps): ReactNode {
  return (
    <div className="col gap-3">
      <p>{world.summary}</p>
      <dl className="facts collect-facts">
        <Row name="Seen" text={world.observation.join(', ')} />
        <Row name="Done" text={world.action.join(', ')} />
        <Row name="Episode" text={`${world.episodeSteps} steps of ${world.stepSeconds} s`} />
        <Row name="Success" text={world.success ?? 'none: the return alone counts'} />
      </dl>
      {request === null ? (
        <p className="text-3">What it gives is said once every setting can be read.</p>
      ) : (
        <Gives world={world} request={request} />
      )}
    </div>
  )
}

function Row({ name, text }: { readonly name: string; readonly text: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  )
}

function Gives({ world, request }: { readonly world: WorldSummary; readonly request: CollectRequest }): ReactNode {
  const size = sizeOfCollection(request, world)
  const { name: _name, ...settings } = request
  const asked = useSettled(JSON.stringify(settings))
  const { data, error, isFetching, refetch } = useCall('segments.estimateCollection', JSON.parse(asked) as never, {
    keepPrevious: true,
  }) // written by the line above
  const past = request.steps > world.episodeSteps
  return (
    <>
      <dl className="facts collect-facts" aria-label="What it gives">
        <Row name="Pairs" text={<span className="mono">{formatCount(size.pairs)}</span>} />
        <Row
          name="Transitions"
          text={
            <>
              <span className="mono">{formatCount(size.transitions)}</span> in{' '}
              <span className="mono">{formatCount(size.segments)}</span> segments
            </>
          }
        />
        <Row
          name="Episodes"
          text={
            <>
              <span className="mono">{formatCount(size.episodes)}</span>,{' '}
              {size.perEpisode === 1 ? 'a segment from each' : `up to ${size.perEpisode} segments from each`}
            </>
          }
        />
        <Row name="Judged" text={judgeWords(request, world)} />
        <Row
          name="Takes"
          text={
            error !== null ? (
              '–'
            ) : data === undefined ? (
              'measuring …'
            ) : (
              <span data-outdated={isFetching}>about {formatDuration(data.ms)} here</span>
            )
          }
        />
      </dl>
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {past ? (
        <Say tone="warn">
          A segment of {request.steps} steps goes on past the end of an episode, which has {world.episodeSteps}.
        </Say>
      ) : null}
    </>
  )
}

function judgeWords({ label }: CollectRequest, { advantageKnown }: WorldSummary): string {
  if (label === 'none') return 'by people, on the Label page'
  if (label === 'reward') return 'by the sum of rewards'
  return advantageKnown
    ? 'by regret, exact: the advantage is known in closed form'
    : 'by regret: the expert acts every segment out from both ends'
}
