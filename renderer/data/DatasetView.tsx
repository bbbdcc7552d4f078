import { useState, type ReactNode } from 'react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import type { DatasetId } from '../../shared/domain.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Button } from '../parts/Button.tsx'
import { Panel } from '../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount, formatPercent } from '../../shared/units.ts'
import { DatasetActions } from './DatasetActions.tsx'
import { DatasetTitle } from './DatasetTitle.tsx'
import { DatasetWarnings } from './DatasetWarnings.tsx'
import { DatasetSide } from './DatasetSide.tsx'
import { PairBrowser } from './PairBrowser.tsx'
import { RankingView } from './rankings/RankingView.tsx'
import { RowCheck } from './RowCheck.tsx'
import { ROLE_WORDS } from './roles.ts'
import { SegmentBrowser } from './SegmentBrowser.tsx'
import { TextBrowser } from './TextBrowser.tsx'

export function DatasetView({ datasetId }: { readonly datasetId: DatasetId }): ReactNode {
  const { data: detail, error, refetch } = useCall('datasets.get', { datasetId })
  useCrumbs([{ label: 'Data', href: '/data' }, { label: detail?.name ?? '…' }])
  if (error !== null)
    return (
      <div className="pad">
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </div>
    )
  if (detail === undefined) return <Loading what="Reading the data set" />
  if (detail.kind === 'rankings') return <RankingView detail={detail} />
  const words = KIND_WORDS[detail.kind]
  return (
    <div className="with-side">
      <div className="page">
        <header className="page-head">
          <div className="grow">
            <DatasetTitle detail={detail} />
            <p className="text-2">
              <span className="mono">{formatCount(detail.itemCount)}</span> {words.items}
              {detail.kind !== 'response-pairs' && detail.kind !== 'unpaired-responses' ? null : (
                <>
                  , <span className="mono">{formatCount(detail.promptCount)}</span> {words.groups}
                </>
              )}
              {words.labeled ? (
                <>
                  , <span className="mono">{formatCount(detail.labelCount)}</span> labels by{' '}
                  {detail.annotators.length === 0 ? 'nobody yet' : detail.annotators.join(', ')}
                </>
              ) : null}
            </p>
          </div>
          <DatasetActions detail={detail} />
        </header>
        <DatasetWarnings datasetId={datasetId} />
        {detail.kind === 'unpaired-responses' ? (
          <>
            <PairBrowser detail={detail} />
            <div className="two">
              <Split detail={detail} />
              {detail.rejectedRowCount + detail.warningCount > 0 ? <RowCheck detail={detail} /> : null}
            </div>
          </>
        ) : detail.kind === 'segment-pairs' ? (
          <>
            <SegmentBrowser detail={detail} />
            <div className="two">
              <Split detail={detail} />
              {detail.rejectedRowCount + detail.warningCount > 0 ? <RowCheck detail={detail} /> : null}
            </div>
          </>
        ) : detail.kind === 'contrast-groups' ? (
          <>
            <TextBrowser detail={detail} />
            <div className="two">
              <Split detail={detail} />
              {detail.rejectedRowCount + detail.warningCount > 0 ? <RowCheck detail={detail} /> : null}
            </div>
          </>
        ) : (
          <>
            <PairBrowser detail={detail} />
            <div className="two">
              <div className="col gap-4">
                <Columns detail={detail} />
                <Split detail={detail} />
              </div>
              <RowCheck detail={detail} />
            </div>
          </>
        )}
      </div>
      {words.labeled ? <DatasetSide detail={detail} /> : null}
    </div>
  )
}

function Columns({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  return (
    <Panel title="Columns" note={`from ${detail.source}`} flush>
      <table className="table" aria-label="Columns">
        <thead>
          <tr>
            <th scope="col">In the file</th>
            <th scope="col">Read as</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(detail.mapping.columns).map(([column, role]) => (
            <tr key={column}>
              <td className="mono">{column}</td>
              <td className={role === 'metadata' || role === 'ignore' ? 'text-3' : ''}>{ROLE_WORDS[role]}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {detail.mapping.labelWords === '' ? null : (
        <p className="pad small text-2">
          How the labels were read{detail.mapping.labelsSaidBy === 'person' ? ', as somebody said' : ''}:{' '}
          {detail.mapping.labelWords}
          {detail.mapping.flip ? ', with the sides flipped' : ''}.
        </p>
      )}
    </Panel>
  )
}

function Split({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const [seed, setSeed] = useState(String(detail.split.seed))
  const change = useMutate('datasets.setSplit', { invalidate: ['datasets.get', 'datasets.rows', 'datasets.warnings'] })
  const { counts } = detail.split
  const total = Math.max(1, counts.train + counts.validation + counts.test)
  return (
    <Panel
      title="Split"
      note={
        Object.values(detail.mapping.columns).includes('split')
          ? 'as the source gives it'
          : `by ${KIND_WORDS[detail.kind].group}, seeded`
      }
    >
      <dl className="facts">
        <div>
          <dt>Training</dt>
          <dd className="mono">
            {formatCount(counts.train)} <span className="text-3">{formatPercent(counts.train / total)}</span>
          </dd>
        </div>
        <div>
          <dt>Validation</dt>
          <dd className="mono">
            {formatCount(counts.validation)} <span className="text-3">{formatPercent(counts.validation / total)}</span>
          </dd>
        </div>
        <div>
          <dt>Test</dt>
          <dd className="mono">
            {formatCount(counts.test)} <span className="text-3">{formatPercent(counts.test / total)}</span>
          </dd>
        </div>
      </dl>
      <form
        className="row split-form"
        onSubmit={(event) => {
          event.preventDefault()
          change.mutate({
            datasetId: detail.datasetId,
            seed: Number(seed),
            validation: detail.split.validation,
            test: detail.split.test,
          })
        }}
      >
        <label className="small text-2" htmlFor="split-seed">
          Seed
        </label>
        <input
          id="split-seed"
          className="input input-small mono"
          inputMode="numeric"
          pattern="\d+"
          size={6}
          value={seed}
          onChange={(event) => setSeed(event.target.value)}
        />
        <Button
          small
          submit
          disabled={
            change.isPending ||
            (Number(seed) === detail.split.seed && !Object.values(detail.mapping.columns).includes('split')) ||
            !/^\d+$/.test(seed)
          }
        >
          Split again
        </Button>
      </form>
      {change.error === null ? null : <ErrorNotice error={change.error} />}
    </Panel>
  )
}
