import { useState, type ReactNode } from 'react'
import { Columns2, Share, SlidersHorizontal, Trash2 } from 'lucide-react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import { useMutate } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Say } from '../parts/Say.tsx'
import { showToast } from '../parts/toast.tsx'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { formatCount } from '../../shared/units.ts'

const EXPORTS = [
  [
    'preferences',
    'Preferences',
    'prompt, chosen, rejected as TRL reads them, with the soft preference, strength and number of labels beside',
  ],
  [
    'pairs-with-labels',
    'Pairs with labels',
    'both answers in file order, every label in force and the notes; can be imported again',
  ],
  [
    'label-events',
    'Label events',
    'the whole log: every answer, note, undo and redo with its time, order and annotator',
  ],
] as const

const UNPAIRED_EXPORTS = [
  [
    'preferences',
    'Unpaired preferences',
    'prompt, completion, label as TRL reads them, with the share and number of labels beside; only answers that were judged',
  ],
  [
    'pairs-with-labels',
    'Answers with labels',
    'every answer, what each person says of it and the notes; can be imported again',
  ],
  ['label-events', 'Label events', 'the whole log: every answer, undo and redo with its time, order and annotator'],
] as const

export function DatasetActions({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const [open, setOpen] = useState<'export' | 'delete' | null>(null)
  const { datasetId } = detail
  // What two sides have, people can compare; an answer that stands alone they can judge.
  const labeled = KIND_WORDS[detail.kind].labeled
  const label = (): void => goTo(`/label/${datasetId}`)
  const train = (): void => goTo(`/train?data=${datasetId}`)
  useCommands([
    { id: 'data.label', title: 'Label these data', group: 'Data', keys: ['l'], disabled: !labeled, run: label },
    { id: 'data.train', title: 'Train on these data', group: 'Data', keys: ['t'], run: train },
    {
      id: 'data.export',
      title: 'Export these data',
      group: 'Data',
      keys: ['x'],
      disabled: !labeled,
      run: () => setOpen('export'),
    },
  ])
  return (
    <div className="row">
      <Button look="quiet" icon={Trash2} aria-label="Delete the data set" onClick={() => setOpen('delete')} />
      {labeled ? (
        <Button icon={Share} keys="x" onClick={() => setOpen('export')}>
          Export
        </Button>
      ) : null}
      {labeled ? (
        <Button icon={Columns2} keys="l" onClick={label}>
          Label
        </Button>
      ) : null}
      <Button look="primary" icon={SlidersHorizontal} keys="t" onClick={train}>
        Train on this
      </Button>
      {open !== 'export' ? null : detail.kind === 'segment-pairs' ? (
        <SegmentExportDialog detail={detail} onClose={() => setOpen(null)} />
      ) : (
        <ExportDialog detail={detail} onClose={() => setOpen(null)} />
      )}
      {open === 'delete' ? <DeleteDialog detail={detail} onClose={() => setOpen(null)} /> : null}
    </div>
  )
}

function ExportDialog({ detail, onClose }: { readonly detail: DatasetDetail; onClose(): void }): ReactNode {
  const save = useMutate('datasets.export', {
    onSuccess: (done) => {
      showToast(`${formatCount(done.rows)} rows written to ${done.path}`, {
        action: { title: 'Copy path', run: () => void navigator.clipboard.writeText(done.path) },
      })
      onClose()
    },
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  return (
    <Dialog title={`Export ${detail.name}`} onClose={onClose}>
      <div className="col gap-3">
        {(detail.kind === 'unpaired-responses' ? UNPAIRED_EXPORTS : EXPORTS).map(([format, name, text]) => (
          <div key={format} className="row gap-3">
            <span className="grow">
              <b>{name}</b>
              <br />
              <span className="small text-2">{text}</span>
            </span>
            <Button disabled={save.isPending} onClick={() => save.mutate({ datasetId: detail.datasetId, format })}>
              Save JSONL
            </Button>
          </div>
        ))}
      </div>
    </Dialog>
  )
}

const SEGMENT_EXPORTS = [
  ['segments-jsonl', 'Segments', 'everything, with qpos and who is preferred; can be imported again', 'Save JSONL'],
  [
    'cpl-npz',
    'CPL’s arrays',
    'as the official code reads them: scores where every segment has one, else labels',
    'Save npz',
  ],
] as const

function SegmentExportDialog({ detail, onClose }: { readonly detail: DatasetDetail; onClose(): void }): ReactNode {
  const save = useMutate('segments.export', {
    onSuccess: (done) => {
      showToast(`${formatCount(done.rows)} pairs written to ${done.path}`, {
        action: { title: 'Copy path', run: () => void navigator.clipboard.writeText(done.path) },
      })
      onClose()
    },
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  const saveEvents = useMutate('datasets.export', {
    onSuccess: (done) => {
      showToast(`${formatCount(done.rows)} events written to ${done.path}`, {
        action: { title: 'Copy path', run: () => void navigator.clipboard.writeText(done.path) },
      })
      onClose()
    },
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  const [, name, text] = EXPORTS[2]
  return (
    <Dialog title={`Export ${detail.name}`} onClose={onClose}>
      <div className="col gap-3">
        {SEGMENT_EXPORTS.map(([format, name, text, action]) => (
          <div key={format} className="row gap-3">
            <span className="grow">
              <b>{name}</b>
              <br />
              <span className="small text-2">{text}</span>
            </span>
            <Button disabled={save.isPending} onClick={() => save.mutate({ datasetId: detail.datasetId, format })}>
              {action}
            </Button>
          </div>
        ))}
        <div className="row gap-3">
          <span className="grow">
            <b>{name}</b>
            <br />
            <span className="small text-2">{text}</span>
          </span>
          <Button
            disabled={saveEvents.isPending}
            onClick={() => saveEvents.mutate({ datasetId: detail.datasetId, format: 'label-events' })}
          >
            Save JSONL
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

function DeleteDialog({ detail, onClose }: { readonly detail: DatasetDetail; onClose(): void }): ReactNode {
  const remove = useMutate('datasets.delete', {
    invalidate: ['datasets.list', 'samples.list'],
    onSuccess: () => {
      onClose()
      goTo('/data')
    },
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  return (
    <Dialog
      title={`Delete ${detail.name}?`}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button
            look="danger"
            disabled={remove.isPending}
            onClick={() => remove.mutate({ datasetId: detail.datasetId })}
          >
            Move to the trash
          </Button>
        </>
      }
    >
      <Say tone="warn">
        Its {formatCount(detail.itemCount)} {KIND_WORDS[detail.kind].items} and {formatCount(detail.labelCount)} labels
        move to the trash, and can be restored from there: Settings, Trash. Runs that used it keep their own copy of
        what they read.
      </Say>
    </Dialog>
  )
}
