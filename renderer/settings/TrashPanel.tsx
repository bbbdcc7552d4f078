import { useState, type ReactNode } from 'react'
import { RotateCcw, Trash2 } from 'lucide-react'
import type { TrashEntryInfo } from '../../shared/contract/trash.ts'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { DataTable, type Column } from '../parts/DataTable.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Panel } from '../parts/Panel.tsx'
import { RelativeTime } from '../parts/RelativeTime.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { showToast } from '../parts/toast.tsx'

const KINDS: Readonly<Record<TrashEntryInfo['kind'], string>> = {
  dataset: 'data set',
  import: 'unfinished import',
  run: 'run',
  model: 'model',
  other: 'not from Pairlab',
}
const RULE =
  'What holds no labels of people is removed 30 days after it was deleted. Everything else stays until you remove it.'
const CHANGED = ['trash.list', 'datasets.list', 'samples.list', 'runs.list', 'models.list', 'system.info'] as const

/** What was deleted: back to its place, or gone for good. */
export function TrashPanel(): ReactNode {
  const { data: entries, error, refetch } = useCall('trash.list', {})
  const [doomed, setDoomed] = useState<readonly TrashEntryInfo[] | null>(null)
  const restore = useMutate('trash.restore', {
    invalidate: CHANGED,
    onSuccess: ({ name }) => showToast(`${name} is back where it was.`),
    onError: (failure) => showToast(`${failure.message} ${failure.hint}`, { tone: 'bad' }),
  })
  const columns: readonly Column<TrashEntryInfo>[] = [
    { id: 'name', title: 'Name', render: (row) => <b className="ellipsis">{row.name}</b> },
    { id: 'kind', title: 'What', render: (row) => KINDS[row.kind] },
    { id: 'size', title: 'Size', number: true, render: (row) => formatBytes(row.sizeBytes) },
    {
      id: 'labels',
      title: 'Label events',
      number: true,
      render: (row) => (row.labelEvents === 0 ? '–' : formatCount(row.labelEvents)),
    },
    {
      id: 'deleted',
      title: 'Deleted',
      render: (row) => (row.deletedAtMs === null ? '–' : <RelativeTime atMs={row.deletedAtMs} />),
    },
    {
      id: 'removed',
      title: 'Removed',
      render: (row) => (
        <span className="text-2">
          {row.removedAtMs === null ? 'only by you' : new Date(row.removedAtMs).toLocaleDateString()}
        </span>
      ),
    },
    {
      id: 'actions',
      title: <span className="hidden-visually">Actions</span>,
      render: (row) => (
        <span className="row gap-1">
          <span className="grow" />
          {row.kind === 'import' || row.kind === 'other' ? null : (
            <Button
              small
              icon={RotateCcw}
              disabled={restore.isPending}
              onClick={() => restore.mutate({ trashId: row.trashId })}
            >
              Restore
            </Button>
          )}
          <Button
            small
            look="quiet"
            icon={Trash2}
            aria-label={`Remove ${row.name} for good`}
            title="Remove it for good"
            onClick={() => setDoomed([row])}
          />
        </span>
      ),
    },
  ]
  return (
    <Panel
      title="Trash"
      note={RULE}
      flush
      actions={
        entries === undefined || entries.length === 0 ? undefined : (
          <Button small look="quiet" icon={Trash2} onClick={() => setDoomed(entries)}>
            Empty
          </Button>
        )
      }
    >
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {entries === undefined ? null : entries.length === 0 ? (
        <p className="panel-body small text-2">Nothing is in the trash.</p>
      ) : (
        <div className="table-scroll">
          <DataTable label="Trash" columns={columns} rows={entries} rowKey={(row) => row.trashId} />
        </div>
      )}
      {doomed === null ? null : <RemoveDialog entries={doomed} onClose={() => setDoomed(null)} />}
    </Panel>
  )
}

function RemoveDialog({
  entries,
  onClose,
}: {
  readonly entries: readonly TrashEntryInfo[]
  onClose(): void
}): ReactNode {
  const labels = entries.reduce((sum, entry) => sum + entry.labelEvents, 0)
  const empty = useMutate('trash.empty', {
    invalidate: CHANGED,
    onSuccess: ({ freedBytes, remains }) => {
      showToast(
        `${formatBytes(freedBytes)} given back.${remains.length === 0 ? '' : ` Texts may still stand in ${remains.length} places: ${remains.join(', ')}`}`,
      )
      onClose()
    },
    onError: (failure) => showToast(`${failure.message} ${failure.hint}`, { tone: 'bad' }),
  })
  const [first] = entries
  return (
    <Dialog
      title={
        entries.length === 1 && first !== undefined
          ? `Remove ${first.name} for good?`
          : `Remove ${formatCount(entries.length)} things for good?`
      }
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Keep</Button>
          <Button
            look="danger"
            disabled={empty.isPending}
            onClick={() => empty.mutate({ trashIds: entries.map((entry) => entry.trashId) })}
          >
            Remove for good
          </Button>
        </>
      }
    >
      <Say tone="warn">
        {labels === 0 ? 'Nobody labeled in it by hand.' : `${formatCount(labels)} label events of people go with it.`}{' '}
        This cannot be undone. Exports, runs and kept copies of the database are not touched.
      </Say>
    </Dialog>
  )
}
