import type { ReactNode } from 'react'
import { Swords } from 'lucide-react'
import { Link } from 'wouter'
import { useCall } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { RateText } from '../matches/MatchView.tsx'
import { Panel } from '../parts/Panel.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { EmptyState, ErrorNotice, Loading } from '../parts/states.tsx'
import '../matches/matches.css'

/** Every match that was played here. */
export function Matches(): ReactNode {
  useCrumbs([{ label: 'Compare', href: '/compare' }, { label: 'Matches' }])
  const list = useCall('matches.list', {})
  if (list.error !== null)
    return (
      <div className="page">
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      </div>
    )
  if (list.data === undefined) return <Loading what="Reading the matches" />
  if (list.data.length === 0)
    return (
      <EmptyState
        page
        icon={Swords}
        title="No match was played yet"
        text="One policy, model or baseline against another on the same held-out prompts, with a judge. Begin from a comparison."
        action={
          <Link className="btn btn-normal" href="/compare">
            Compare runs
          </Link>
        }
      />
    )
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>Matches</h1>
          <p className="text-2">The first player’s win rate, its 95 % interval over prompts.</p>
        </div>
      </header>
      <Panel flush>
        <table className="table" aria-label="Matches">
          <thead>
            <tr>
              <th scope="col">Match</th>
              <th scope="col">Judge</th>
              <th scope="col" className="num">
                Win rate
              </th>
              <th scope="col" className="num">
                At equal length
              </th>
              <th scope="col">Played</th>
            </tr>
          </thead>
          <tbody>
            {list.data.map((one) => (
              <tr key={one.matchId}>
                <td>
                  <Link href={`/matches/${one.matchId}`}>{one.title}</Link>
                </td>
                <td>{one.result?.judge.title ?? '–'}</td>
                <td className="num">
                  {one.result === null ? (
                    one.state
                  ) : one.result.score === null ? (
                    'not judged'
                  ) : (
                    <RateText value={one.result.score.winRate} />
                  )}
                </td>
                <td className="num">
                  {one.result?.score?.lengthControlled == null ? (
                    '–'
                  ) : (
                    <RateText value={one.result.score.lengthControlled} />
                  )}
                </td>
                <td>{one.startedAtMs === null ? '' : <RelativeTime atMs={one.startedAtMs} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </div>
  )
}
