import type { ReactNode } from 'react'
import { useViewState } from '../api/settings.ts'
import { Segmented } from '../parts/Segmented.tsx'
import { formatCount } from '../../shared/units.ts'
import { KIND_WORDS } from '../../shared/kind-words.ts'
import { writesSamples } from '../../shared/run-spec.ts'
import { parseSeeds } from '../../shared/form.ts'
import { isChanged, relevantFields, resetField, setTyped, type Draft } from './draft.ts'
import { EngineRows } from './EngineRows.tsx'
import { FieldControl, FieldRow, InnerField } from './FieldRow.tsx'
import { judgeField } from './judge-field.ts'
import { FOLDED_PLACES, isWrong } from './problems.ts'
import { SettingRow } from './SettingRow.tsx'
import type { TrainForm } from './use-train.ts'

type Fold = 'main' | 'all'

/** Settings from the schema, in two columns; the expert half behind one switch. */
export function SettingsForm({ form }: { readonly form: TrainForm }): ReactNode {
  const [fold, setFold] = useViewState<string>('train.fold', 'main')
  const { draft, algorithm } = form
  const fields = relevantFields(draft, algorithm)
  const preset = algorithm.presets.find((one) => one.id === draft.preset) ?? algorithm.presets[0]
  const changed = fields.filter((field) => isChanged(draft, field))
  const all = fold === 'all'
  // A changed or wrong field is never hidden behind the fold.
  const shown = fields.filter(
    (field) => all || field.group === 'main' || isChanged(draft, field) || isWrong(form.problems, field.path),
  )
  const total = fields.length + countExtra(form)
  return (
    <section className="settings" aria-label="Settings">
      <div className="settings-head">
        <h2>Settings</h2>
        {changed.length === 0 ? null : (
          <span className="small text-2 nowrap">
            <span className="accent">
              {changed.length} {changed.length === 1 ? 'differs' : 'differ'}
            </span>{' '}
            from the preset.
          </span>
        )}
        <span className="grow" />
        {changed.length === 0 ? null : (
          <button
            type="button"
            className="link-button small nowrap"
            onClick={() =>
              form.change({
                ...draft,
                typed: Object.fromEntries(
                  Object.entries(draft.typed).filter(([path]) => path.startsWith(judgeField.path)),
                ),
              })
            }
          >
            Back to the preset
          </button>
        )}
        <Segmented
          title="Values start from"
          small
          value={draft.preset}
          choices={algorithm.presets.map((one) => ({ value: one.id, label: one.title }))}
          onChange={(value) => form.change({ ...draft, preset: value })}
        />
        <Segmented<Fold>
          title="Settings shown"
          small
          value={all ? 'all' : 'main'}
          choices={[
            { value: 'main', label: 'Main' },
            { value: 'all', label: `All ${total}` },
          ]}
          onChange={setFold}
        />
      </div>
      <p className="settings-note small text-2">{preset?.note}</p>
      <div className="settings-grid">
        <SeedsRow form={form} />
        {writesSamples(algorithm) ? <JudgeRow form={form} /> : null}
        {shown.map((field) => (
          <FieldRow key={field.path} form={form} field={field} presetTitle={preset?.title ?? 'preset'} />
        ))}
        {all || FOLDED_PLACES.some((place) => isWrong(form.problems, place)) ? <MoreRows form={form} /> : null}
        <EngineRows form={form} />
        <TextRow
          title="Name"
          help="Shown everywhere; without one it is made from the method and what differs."
          text={draft.name}
          problem={form.problems['name']}
          onChange={(name) => form.change({ ...draft, name })}
        />
      </div>
    </section>
  )
}

/** Seeds, engine, threads, name and the split's three, the judge, and the rows of MoreRows for labels and a new model. */
function countExtra({ draft, algorithm }: TrainForm): number {
  const model = draft.model.kind !== 'new' ? 0 : draft.model.tokenizer === 'bpe' ? 3 : 2
  return 7 + (writesSamples(algorithm) ? 1 : 0) + (KIND_WORDS[algorithm.data].labeled ? 2 : 0) + model
}

function SeedsRow({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft } = form
  const count = parseSeeds(draft.seeds)?.length ?? 0
  return (
    <SettingRow
      title="Seeds"
      help="Each seed is a run of its own. From 3 on you get an interval over seeds; one seed only shows a line."
      unit={count === 0 ? '' : count === 1 ? '1 run' : `${count} runs`}
      problem={form.problems['seeds']}
      render={(control) => (
        <input
          {...control}
          className="input mono"
          value={draft.seeds}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => form.change({ ...draft, seeds: event.currentTarget.value })}
        />
      )}
    />
  )
}

function JudgeRow({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft } = form
  const text = draft.typed[judgeField.path] ?? ''
  const choices = judgeField.variants.filter((one) => one.value !== 'label' && one.value !== 'column')
  const variant = choices.find((one) => one.value === text)
  const field = { ...judgeField, nullable: true, variants: choices }
  return (
    <SettingRow
      title="Judge of samples"
      help={
        variant === undefined
          ? 'What scores generated samples; without one they are shown without a number.'
          : variant.help
      }
      changed={text !== ''}
      base="none"
      problem={form.problems[judgeField.path]}
      onReset={() => form.change(resetField(draft, judgeField.path))}
      more={
        variant === undefined
          ? null
          : variant.fields.map((inner) => <InnerField key={inner.path} form={form} field={inner} />)
      }
      render={(control) => (
        <FieldControl
          {...control}
          field={field}
          text={text}
          onChange={(next) =>
            form.change(
              next === ''
                ? resetField(draft, judgeField.path)
                : setTyped(resetField(draft, judgeField.path), judgeField.path, next),
            )
          }
        />
      )}
    />
  )
}

interface TextRowProps {
  readonly title: string
  readonly help: string
  readonly text: string
  readonly problem?: string | undefined
  readonly unit?: string
  readonly base?: string
  onChange(text: string): void
}

function TextRow({ title, help, text, problem, unit, base, onChange }: TextRowProps): ReactNode {
  const changed = base !== undefined && text !== base
  return (
    <SettingRow
      title={title}
      help={help}
      unit={unit ?? ''}
      base={base}
      changed={changed}
      problem={problem}
      {...(base === undefined ? {} : { onReset: () => onChange(base) })}
      render={(control) => (
        <input
          {...control}
          className="input mono"
          value={text}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
    />
  )
}

function MoreRows({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft } = form
  const words = KIND_WORDS[form.algorithm.data]
  const change = (next: Partial<Draft>): void => form.change({ ...draft, ...next })
  const split = (next: Partial<Draft['split']>): void => change({ split: { ...draft.split, ...next } })
  return (
    <>
      {draft.model.kind === 'new' ? <ModelRows form={form} /> : null}
      {words.labeled ? <LabelRows form={form} /> : null}
      <TextRow
        title="Split seed"
        help={`Which ${words.groups} are held out. The same seed holds out the same ${words.groups}.`}
        base="0"
        text={draft.split.seed}
        problem={form.problems['data.split.seed']}
        onChange={(seed) => split({ seed })}
      />
      <TextRow
        title="Validation share"
        help={`Of the ${words.groups}; scored while training.`}
        base="0.1"
        unit={`of ${words.groups}`}
        text={draft.split.validation}
        problem={form.problems['data.split.validation']}
        onChange={(validation) => split({ validation })}
      />
      <TextRow
        title="Test share"
        help={`Of the ${words.groups}; scored at the end, under the best and the last weights.`}
        base="0.2"
        unit={`of ${words.groups}`}
        text={draft.split.test}
        problem={form.problems['data.split.test']}
        onChange={(test) => split({ test })}
      />
    </>
  )
}

function LabelRows({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft } = form
  return (
    <>
      <SettingRow
        title="Several labels of a pair"
        help="How the labels of several annotators become one preference."
        changed={draft.aggregation !== 'mean'}
        base="mean"
        problem={form.problems['data.aggregation']}
        onReset={() => form.change({ ...draft, aggregation: 'mean' })}
        render={(control) => (
          <select
            {...control}
            className="select"
            value={draft.aggregation}
            onChange={(event) =>
              form.change({ ...draft, aggregation: event.currentTarget.value === 'majority' ? 'majority' : 'mean' })
            }
          >
            <option value="mean">mean</option>
            <option value="majority">majority</option>
          </select>
        )}
      />
      <AnnotatorRow form={form} />
    </>
  )
}

function ModelRows({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft } = form
  const { model } = draft
  const change = (next: Partial<Draft['model']>): void => form.change({ ...draft, model: { ...model, ...next } })
  return (
    <>
      <SettingRow
        title="Tokenizer"
        help="BPE is trained on the training texts; bytes need no training and make longer sequences."
        changed={model.tokenizer !== 'bpe'}
        base="bpe"
        problem={form.problems['model.tokenizer']}
        onReset={() => change({ tokenizer: 'bpe' })}
        render={(control) => (
          <select
            {...control}
            className="select"
            value={model.tokenizer}
            onChange={(event) => change({ tokenizer: event.currentTarget.value === 'byte' ? 'byte' : 'bpe' })}
          >
            <option value="bpe">BPE</option>
            <option value="byte">bytes</option>
          </select>
        )}
      />
      {model.tokenizer === 'bpe' ? (
        <TextRow
          title="Vocabulary"
          help="How many tokens BPE learns; more make shorter sequences and a larger model."
          base="1024"
          unit="tokens"
          text={model.vocabSize}
          problem={form.problems['model.tokenizer.vocabSize']}
          onChange={(vocabSize) => change({ vocabSize })}
        />
      ) : null}
      <SettingRow
        title="Tied embeddings"
        help="Input and output share one matrix; the model is smaller."
        changed={!model.tied}
        base="yes"
        problem={form.problems['model.tiedEmbeddings']}
        onReset={() => change({ tied: true })}
        render={(control) => (
          <select
            {...control}
            className="select"
            value={String(model.tied)}
            onChange={(event) => change({ tied: event.currentTarget.value === 'true' })}
          >
            <option value="true">yes</option>
            <option value="false">no</option>
          </select>
        )}
      />
    </>
  )
}

function AnnotatorRow({ form }: { readonly form: TrainForm }): ReactNode {
  const { draft, dataset } = form
  const known = dataset?.annotators ?? []
  const problem = form.problems['data.annotators']
  const isIn = (name: string): boolean => draft.annotators.length === 0 || draft.annotators.includes(name)
  const toggle = (name: string): void => {
    const next = known.filter((one) => (one === name ? !isIn(one) : isIn(one)))
    form.change({ ...draft, annotators: next.length === known.length ? [] : next })
  }
  return (
    <fieldset className="setting" data-changed={draft.annotators.length > 0} data-invalid={problem !== undefined}>
      <legend className="setting-name">Whose labels count</legend>
      <div className="row wrap setting-wide">
        {known.map((name) => (
          <label key={name} className="check small">
            <input
              type="checkbox"
              checked={isIn(name)}
              disabled={isIn(name) && draft.annotators.length === 1}
              onChange={() => toggle(name)}
            />
            {name}
          </label>
        ))}
        {known.length === 0 ? <span className="text-3 small">no annotator yet</span> : null}
      </div>
      {problem === undefined ? null : (
        <p className="bad" role="alert">
          {problem}
        </p>
      )}
      <p>
        {draft.annotators.length === 0
          ? `Everybody’s, ${formatCount(known.length)} annotators.`
          : `${formatCount(draft.annotators.length)} of ${formatCount(known.length)} annotators.`}
      </p>
    </fieldset>
  )
}
