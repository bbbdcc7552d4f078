import type { ReactNode } from 'react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import { useCall } from '../api/queries.ts'
import { NumberText } from '../parts/NumberText.tsx'
import { Section } from '../parts/Panel.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { formatCount, formatPercent } from '../../shared/units.ts'
import { LengthChart } from './LengthChart.tsx'

/** What the labels say about the data: balance, lengths, annotators, agreement. */
export function DatasetSide({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  return (
    <SidePanel id="dataset" label="About these data" width={380}>
      <Balance detail={detail} />
      <Lengths detail={detail} />
      <Annotators detail={detail} />
      {detail.annotators.length > 1 ? <Agreement detail={detail} /> : null}
    </SidePanel>
  )
}

function Balance({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const { a, b, tie, bothBad, unlabeled } = detail.balance
  const alone = detail.kind === 'unpaired-responses'
  const total = a + b + tie + bothBad + unlabeled
  const parts = [
    { name: alone ? 'good' : 'first better', count: a, tone: 'r1' },
    { name: alone ? 'bad' : 'second better', count: b, tone: 'r2' },
    { name: alone ? 'undecided' : 'tie', count: tie, tone: 'r7' },
    { name: 'both bad', count: bothBad, tone: 'r4' },
    { name: 'not labeled', count: unlabeled, tone: 'none' },
  ].filter((part) => part.count > 0)
  return (
    <Section
      title="Label balance"
      note={`majority of ${detail.annotators.length === 1 ? 'one annotator' : `${detail.annotators.length} annotators`}, n = ${formatCount(total)}`}
    >
      <div className="balance" aria-hidden="true">
        {parts.map((part) => (
          <span key={part.name} data-tone={part.tone} style={{ flexGrow: part.count }} />
        ))}
      </div>
      <ul className="legend">
        {parts.map((part) => (
          <li key={part.name}>
            <i data-tone={part.tone} aria-hidden="true" />
            {part.name} <span className="mono">{formatCount(part.count)}</span>{' '}
            <span className="text-3">{formatPercent(part.count / Math.max(1, total))}</span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Lengths({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const { lengths } = detail
  const { wins, n } = lengths.longerWins
  if (n === 0) return null
  return (
    <Section
      title="Length of answers"
      note={
        <>
          <i className="dash" data-tone="r3" /> chosen <i className="dash" data-tone="r2" /> rejected
        </>
      }
    >
      <LengthChart lengths={lengths} />
      <p className="small text-2">
        Words per answer. Median <span className="mono">{formatCount(lengths.medianChosen)}</span> chosen,{' '}
        <span className="mono">{formatCount(lengths.medianRejected)}</span> rejected. “The longer wins” is right in{' '}
        <b className="mono">{formatPercent(wins / n)}</b> of <span className="mono">{formatCount(n)}</span> decided
        pairs: a method has to beat that.
      </p>
    </Section>
  )
}

function Annotators({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  if (detail.perAnnotator.length === 0) return null
  const alone = detail.kind === 'unpaired-responses'
  return (
    <Section title="Annotators">
      <table className="table plain" aria-label="Annotators">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className="num">
              {alone ? 'Good' : 'First'}
            </th>
            <th scope="col" className="num">
              {alone ? 'Bad' : 'Second'}
            </th>
            {alone ? null : (
              <th scope="col" className="num">
                Tie
              </th>
            )}
            <th scope="col" className="num">
              Majority
            </th>
          </tr>
        </thead>
        <tbody>
          {detail.perAnnotator.map((row) => (
            <tr key={row.annotator}>
              <td>{row.annotator}</td>
              <td className="num">{formatCount(row.a)}</td>
              <td className="num">{formatCount(row.b)}</td>
              {alone ? null : <td className="num">{formatCount(row.tie)}</td>}
              <td className="num" title="How often the answer is the majority's">
                {formatPercent(row.withMajority)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  )
}

const PAIRS_SHOWN = 12

function Agreement({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const { data } = useCall('datasets.agreement', { datasetId: detail.datasetId })
  const alone = detail.kind === 'unpaired-responses'
  if (data === undefined) return null
  return (
    <Section title="Agreement" note="beyond chance, 95 % interval">
      <dl className="facts">
        {data.pairs.slice(0, PAIRS_SHOWN).map((pair) => (
          <div key={`${pair.first} ${pair.second}`}>
            <dt>
              {pair.first} and {pair.second}
            </dt>
            <dd>
              κ <NumberText value={pair.kappa} low={pair.low} high={pair.high} />
            </dd>
          </div>
        ))}
        <div>
          <dt>Krippendorff’s α, all</dt>
          <dd>
            α <NumberText value={data.alpha} low={data.alphaLow} high={data.alphaHigh} />
          </dd>
        </div>
      </dl>
      {data.pairs.length > PAIRS_SHOWN ? (
        <p className="small text-3">
          {PAIRS_SHOWN} of {data.pairs.length} pairs of people shown; pairlab agreement tells all.
        </p>
      ) : null}
      <p className="small text-2">
        All who labeled {alone ? 'an answer' : 'a pair'} agree on{' '}
        <span className="mono">{formatCount(data.allAgree)}</span> of the{' '}
        <span className="mono">{formatCount(data.bothLabeled)}</span> {alone ? 'answers' : 'pairs'} that several people
        labeled.
      </p>
    </Section>
  )
}
