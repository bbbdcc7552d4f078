import type { ReactNode } from 'react'
import { engineName } from '../../shared/domain.ts'
import { Button } from '../parts/Button.tsx'
import { Field } from '../parts/Field.tsx'
import { Section } from '../parts/Panel.tsx'
import { INITIAL_CHOICES, SETTING_FIELDS, typedText } from './playground-state.ts'
import type { Playground } from './use-playground.ts'

/** System prompt, how tokens are drawn, seed and engine. */
export function SamplingPanel({ playground }: { readonly playground: Playground }): ReactNode {
  const { choices, problems, sources, change } = playground
  const { typed, stop, seed, sameSeed, engine } = INITIAL_CHOICES
  const set = (path: string, text: string): void => change({ typed: { ...choices.typed, [path]: text } })
  return (
    <>
      {choices.mode === 'complete' ? null : (
        <Section title="Conversation">
          <div className="col">
            <Field
              name="System prompt"
              help="Before the first turn. Empty: none."
              render={(control) => (
                <textarea
                  {...control}
                  className="textarea"
                  rows={3}
                  value={choices.system}
                  onChange={(event) => change({ system: event.currentTarget.value })}
                />
              )}
            />
            <label className="check small">
              <input
                type="checkbox"
                checked={choices.template}
                onChange={(event) => change({ template: event.currentTarget.checked })}
              />
              Use the model’s own chat template
            </label>
            <p className="field-help">
              Runs take turns as they were trained: one tag a turn. What you type never becomes a special token.
            </p>
          </div>
        </Section>
      )}
      <Section
        title="Sampling"
        actions={
          <Button small look="quiet" onClick={() => change({ typed, stop, seed, sameSeed, engine })}>
            Defaults
          </Button>
        }
      >
        <div className="pg-settings">
          {SETTING_FIELDS.map((field) => (
            <Field
              key={field.path}
              name={field.title}
              help={field.help}
              problem={problems[field.path]}
              changed={
                choices.typed[field.path] !== undefined &&
                problems[field.path] === undefined &&
                typedText(choices, field) !== String(field.default)
              }
              render={(control) => (
                <input
                  {...control}
                  className="input mono"
                  inputMode="decimal"
                  value={typedText(choices, field)}
                  onChange={(event) => set(field.path, event.currentTarget.value)}
                />
              )}
            />
          ))}
          <Field
            name="Seed"
            help="Empty: drawn anew for each run, and shown."
            problem={problems['seed']}
            render={(control) => (
              <input
                {...control}
                className="input mono"
                inputMode="numeric"
                placeholder="drawn"
                value={choices.seed}
                onChange={(event) => change({ seed: event.currentTarget.value })}
              />
            )}
          />
        </div>
        <div className="col pg-more">
          <label className="check small">
            <input
              type="checkbox"
              checked={choices.sameSeed}
              onChange={(event) => change({ sameSeed: event.currentTarget.checked })}
            />
            Same seed on both sides
          </label>
          <Field
            name="Stop strings"
            help="One a line; \n is a line break. They end a text and are cut from it."
            render={(control) => (
              <textarea
                {...control}
                className="textarea mono pg-stop"
                rows={2}
                value={choices.stop}
                onChange={(event) => change({ stop: event.currentTarget.value })}
              />
            )}
          />
          <Field
            name="Engine"
            help={
              choices.engine === 'auto' ? `auto is ${sources.engine.name}: ${sources.engine.why}.` : 'Chosen by hand.'
            }
            render={(control) => (
              <select
                {...control}
                className="select"
                value={choices.engine}
                onChange={(event) => change({ engine: event.currentTarget.value })}
              >
                {['auto', ...engineName.options].map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          />
        </div>
      </Section>
    </>
  )
}
