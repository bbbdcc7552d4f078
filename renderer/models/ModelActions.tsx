import { useState, type ReactNode } from 'react'
import { Copy, Ellipsis, MessageSquareText, Pencil, ShieldCheck, SlidersHorizontal, Trash2 } from 'lucide-react'
import type { ModelDetail } from '../../shared/contract/models.ts'
import { formatBytes } from '../../shared/units.ts'
import { useMutate } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { goTo, useGoOn } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Field } from '../parts/Field.tsx'
import { MenuButton, type MenuItem } from '../parts/MenuButton.tsx'
import { Say } from '../parts/Say.tsx'
import { showToast } from '../parts/toast.tsx'
import { copyText } from '../run/copy-text.ts'
import { whyNotTrainable } from './trainable.ts'

export function ModelActions({ model }: { readonly model: ModelDetail }): ReactNode {
  const [open, setOpen] = useState<'rename' | 'remove' | null>(null)
  const { modelId } = model
  const verify = useMutate('models.verify', {
    invalidate: ['models.get', 'models.list'],
    onSuccess: ({ ok }) =>
      showToast(
        ok ? 'The files are those that were added.' : 'The files are not those that were added.',
        ok ? {} : { tone: 'bad' },
      ),
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  const reason = whyNotTrainable(model)
  const train = (): void => goTo(`/train?model=${modelId}`)
  const play = (): void => goTo(`/playground?left=model:${modelId}`)
  const check = (): void => verify.mutate({ modelId })
  useCommands([
    {
      id: 'model.train',
      title: 'Train from this model',
      group: 'Models',
      keys: ['t'],
      disabled: reason !== null,
      run: train,
    },
    {
      id: 'model.playground',
      title: 'Open this model in the Playground',
      group: 'Models',
      keys: ['p'],
      disabled: reason !== null,
      run: play,
    },
    { id: 'model.verify', title: 'Verify this model’s files', group: 'Models', keys: ['v'], run: check },
    { id: 'model.rename', title: 'Rename this model', group: 'Models', keys: ['n'], run: () => setOpen('rename') },
    { id: 'model.remove', title: 'Remove this model', group: 'Models', run: () => setOpen('remove') },
  ])
  const menu: MenuItem[] = [
    { id: 'rename', title: 'Rename …', icon: Pencil, run: () => setOpen('rename') },
    { id: 'hash', title: 'Copy the hash', icon: Copy, run: () => copyText(model.hash, 'The hash is copied.') },
    { id: 'remove', title: 'Remove …', icon: Trash2, danger: true, run: () => setOpen('remove') },
  ]
  return (
    <div className="row wrap">
      <Button
        icon={ShieldCheck}
        keys="v"
        disabled={verify.isPending}
        title="Read every byte and compare with what was added"
        onClick={check}
      >
        {verify.isPending ? 'Reading …' : 'Verify'}
      </Button>
      <Button icon={MessageSquareText} keys="p" disabled={reason !== null} title={reason ?? undefined} onClick={play}>
        Open in Playground
      </Button>
      <Button
        look="primary"
        icon={SlidersHorizontal}
        keys="t"
        disabled={reason !== null}
        title={reason ?? undefined}
        onClick={train}
      >
        Train from this
      </Button>
      <MenuButton label="More actions" icon={Ellipsis} items={menu} />
      {open === 'rename' ? <RenameDialog model={model} onClose={() => setOpen(null)} /> : null}
      {open === 'remove' ? <RemoveDialog model={model} onClose={() => setOpen(null)} /> : null}
    </div>
  )
}

interface DialogProps {
  readonly model: ModelDetail
  onClose(): void
}

function RenameDialog({ model, onClose }: DialogProps): ReactNode {
  const [name, setName] = useState(model.name)
  const rename = useMutate('models.rename', { invalidate: ['models.get', 'models.list'], onSuccess: onClose })
  return (
    <Dialog title={`Rename ${model.name}`} onClose={onClose}>
      <form
        className="col gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          rename.mutate({ modelId: model.modelId, name })
        }}
      >
        <Field
          name="Name"
          problem={rename.error === null ? undefined : `${rename.error.message} ${rename.error.hint}`}
          render={(control) => (
            <input
              {...control}
              className="input"
              maxLength={80}
              value={name}
              autoComplete="off"
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
        />
        <div className="row">
          <span className="grow" />
          <Button onClick={onClose}>Keep it</Button>
          <Button submit look="primary" disabled={name.trim() === '' || rename.isPending}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function RemoveDialog({ model, onClose }: DialogProps): ReactNode {
  const goOn = useGoOn()
  const remove = useMutate('models.delete', {
    invalidate: ['models.list'],
    onSuccess() {
      showToast(`${model.name} is removed.`)
      goOn('/models')
    },
    onError: (error) => showToast(`${error.message} ${error.hint}`, { tone: 'bad' }),
  })
  return (
    <Dialog
      title={`Remove ${model.name}?`}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate({ modelId: model.modelId })}>
            {model.place === 'link' ? 'Forget the link' : 'Move to the trash'}
          </Button>
        </>
      }
    >
      <div className="col">
        <p>
          {model.place === 'link' ? (
            <>
              Only the link is forgotten. The files in <span className="mono">{model.path}</span> stay as they are.
            </>
          ) : (
            <>
              Its files, <span className="mono">{formatBytes(model.sizeBytes)}</span>, move to the trash, and can be
              restored from there: Settings, Trash.
            </>
          )}
        </p>
        {model.runs.length === 0 ? null : (
          <Say tone="warn">
            {model.runs.length} {model.runs.length === 1 ? 'run' : 'runs'} started from it. Adapters are saved without
            the model they stand beside: such runs can be resumed and exported only while its files are there.
          </Say>
        )}
      </div>
    </Dialog>
  )
}
