import type { ReactNode } from 'react'
import { X } from 'lucide-react'
import { useParams } from 'wouter'
import { useCall, useMutate } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { goTo } from '../frame/location.ts'
import { MatchView } from '../matches/MatchView.tsx'
import { Button } from '../parts/Button.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import { showToast } from '../parts/toast.tsx'
import '../matches/matches.css'

/** One match: who won how often, and every answer. */
export function Match(): ReactNode {
  const { matchId = '' } = useParams<{ matchId: string }>()
  const found = useCall('matches.get', { matchId }, { keepPrevious: true })
  const cancel = useMutate('matches.cancel', { invalidate: ['matches.get', 'matches.list'] })
  const remove = useMutate('matches.remove', { invalidate: ['matches.list'] })
  const again = useMutate('matches.start', { invalidate: ['matches.list'] })
  const match = found.data
  useCrumbs([
    { label: 'Compare', href: '/compare' },
    { label: 'Matches', href: '/matches' },
    { label: match?.title ?? matchId },
  ])
  if (found.error !== null)
    return (
      <div className="page">
        <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />
      </div>
    )
  if (match === undefined) return <Loading what="Reading the match" />
  const live = match.state === 'waiting' || match.state === 'running'
  const playAgain = (): void =>
    again.mutate(match.request, {
      onSuccess: (started) => goTo(`/matches/${started.matchId}`),
      onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
    })
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>{match.title}</h1>
          <p className="text-2">
            Temperature {match.request.settings.temperature}, at most {match.request.settings.maxTokens} tokens, seed{' '}
            {match.request.seed}
          </p>
        </div>
        {live ? (
          <Button icon={X} onClick={() => cancel.mutate({ matchId })}>
            Cancel
          </Button>
        ) : (
          <>
            <Button
              look="quiet"
              onClick={() => remove.mutate({ matchId }, { onSuccess: () => goTo('/matches') })}
              title="Answers and scores go; a data set that people label stays."
            >
              Remove
            </Button>
            <Button onClick={playAgain}>Play again</Button>
          </>
        )}
      </header>
      {match.error === null ? null : <ErrorNotice error={match.error} />}
      {live ? (
        <output className="match-note text-2">{match.note} …</output>
      ) : match.state === 'cancelled' ? (
        <EmptyState
          title="The match was cancelled"
          text={match.note === '' ? 'Nothing of it was kept.' : match.note}
          action={<Button onClick={playAgain}>Play again</Button>}
        />
      ) : match.result === null ? null : (
        <MatchView match={match} result={match.result} />
      )}
    </div>
  )
}
