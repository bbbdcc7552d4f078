import { useState, type ReactNode } from 'react'
import { FolderOpen } from 'lucide-react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { canChooseFolder, chooseFolder } from '../api/client.ts'
import { useMutate } from '../api/queries.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Field } from '../parts/Field.tsx'
import { Say } from '../parts/Say.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { copyText } from './copy-text.ts'

type Which = 'best' | 'last'
type Form = 'model' | 'adapters'

/** Writes a checkpoint as a folder that other programs open. */
export function ExportDialog({ run, onClose }: { readonly run: RunDetail; onClose(): void }): ReactNode {
  const [checkpoint, setCheckpoint] = useState<Which>('last')
  const [form, setForm] = useState<Form>('model')
  const [path, setPath] = useState('')
  const save = useMutate('runs.export')
  const hasBest = run.checkpoints.some((one) => one.best)
  const hasAdapters = run.spec.training.adapt === 'lora'
  const choose = (): void =>
    void chooseFolder('Where the new folder is made').then((chosen) =>
      chosen === null ? undefined : setPath(`${chosen.replace(/[/\\]$/, '')}/${run.runId}`),
    )
  if (save.data !== undefined) {
    const done = save.data
    return (
      <Dialog
        title="The model is exported"
        onClose={onClose}
        foot={
          <>
            <Button onClick={() => copyText(done.path, 'The path is copied.')}>Copy the path</Button>
            <Button look="primary" onClick={onClose}>
              Close
            </Button>
          </>
        }
      >
        <div className="col">
          <Say tone="good">
            Step <span className="mono">{done.step}</span> is in <span className="mono">{done.path}</span>.
          </Say>
          <ul className="plain-list small mono text-2">
            {done.files.map((file) => (
              <li key={file}>{file}</li>
            ))}
          </ul>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog title={`Export ${run.name}, seed ${run.seed}`} width={560} onClose={onClose}>
      <form
        className="col gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate({ runId: run.runId, checkpoint, form, path: path.trim() })
        }}
      >
        <Segmented<Which>
          title="Checkpoint"
          showTitle
          value={checkpoint}
          choices={[
            { value: 'last', label: `last, step ${run.checkpoints.at(-1)?.step ?? '–'}` },
            {
              value: 'best',
              label: hasBest ? `best, step ${run.checkpoints.find((one) => one.best)?.step}` : 'best',
              disabled: !hasBest,
            },
          ]}
          onChange={setCheckpoint}
        />
        <Segmented<Form>
          title="What is written"
          showTitle
          value={form}
          choices={[
            { value: 'model', label: hasAdapters ? 'the whole model, adapters merged' : 'the whole model' },
            { value: 'adapters', label: 'the adapters alone', disabled: !hasAdapters },
          ]}
          onChange={setForm}
        />
        <p className="small text-2">
          {form === 'model'
            ? 'safetensors (float32), config.json, tokenizer files, generation_config.json and a model card with the run’s lineage, as the transformers library reads them.'
            : 'adapter_config.json and adapter_model.safetensors as the PEFT library reads them, and a model card. They need the model they were trained beside.'}
        </p>
        <Field
          name="New folder"
          help="Its whole path. It must not exist yet, or be empty."
          render={(control) => (
            <span className="row">
              <input
                {...control}
                className="input mono grow"
                value={path}
                spellCheck={false}
                autoComplete="off"
                placeholder={`/home/me/models/${run.runId}`}
                onChange={(event) => setPath(event.currentTarget.value)}
              />
              {canChooseFolder() ? (
                <Button icon={FolderOpen} onClick={choose}>
                  Choose
                </Button>
              ) : null}
            </span>
          )}
        />
        {save.error === null ? null : <ErrorNotice error={save.error} />}
        <div className="row">
          <span className="grow" />
          <Button onClick={onClose}>Cancel</Button>
          <Button submit look="primary" disabled={path.trim() === '' || save.isPending}>
            {save.isPending ? 'Writing …' : 'Export'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
