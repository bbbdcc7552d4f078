import type { ReactNode } from 'react'
import { RotateCcw } from 'lucide-react'
import type { ImportMapping, LabelQuestion } from '../../shared/contract/import-mapping.ts'
import { Button } from '../parts/Button.tsx'
import { Field } from '../parts/Field.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'

const NO_VALUES: NonNullable<ImportMapping['labelValues']> = { a: [], b: [], tie: [], bothBad: [], skip: [] }

interface LabelReadingProps {
  readonly mapping: ImportMapping
  onChange(mapping: ImportMapping): void
}

/** Labels that can be meant in several ways: each way with rows of the file, and the import waits until one is chosen. */
export function LabelQuestionPanel({
  question,
  mapping,
  onChange,
}: LabelReadingProps & { readonly question: LabelQuestion }): ReactNode {
  return (
    <Panel title="What do the labels mean?" note="the import waits for your answer">
      <div className="col gap-3">
        <Say tone="warn">
          <b>{question.reason}</b>
          {question.readings.length === 0
            ? ' Fill in below what each value means, or leave the column out.'
            : ' Choose how they are meant; the documentation of the data says it.'}
        </Say>
        <ul className="readings plain-list">
          {question.readings.map((reading) => (
            <li key={reading.option} className="reading">
              <b>{reading.title}</b>
              <ul className="plain-list small text-2">
                {reading.examples.map((example) => (
                  <li key={example.line}>
                    Row <span className="mono">{example.line}</span> says <span className="mono">{example.value}</span>:{' '}
                    {example.meaning}
                  </li>
                ))}
              </ul>
              <Button
                onClick={() =>
                  onChange({
                    ...mapping,
                    labelValues: reading.labelValues,
                    labelScale: reading.labelScale,
                    labelsSaidBy: 'person',
                  })
                }
                aria-label={`Read it so: ${reading.title}`}
              >
                Read it so
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  )
}

const VALUE_FIELDS = [
  ['a', 'First is better'],
  ['b', 'Second is better'],
  ['tie', 'Tie'],
  ['bothBad', 'Both bad'],
  ['skip', 'Skipped'],
] as const

/** How label values are read, in words, and what somebody says of single values. */
export function LabelValues({ mapping, onChange }: LabelReadingProps): ReactNode {
  const values = mapping.labelValues ?? NO_VALUES
  const change = (key: keyof typeof values, text: string): void => {
    const list = text
      .split(',')
      .map((value) => value.trim())
      .filter((value) => value !== '')
    if (list.join() !== values[key].join())
      onChange({ ...mapping, labelValues: { ...values, [key]: list }, labelsSaidBy: 'person' })
  }
  return (
    <div className="pad col gap-3">
      <div className="row wrap">
        <span className="small text-2 grow">
          {mapping.labelWords === '' ? (
            'How the labels are read is not settled yet.'
          ) : (
            <>Labels: {mapping.labelWords}.</>
          )}{' '}
          Words such as A, left, tie or the names of the columns are understood as they are.
        </span>
        {mapping.labelsSaidBy === 'person' ? (
          <Button
            small
            icon={RotateCcw}
            onClick={() =>
              onChange({ ...mapping, labelValues: null, labelScale: null, labelsSaidBy: 'file', labelWords: '' })
            }
          >
            Ask again
          </Button>
        ) : null}
      </div>
      <div className="label-values">
        {VALUE_FIELDS.map(([key, words]) => (
          <Field
            key={`${key} ${values[key].join()}`}
            name={words}
            render={(control) => (
              <input
                {...control}
                className="input input-small mono"
                defaultValue={values[key].join(', ')}
                onBlur={(event) => change(key, event.target.value)}
              />
            )}
          />
        ))}
      </div>
    </div>
  )
}
