import { useState, type ReactNode } from 'react'
import type { DatasetDetail } from '../../../shared/contract/datasets.ts'
import type { JudgedOrder } from '../../../shared/contract/rankings.ts'
import type { RunId } from '../../../shared/domain.ts'
import { formatCount, formatNumber } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { useViewState } from '../../api/settings.ts'
import { Button } from '../../parts/Button.tsx'
import { Chip } from '../../parts/Chip.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { CollectionWait } from './CollectionWait.tsx'
import { JudgedList } from './JudgedList.tsx'
import { OrderList } from './OrderList.tsx'

/** Up to here words are counted without being asked for: a second or two. */
const COUNTED_AT_ONCE = 50_000
const ROWS = 20
const MORE_ROWS = 100

/** A query: what was judged for it, how BM25 orders the collection, and how a run does. */
export function QueryView({
  detail,
  index,
  documents,
}: {
  readonly detail: DatasetDetail
  readonly index: number
  /** Null until they were counted. */
  readonly documents: number | null
}): ReactNode {
  const { datasetId } = detail
  const query = useCall('rankings.query', { datasetId, index }, { keepPrevious: true })
  const rankers = useCall('rankings.rankers', { datasetId }).data ?? []
  const [ranker, setRanker] = useViewState<string>(`data.ranker.${datasetId}`, '')
  const runId = rankers.find((one) => one.runId === ranker)?.runId ?? null
  const [asked, setAsked] = useState(false)
  const [limit, setLimit] = useState(ROWS)
  const [open, setOpen] = useState<string | null>(null)
  const counts = documents !== null && documents > 0 && (asked || documents <= COUNTED_AT_ONCE)
  const orders = useCall(
    'rankings.orders',
    { datasetId, index, bm25: counts, runId, limit },
    { enabled: documents !== null && (counts || runId !== null), keepPrevious: true },
  )
  if (query.error !== null) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  const { data } = query
  if (data === undefined) return <Loading what="Reading the query" />
  const fresh = orders.isPlaceholderData ? undefined : orders.data
  const toggle = (docId: string): void => setOpen(open === docId ? null : docId)
  const shared = { datasetId, open, onOpen: toggle, features: data.features }
  const cancelled = orders.error?.code === 'cancelled'
  return (
    <div className="col gap-4">
      <Panel
        title={
          <>
            Query <span className="mono">{data.queryId}</span>
          </>
        }
        actions={<Chip>{data.split}</Chip>}
      >
        <p className="content-text query-text">
          {data.text === '' ? 'Its documents are features; it has no text.' : data.text}
        </p>
      </Panel>
      {orders.error === null || cancelled ? null : (
        <ErrorNotice error={orders.error} onRetry={() => void orders.refetch()} />
      )}
      <div className="orders">
        <JudgedList
          key={index}
          {...shared}
          judgments={data.judgments}
          bm25={fresh?.bm25 ?? null}
          run={fresh?.run ?? null}
        />
        {data.features ? null : (
          <Panel title="BM25" note={<Measure order={fresh?.bm25 ?? null} />} flush>
            {orders.isFetching && counts ? (
              <CollectionWait datasetId={datasetId} what="Ordering the collection" />
            ) : null}
            {counts && !cancelled ? (
              fresh?.bm25 == null ? null : (
                <OrderList {...shared} order={fresh.bm25} other={fresh.run === null ? null : 'run'} mine={false} />
              )
            ) : documents === null ? (
              <CollectionWait datasetId={datasetId} what="Finding the documents" />
            ) : (
              <div className="pad col gap-3">
                <p className="text-2">
                  {cancelled
                    ? 'Counting the words was cancelled.'
                    : `To order ${formatCount(documents)} documents, the words of all of them are counted once. It can be cancelled.`}
                </p>
                <div className="row">
                  <Button
                    onClick={() => {
                      if (asked || cancelled) void orders.refetch()
                      setAsked(true)
                    }}
                  >
                    Order the collection
                  </Button>
                </div>
              </div>
            )}
          </Panel>
        )}
        <Panel title="Ranker" note={<Measure order={fresh?.run ?? null} />} flush>
          {rankers.length === 0 ? null : (
            <div className="list-tools">
              <select
                className="select select-small grow"
                aria-label="Which run’s order"
                value={runId ?? ''}
                onChange={(event) => setRanker(event.target.value)}
              >
                <option value="">choose a run</option>
                {rankers.map((one) => (
                  <option key={one.runId} value={one.runId}>
                    {one.name} s{one.seed}
                  </option>
                ))}
              </select>
            </div>
          )}
          <RankerOrder
            {...shared}
            runId={runId}
            split={data.split}
            any={rankers.length > 0}
            trainHref={`#/train?data=${datasetId}`}
            order={fresh?.run}
            weights={fresh?.weights ?? null}
            compared={fresh?.bm25 != null}
          />
        </Panel>
      </div>
      {limit < MORE_ROWS && fresh !== undefined && (fresh.bm25 ?? fresh.run) !== null ? (
        <div className="row">
          <Button small onClick={() => setLimit(MORE_ROWS)}>
            Show {MORE_ROWS} places
          </Button>
        </div>
      ) : null}
    </div>
  )
}

function Measure({ order }: { readonly order: JudgedOrder | null }): ReactNode {
  if (order === null) return null
  return order.ndcg10 === null ? (
    'no relevant document'
  ) : (
    <>
      nDCG@10 <span className="mono">{formatNumber(order.ndcg10)}</span>
    </>
  )
}

function RankerOrder({
  runId,
  split,
  any,
  trainHref,
  order,
  weights,
  compared,
  ...shared
}: {
  readonly datasetId: DatasetDetail['datasetId']
  readonly open: string | null
  readonly features: boolean
  onOpen(docId: string): void
  readonly runId: RunId | null
  readonly split: string
  readonly any: boolean
  readonly trainHref: string
  /** Undefined while it is read. */
  readonly order: JudgedOrder | null | undefined
  readonly weights: 'best' | 'last' | null
  readonly compared: boolean
}): ReactNode {
  if (!any)
    return (
      <p className="pad text-2">
        No run on these data has ranked its held-out queries yet. <a href={trainHref}>Train a ranker</a>, and its order
        stands here beside BM25’s.
      </p>
    )
  if (runId === null) return <p className="pad text-2">Choose a run, and its order stands beside BM25’s.</p>
  if (order === undefined) return <Loading what="Reading the order" />
  if (order === null)
    return (
      <p className="pad text-2">
        {split === 'train'
          ? 'Runs keep their order of the held-out queries; this one is to train on. Choose a query of the validation or test side.'
          : 'This run did not rank this query: it split the data another way, or ended before it was measured.'}
      </p>
    )
  return (
    <>
      <p className="small text-3 order-note">
        {formatCount(order.total)} candidates,{' '}
        {weights === 'best' ? 'under the checkpoint that validation chose' : 'under its last weights'}
      </p>
      <OrderList {...shared} order={order} other={compared ? 'BM25' : null} mine />
    </>
  )
}
