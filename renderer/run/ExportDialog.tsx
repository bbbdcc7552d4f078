import { useState, type ReactNode } from 'react'
import { FolderOpen } from 'lucide-react'
import type { ExportForm, RunDetail } from '../../shared/contract/runs.ts'
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

const CONTENTS: Readonly<Record<ExportForm, string>> = {
  model:
    'safetensors (float32), config.json, tokenizer files, generation_config.json and a model card with the run’s lineage, as the transformers library reads them.',
  embedder:
    'safetensors (float32), tokenizer files, pooling and what follows it, and a model card with the run’s lineage, as the sentence-transformers library reads them.',
  adapters:
    'adapter_config.json and adapter_model.safetensors as the PEFT library reads them, and a model card. They need the model they were trained beside.',
  'gguf-q8_0':
    'one file with everything that llama.cpp, LM Studio and Ollama need, chat template included, and a model card. Eight bits a weight: a quarter of the size, answers hardly change.',
  'gguf-f16':
    'one file with everything that llama.cpp, LM Studio and Ollama need, chat template included, and a model card. Sixteen bits a weight: what to make smaller files from.',
}

function titleOf(form: ExportForm, run: RunDetail): string {
  if (form === 'gguf-q8_0') return 'a GGUF file, Q8_0'
  if (form === 'gguf-f16') return 'a GGUF file, F16'
  if (form === 'embedder') return 'an embedder'
  if (form === 'adapters') return 'the adapters alone'
  return run.spec.training.adapt === 'lora' ? 'the whole model, adapters merged' : 'the whole model'
}

/** Writes a checkpoint as a folder that other programs open. */
export function ExportDialog({ run, onClose }: { readonly run: RunDetail; onClose(): void }): ReactNode {
  const [checkpoint, setCheckpoint] = useState<Which>('last')
  const [form, setForm] = useState<ExportForm>(run.exportForms[0] ?? 'model')
  const [path, setPath] = useState('')
  const save = useMutate('runs.export')
  const hasBest = run.checkpoints.some((one) => one.best)
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
        <fieldset className="col">
          <legend className="field-name">What is written</legend>
          {run.exportForms.map((value) => (
            <label key={value} className="check">
              <input type="radio" name="form" checked={form === value} onChange={() => setForm(value)} />
              <span>{titleOf(value, run)}</span>
            </label>
          ))}
        </fieldset>
        <p className="small text-2">{CONTENTS[form]}</p>
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
