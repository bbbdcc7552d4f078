import { useRef, type ReactNode } from 'react'
import { Link } from 'wouter'
import type { ModelSummary } from '../../shared/contract/models.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { formatModelReference, parseModelReference } from '../../shared/model-reference.ts'
import { MODEL_PRESETS, type ModelPreset } from '../../shared/run-spec.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { whyNotTrainable } from '../models/trainable.ts'
import { changeModel } from './draft-changes.ts'
import { modelFor, setTyped, type ModelDraft } from './draft.ts'
import { countWeights, formatWeights } from './model-size.ts'
import type { TrainForm } from './use-train.ts'
import { Problem, StepHead } from './StepHead.tsx'

const PRESETS = Object.keys(MODEL_PRESETS) as ModelPreset[] // keys of a const object

// Of which checkpoint is chosen apart.
const ofRun = (run: string): string => formatModelReference({ kind: 'run', run, checkpoint: 'last' })
const newModel = (preset: string): string => formatModelReference({ kind: 'new', preset })
const registered = (model: string): string => formatModelReference({ kind: 'model', model })

/** What training begins with. */
export function ModelStep({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft, algorithm } = form
  const choice = useRef<HTMLSelectElement>(null)
  useCommands([
    { id: 'train.model', title: 'Choose the model', group: 'Train', keys: ['m'], run: () => choice.current?.focus() },
  ])
  const model = modelFor(algorithm, draft.model)
  const runs = useCall('runs.list', {}).data ?? []
  const starts = runs.filter((run) => run.state === 'finished' && run.method !== 'reward-model')
  const change = (next: Partial<ModelDraft>): void =>
    form.change(changeModel(draft, { ...model, pretrained: false, ...next }, algorithm))
  const models = useCall('models.list', {}).data ?? []
  const encodes = algorithm.models.includes('text-encoder')
  const withNetworks = algorithm.models.includes('networks')
  const onChoose = (value: string): void => {
    const named = parseModelReference(value)
    if (named?.kind === 'networks') change({ kind: 'networks' })
    else if (named?.kind === 'new') change({ kind: 'new', preset: named.preset as ModelPreset }) // one of those offered
    else if (named?.kind === 'run')
      change({
        kind: 'run',
        runId: named.run,
        pretrained: runs.find((run) => run.runId === named.run)?.pretrained === true,
      })
    else if (named?.kind === 'model')
      change({
        kind: 'registered',
        modelId: named.model,
        pretrained: models.find((one) => one.modelId === named.model)?.originRunId === null,
      })
  }
  const chosen =
    model.kind === 'networks'
      ? 'networks'
      : model.kind === 'new'
        ? newModel(model.preset)
        : model.kind === 'run'
          ? ofRun(model.runId)
          : registered(model.modelId)
  const problem = form.problems['model']
  if (algorithm.models.every((use) => use === 'networks')) {
    return (
      <section className="train-step" data-invalid={problem !== undefined}>
        <StepHead no={3} title="Model" />
        <Problem text={problem} />
        <p className="small text-2">
          {algorithm.learns
            ? 'Networks of the method’s own, drawn anew from each seed. Their sizes are among its settings.'
            : 'None: nothing is trained, and the seed decides nothing.'}
        </p>
      </section>
    )
  }
  return (
    <section className="train-step" data-invalid={problem !== undefined}>
      <StepHead no={3} title="Model" forId="train-model" keys="m" />
      <select
        ref={choice}
        id="train-model"
        className="select step-select"
        value={chosen}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        <optgroup label="New, from random weights">
          {withNetworks ? <option value="networks">A small network on features</option> : null}
          {PRESETS.map((preset) => (
            <option key={preset} value={newModel(preset)}>
              New {preset}, {MODEL_PRESETS[preset].layers} layers of {MODEL_PRESETS[preset].hidden}
            </option>
          ))}
        </optgroup>
        <optgroup label="Start from a finished run">
          {starts.length === 0 ? (
            <option disabled value="none">
              no finished run yet
            </option>
          ) : null}
          {starts.map((run) => (
            <option key={run.runId} value={ofRun(run.runId)}>
              {run.name}, seed {run.seed} ({run.methodName})
            </option>
          ))}
          {model.kind === 'run' && !starts.some((run) => run.runId === model.runId) ? (
            <option value={ofRun(model.runId)}>{model.runId === '' ? 'choose a run' : model.runId}</option>
          ) : null}
        </optgroup>
        <optgroup label="Start from a model">
          {models.length === 0 ? (
            <option disabled value="none">
              none was added: see Models
            </option>
          ) : null}
          {models.map((one) => {
            const reason = whyNotTrainable(one, encodes)
            return (
              <option key={one.modelId} value={registered(one.modelId)} disabled={reason !== null}>
                {one.name}, {one.family}, {formatWeights(one.parameterCount)}
                {reason === null ? '' : ` (${reason})`}
              </option>
            )
          })}
          {model.kind === 'registered' && !models.some((one) => one.modelId === model.modelId) ? (
            <option value={registered(model.modelId)}>{model.modelId}</option>
          ) : null}
        </optgroup>
      </select>
      <Problem text={problem} />
      {model.kind === 'networks' ? (
        <p className="small text-2">
          It scores the features of a file, or how well texts match: BM25, latent semantic analysis, feedback.
        </p>
      ) : model.kind === 'new' ? (
        <NewModel model={model} needsReference={form.algorithm.needsReference} />
      ) : model.kind === 'registered' ? (
        <RegisteredModel form={form} model={models.find((one) => one.modelId === model.modelId)} />
      ) : (
        <StartModel run={starts.find((run) => run.runId === model.runId)} model={model} onChange={change} />
      )}
    </section>
  )
}

function NewModel({
  model,
  needsReference,
}: {
  readonly model: ModelDraft
  readonly needsReference: boolean
}): ReactNode {
  const vocabulary = model.tokenizer === 'byte' ? 259 : Number(model.vocabSize) || 0
  return (
    <p className="small text-2">
      About <span className="mono">{formatWeights(countWeights(model.preset, vocabulary, model.tied))}</span> weights,{' '}
      {model.tokenizer === 'bpe' ? `BPE of ${model.vocabSize} tokens` : 'byte tokenizer'}.
      {needsReference ? ' Its random weights are also the reference; start from an SFT run for one that writes.' : ''}
    </p>
  )
}

function RegisteredModel({
  form,
  model,
}: {
  readonly form: TrainForm
  readonly model: ModelSummary | undefined
}): ReactNode {
  const { draft } = form
  if (model === undefined) return <p className="small text-2">It is not among the models any more.</p>
  const adapts = form.request.training?.adapt === 'lora'
  return (
    <p className="small text-2">
      {formatWeights(model.parameterCount)} weights as <span className="mono">{model.dtype}</span>
      {form.algorithm.data === 'rankings' ? '.' : ', also the reference.'}{' '}
      {adapts ? (
        'Adapters train beside them. '
      ) : (
        <>
          <button
            type="button"
            className="link-button"
            onClick={() => form.change(setTyped(draft, 'training.adapt', 'lora'))}
          >
            Train LoRA adapters
          </button>{' '}
          to train a few per cent as many numbers beside them.{' '}
        </>
      )}
      <Link href={`/models/${model.modelId}`}>Look at it</Link>
    </p>
  )
}

function StartModel({
  run,
  model,
  onChange,
}: {
  readonly run: RunSummary | undefined
  readonly model: ModelDraft
  onChange(next: Partial<ModelDraft>): void
}): ReactNode {
  return (
    <p className="small text-2">
      <label>
        Weights of the{' '}
        <select
          className="select select-small"
          value={model.checkpoint}
          onChange={(event) => onChange({ checkpoint: event.currentTarget.value === 'best' ? 'best' : 'last' })}
        >
          <option value="last">last</option>
          <option value="best">best</option>
        </select>{' '}
        checkpoint
      </label>
      , also the reference. {run === undefined ? null : <Link href={`/runs/${run.runId}`}>Look at it</Link>}
    </p>
  )
}
