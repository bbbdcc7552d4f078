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
const ofSeeds = (run: string): string => `seeds-${ofRun(run)}`
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
  const families = seedFamilies(starts)
  const familyOf = (runId: string): readonly RunSummary[] | undefined =>
    families.find((family) => family.some((run) => run.runId === runId))
  const change = (next: Partial<ModelDraft>): void =>
    form.change(changeModel(draft, { ...model, pretrained: false, ...next }, algorithm))
  const models = useCall('models.list', {}).data ?? []
  const encodes = algorithm.models.includes('text-encoder')
  const withNetworks = algorithm.models.includes('networks')
  const onChoose = (value: string): void => {
    const bySeed = value.startsWith('seeds-')
    const named = parseModelReference(bySeed ? value.slice('seeds-'.length) : value)
    if (named?.kind === 'networks') change({ kind: 'networks' })
    else if (named?.kind === 'new') change({ kind: 'new', preset: named.preset as ModelPreset }) // one of those offered
    else if (named?.kind === 'run')
      change({
        kind: 'run',
        runId: named.run,
        bySeed,
        // A step of one run need not be one of another.
        checkpoint: typeof model.checkpoint === 'number' ? 'last' : model.checkpoint,
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
          ? model.bySeed
            ? ofSeeds(familyOf(model.runId)?.[0]?.runId ?? model.runId)
            : ofRun(model.runId)
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
          {model.kind === 'run' && !model.bySeed && !starts.some((run) => run.runId === model.runId) ? (
            <option value={ofRun(model.runId)}>{model.runId === '' ? 'choose a run' : model.runId}</option>
          ) : null}
        </optgroup>
        <optgroup label="Start from runs, seed by seed">
          {families.length === 0 ? (
            <option disabled value="none-by-seed">
              no configuration has finished runs of several seeds yet
            </option>
          ) : null}
          {families.map((family) => (
            <option key={family[0]?.runId} value={ofSeeds(family[0]?.runId ?? '')}>
              the runs of {nameOfFamily(family)}, seed by seed
            </option>
          ))}
          {model.kind === 'run' && model.bySeed && familyOf(model.runId) === undefined ? (
            <option value={ofSeeds(model.runId)}>the runs of {model.runId}, seed by seed</option>
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
        <StartModel
          run={starts.find((run) => run.runId === model.runId)}
          family={model.bySeed ? (familyOf(model.runId) ?? []) : []}
          model={model}
          onChange={change}
        />
      )}
    </section>
  )
}

/** Finished runs that differ only in their seeds, at least two seeds, one run a seed: the newest. Newest families first. */
function seedFamilies(runs: readonly RunSummary[]): RunSummary[][] {
  const groups = Map.groupBy(runs, (run) => run.groupHash)
  return [...groups.values()].flatMap((group) => {
    const bySeed = new Map(group.toSorted((x, y) => x.createdAtMs - y.createdAtMs).map((run) => [run.seed, run]))
    return bySeed.size < 2 ? [] : [[...bySeed.values()].toSorted((x, y) => x.seed - y.seed)]
  })
}

function nameOfFamily(family: readonly RunSummary[]): string {
  return `${family[0]?.name ?? ''} (${family[0]?.methodName ?? ''}), seeds ${family.map((run) => run.seed).join(', ')}`
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
  family,
  model,
  onChange,
}: {
  readonly run: RunSummary | undefined
  /** Where each seed starts from its own. */
  readonly family: readonly RunSummary[]
  readonly model: ModelDraft
  onChange(next: Partial<ModelDraft>): void
}): ReactNode {
  const { data } = useCall('runs.get', { runId: model.runId as never }, { enabled: run !== undefined }) // one of the list
  const steps = [...new Set(data?.checkpoints.map(({ step }) => step) ?? [])]
  const last = steps.at(-1)
  const best = data?.chosen?.step
  const known = typeof model.checkpoint !== 'number' || steps.includes(model.checkpoint)
  return (
    <p className="small text-2">
      <label>
        Weights of the{' '}
        <select
          className="select select-small"
          value={String(model.checkpoint)}
          onChange={({ currentTarget: { value } }) =>
            onChange({ checkpoint: value === 'best' || value === 'last' ? value : Number(value) })
          }
        >
          <option value="last">last{last === undefined || model.bySeed ? '' : ` (step ${last})`}</option>
          <option value="best">best{best === undefined || model.bySeed ? '' : ` (step ${best})`}</option>
          {steps.map((step) => (
            <option key={step} value={step}>
              step {step}
            </option>
          ))}
          {known ? null : <option value={String(model.checkpoint)}>step {model.checkpoint}</option>}
        </select>{' '}
        checkpoint
      </label>
      , also the reference.{' '}
      {model.bySeed ? (
        family.map((one, at) => (
          <span key={one.runId}>
            {at === 0 ? '' : ', '}seed {one.seed} from <Link href={`/runs/${one.runId}`}>{one.runId}</Link>
          </span>
        ))
      ) : run === undefined ? null : (
        <Link href={`/runs/${run.runId}`}>Look at it</Link>
      )}
    </p>
  )
}
