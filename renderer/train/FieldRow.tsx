import type { ReactNode } from 'react'
import type { FormField } from '../../shared/form.ts'
import { formatField } from '../../shared/form.ts'
import { arrowOf, choosableMetrics } from '../../shared/metric-names.ts'
import { writesSamples } from '../../shared/run-spec.ts'
import { formatBytes } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { isChanged, resetField, setTyped, textOf, type DraftField } from './draft.ts'
import { SettingRow } from './SettingRow.tsx'
import type { TrainForm } from './use-train.ts'

interface FieldRowProps {
  readonly form: TrainForm
  readonly field: DraftField
  /** Whose values the form starts from: "Small model". */
  readonly presetTitle: string
}

/** One field of a schema as a setting. */
export function FieldRow({ form, field, presetTitle }: FieldRowProps): ReactNode {
  const { draft } = form
  const changed = isChanged(draft, field)
  const text = textOf(draft, field)
  const shown =
    field.base === ''
      ? 'none'
      : field.kind === 'boolean'
        ? yesNo(field.base)
        : field.kind === 'union'
          ? (field.variants.find((one) => one.value === field.base)?.title ?? field.base)
          : field.base
  const variant = field.variants.find((one) => one.value === text)
  const described =
    variant === undefined || variant.help === ''
      ? field.help
      : [field.help, variant.help].filter((part) => part !== '').join(' ')
  const sizes = Object.entries(form.check?.memory?.choices[field.path] ?? {})
  // Whole numbers come as keys in rising order; the largest are those that are usually asked for.
  const shownSizes = (field.kind === 'integer' ? sizes.toReversed() : sizes).slice(0, 4)
  const memory = shownSizes.map(([value, bytes]) => (
    <span key={value} className="choice-memory" data-on={value === text}>
      {field.kind === 'boolean' ? yesNo(value) : value} <span className="mono">{formatBytes(bytes)}</span>
    </span>
  ))
  const help =
    memory.length === 0 ? (
      described
    ) : (
      <>
        {described} <span className="choice-memories">Memory, about: {memory}</span>
      </>
    )
  return (
    <SettingRow
      title={field.title}
      symbol={field.symbol}
      base={`${presetTitle} ${shown}`}
      unit={field.unit}
      help={help}
      problem={form.problems[field.path]}
      changed={changed}
      onReset={() => form.change(resetField(draft, field.path))}
      more={
        variant === undefined
          ? null
          : variant.fields.map((inner) => <InnerField key={inner.path} form={form} field={inner} />)
      }
      render={(control) =>
        field.path === 'training.bestBy' ? (
          <MetricSelect
            {...control}
            form={form}
            text={text}
            onChange={(next) => form.change(setTyped(draft, field.path, next))}
          />
        ) : (
          <FieldControl
            {...control}
            field={field}
            text={text}
            onChange={(next) => form.change(setTyped(draft, field.path, next))}
          />
        )
      }
    />
  )
}

function yesNo(text: string): string {
  return text === 'true' ? 'yes' : 'no'
}

interface FieldControlProps {
  readonly id: string
  readonly 'aria-describedby': string
  readonly 'aria-invalid': true | undefined
  readonly field: FormField
  readonly text: string
  onChange(text: string): void
}

export function FieldControl({ field, text, onChange, ...control }: FieldControlProps): ReactNode {
  if (field.kind === 'boolean') {
    return (
      <select {...control} className="select" value={text} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="true">yes</option>
        <option value="false">no</option>
      </select>
    )
  }
  if (field.kind === 'enum' || field.kind === 'union') {
    const choices =
      field.kind === 'union'
        ? field.variants.map((one) => ({ value: one.value, title: one.title }))
        : field.options.map((value) => ({ value, title: value }))
    return (
      <select {...control} className="select" value={text} onChange={(event) => onChange(event.currentTarget.value)}>
        {field.nullable || text === '' ? <option value="">none</option> : null}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.title}
          </option>
        ))}
      </select>
    )
  }
  return (
    <input
      {...control}
      className="input mono"
      value={text}
      spellCheck={false}
      autoComplete="off"
      inputMode={field.kind === 'number' || field.kind === 'integer' ? 'decimal' : 'text'}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

/** A field of the chosen variant: a target length, the words, the reward model's run. */
export function InnerField({ form, field }: { readonly form: TrainForm; readonly field: FormField }): ReactNode {
  const { draft } = form
  const text = draft.typed[field.path] ?? formatField(field.default)
  const onChange = (next: string): void => form.change(setTyped(draft, field.path, next))
  const isRun = field.path.endsWith('.runId')
  return (
    <SettingRow
      title={isRun ? 'Run' : field.title}
      help={
        field.help !== ''
          ? field.help
          : isRun
            ? 'A finished run of the method “reward model”.'
            : field.kind === 'list'
              ? 'Separated by commas.'
              : ''
      }
      unit={field.unit}
      problem={form.problems[field.path]}
      render={(control) =>
        isRun ? (
          <RewardModelSelect {...control} text={text} onChange={onChange} />
        ) : (
          <FieldControl {...control} field={field} text={text} onChange={onChange} />
        )
      }
    />
  )
}

/** Metrics of the method by which a checkpoint may be chosen. */
function MetricSelect({
  form: { algorithm },
  text,
  onChange,
  ...control
}: Omit<FieldControlProps, 'field'> & { readonly form: TrainForm }): ReactNode {
  const metrics = choosableMetrics(algorithm.metrics, writesSamples(algorithm))
  const isKnown = text === 'auto' || metrics.some(({ name }) => name === text)
  return (
    <select {...control} className="select" value={text} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="auto">automatic</option>
      {isKnown ? null : <option value={text}>{text}</option>}
      {metrics.map(({ name, label, goal }) => (
        <option key={name} value={name}>
          {label} {arrowOf(goal)}
        </option>
      ))}
    </select>
  )
}

function RewardModelSelect({ text, onChange, ...control }: Omit<FieldControlProps, 'field'>): ReactNode {
  const runs = useCall('runs.list', { method: 'reward-model' }).data?.filter((run) => run.state === 'finished') ?? []
  return (
    <select {...control} className="select" value={text} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="">{runs.length === 0 ? 'none finished yet' : 'choose a run'}</option>
      {runs.map((run) => (
        <option key={run.runId} value={run.runId}>
          {run.name}, seed {run.seed}
        </option>
      ))}
    </select>
  )
}
