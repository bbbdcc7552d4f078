import { useState, type ReactNode } from 'react'
import { Link } from 'wouter'
import type { Match, MatchBout, MatchResult } from '../../shared/contract/matches.ts'
import { formatCount, formatNumber } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import type { ChartModel } from '../charts/chart-model.ts'
import { LineChart } from '../charts/LineChart.tsx'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'

interface Rate {
  readonly rate: number
  readonly low: number
  readonly high: number
}

/** `0.61 [0.43, 0.77]` */
export function RateText({ value }: { readonly value: Rate }): ReactNode {
  return (
    <span className="mono">
      <b>{value.rate.toFixed(3)}</b>{' '}
      <span className="text-3">
        [{value.low.toFixed(3)}, {value.high.toFixed(3)}]
      </span>
    </span>
  )
}

export function MatchView({ match, result }: { readonly match: Match; readonly result: MatchResult }): ReactNode {
  const { score, labelIn, judge, promptsOf } = result
  return (
    <div className="match-grid">
      <Panel
        title="Win rate of the first"
        note={`${formatCount(promptsOf.used)} of ${formatCount(promptsOf.available)} prompts of ${promptsOf.datasetName}, ${promptsOf.side} side`}
        actions={
          labelIn === null ? undefined : (
            <Link className="btn btn-normal btn-small" href={`/label/${labelIn}`}>
              Label, blind
            </Link>
          )
        }
      >
        {score === null ? (
          <p className="text-2">
            Nobody has judged it yet. The two answers stand side by side there, in an order that is drawn.
          </p>
        ) : (
          <>
            <Shares score={score} />
            <dl className="match-facts">
              <dt>Win rate</dt>
              <dd>
                <RateText value={score.winRate} />
                <span className="small text-3">
                  {' '}
                  95 % interval over {formatCount(score.prompts)} prompts, a tie as one half
                </span>
              </dd>
              <dt>At equal length</dt>
              <dd>
                {score.lengthControlled === null ? (
                  <span className="text-3">not known: one side took all, or their lengths do not differ</span>
                ) : (
                  <>
                    <RateText value={score.lengthControlled} />
                    <span className="small text-3"> what is left of it when both are as long</span>
                  </>
                )}
              </dd>
            </dl>
          </>
        )}
        {result.warnings.map((text) => (
          <Say key={text} tone="warn">
            {text}
          </Say>
        ))}
      </Panel>
      <Panel title="Players" flush>
        <table className="table match-players" aria-label="Players">
          <thead>
            <tr>
              <th scope="col">Player</th>
              <th scope="col" className="num">
                characters
              </th>
              <th scope="col" className="num">
                tokens
              </th>
              <th scope="col" className="num">
                ended
              </th>
              <th scope="col" className="num">
                score
              </th>
            </tr>
          </thead>
          <tbody>
            {result.players.map((one, at) => (
              <tr key={at === 0 ? 'first' : 'second'}>
                <td className="ellipsis" title={one.title}>
                  {one.title}
                </td>
                <td className="num">{formatNumber(one.characters)}</td>
                <td className="num">{formatNumber(one.tokens)}</td>
                <td className="num">{one.ended === null ? '–' : `${Math.round(100 * one.ended)} %`}</td>
                <td className="num">{formatNumber(one.score)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      <Panel title="Judge" note={judge.title}>
        <dl className="match-facts">
          <dt>As people did</dt>
          <dd>
            {judge.agreement === null ? (
              <span className="text-3">
                {labelIn === null ? 'no pair of this side is labeled' : 'people judge here'}
              </span>
            ) : (
              <>
                <RateText value={judge.agreement} />
                <span className="small text-3">
                  {' '}
                  of {formatCount(judge.agreement.pairs)} labeled pairs of the same side
                </span>
              </>
            )}
          </dd>
          {judge.position === null ? null : (
            <>
              <dt>Took the first</dt>
              <dd>
                <b className="mono">{judge.position.first.toFixed(3)}</b>
                <span className="small text-3"> of its decisions; without a bias for a place ½</span>
              </dd>
              <dt>Both orders agreed</dt>
              <dd>
                <b className="mono">{judge.position.consistent.toFixed(3)}</b>
                <span className="small text-3"> of the pairs; the others are ties</span>
              </dd>
            </>
          )}
        </dl>
      </Panel>
      <BestOf result={result} />
      <Bouts match={match} result={result} />
    </div>
  )
}

/** The judge's score of the best of n answers, against how far that policy is from the one that answers. */
function BestOf({ result }: { readonly result: MatchResult }): ReactNode {
  const players = result.players.filter(({ bestOf }) => bestOf.length > 1)
  if (players.length === 0) return null
  const model: ChartModel = {
    title: 'Best of n',
    note: 'score by the judge',
    xTitle: 'n',
    yTitle: 'score',
    xLog: true,
    yLog: false,
    series: players.map((one, at) => ({
      key: `${at} ${one.title}`,
      label: one.title,
      x: one.bestOf.map(({ n }) => n),
      y: one.bestOf.map(({ score }) => score),
      colour: at === 0 ? '--r1' : '--r2',
      dash: at === 0 ? [] : [6, 4],
      width: 2,
      dots: true,
      band: { low: one.bestOf.map(({ low }) => low), high: one.bestOf.map(({ high }) => high) },
    })),
    references: [],
    bandName: '95 % over prompts',
  }
  const last = players[0]!.bestOf.at(-1)! // more than one
  return (
    <Panel
      title="Best of n"
      note={`the judge keeps the answer that it scores highest; at n = ${last.n} that is at most ${last.kl.toFixed(2)} nats of KL from the policy`}
      className="match-best"
    >
      <div className="match-chart">
        <LineChart model={model} tooltip legend />
      </div>
    </Panel>
  )
}

function Shares({ score }: { readonly score: NonNullable<MatchResult['score']> }): ReactNode {
  const parts = [
    { name: 'won', count: score.wins, tone: 'good' },
    { name: 'ties', count: score.ties, tone: 'even' },
    { name: 'lost', count: score.losses, tone: 'bad' },
  ] as const
  return (
    <div className="match-shares">
      <div className="match-bar" aria-hidden="true">
        {parts.map(({ name, count, tone }) => (
          <span key={name} data-tone={tone} style={{ flexGrow: count }} />
        ))}
      </div>
      <div className="row small text-2">
        {parts.map(({ name, count, tone }) => (
          <span key={name} className="row">
            <span className="match-dot" data-tone={tone} aria-hidden="true" />
            <b className="mono">{formatCount(count)}</b> {name}
          </span>
        ))}
      </div>
    </div>
  )
}

const PAGE = 10

function Bouts({ match, result }: { readonly match: Match; readonly result: MatchResult }): ReactNode {
  const [shown, setShown] = useState(PAGE)
  const { data } = useCall(
    'matches.bouts',
    { matchId: match.matchId, limit: Math.min(500, shown) },
    { keepPrevious: true },
  )
  return (
    <Panel
      title="Answers"
      note={data === undefined ? undefined : `${formatCount(data.total)}`}
      className="match-bouts"
      flush
    >
      {data?.total === 0 ? (
        <p className="match-more text-3">
          An answer is shown here once it is judged: who wrote what stays hidden until then.
        </p>
      ) : null}
      {data?.bouts.map((bout, at) => (
        <Bout key={`${at} ${bout.prompt}`} bout={bout} result={result} />
      ))}
      {data === undefined || shown >= Math.min(500, data.total) ? null : (
        <div className="match-more">
          <Button small onClick={() => setShown(shown + 4 * PAGE)}>
            Show more
          </Button>
        </div>
      )}
    </Panel>
  )
}

function Bout({ bout, result }: { readonly bout: MatchBout; readonly result: MatchResult }): ReactNode {
  const won = [bout.outcome === 1, bout.outcome === 0]
  return (
    <article className="match-bout">
      <p className="small text-2 match-prompt">{bout.prompt.trim()}</p>
      <div className="match-answers">
        {bout.answers.map((answer, at) => (
          <section key={at === 0 ? 'first' : 'second'} data-won={won[at]}>
            <div className="row small text-3">
              <span className="grow ellipsis">{result.players[at]!.title}</span>
              {won[at] === true ? <Chip tone="good">better</Chip> : null}
              {bout.outcome === 0.5 && at === 1 ? <Chip>tie</Chip> : null}
              {answer.score === null ? null : <span className="mono">{formatNumber(answer.score)}</span>}
            </div>
            <p className="match-text">
              {answer.text.trim() === '' ? <span className="text-3">empty</span> : answer.text.trim()}
            </p>
          </section>
        ))}
      </div>
    </article>
  )
}
