import { useState, type ReactNode } from 'react'
import type { ContrastData } from '../../../shared/data-kinds.ts'
import type { TextPreview } from '../../../shared/contract/imports.ts'
import type { TextReading } from '../../../shared/contract/import-readings.ts'
import { useCall } from '../../api/queries.ts'
import { Field } from '../../parts/Field.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { ImportFrame, type ImportChoice } from './ImportFrame.tsx'
import { firstRows, PreviewProblems } from './PreviewProblems.tsx'

const FORMS: readonly (readonly [value: NonNullable<TextReading['as']>, title: string])[] = [
  ['lines', 'one text a line'],
  ['jsonl', 'JSON Lines'],
  ['json', 'a JSON list'],
  ['csv', 'a table with commas'],
  ['tsv', 'a table with tabs'],
]

/** The first texts as they will be read. */
export function TextsImport({ choice }: { readonly choice: ImportChoice }): ReactNode {
  const [texts, setTexts] = useState<TextReading>({ as: null, scale: null })
  const [scale, setScale] = useState('')
  const { data, error } = useCall('imports.preview', { path: choice.found.path, kind: 'contrast-groups', texts })
  const preview = data?.kind === 'contrast-groups' ? data : null
  return (
    <ImportFrame
      choice={choice}
      reading={preview === null || preview.rows.length === 0 ? null : { kind: 'contrast-groups', texts }}
      settings={
        <>
          <Panel title="How it is read">
            <div className="col gap-3">
              <Field
                name="Form"
                help="Only where the file could be read in two ways."
                render={(control) => (
                  <select
                    {...control}
                    className="input"
                    value={texts.as ?? ''}
                    onChange={(event) =>
                      setTexts({ ...texts, as: FORMS.find(([value]) => value === event.target.value)?.[0] ?? null })
                    }
                  >
                    <option value="">as its content tells</option>
                    {FORMS.map(([value, title]) => (
                      <option key={value} value={value}>
                        {title}
                      </option>
                    ))}
                  </select>
                )}
              />
              <Field
                name="Scale of the scores"
                help="Lowest and highest possible score, such as 0..5; empty where the file tells, or has none."
                render={(control) => (
                  <input
                    {...control}
                    className="input mono"
                    placeholder="0..5"
                    value={scale}
                    onChange={(event) => setScale(event.target.value)}
                    onBlur={() => setTexts({ ...texts, scale: scale.trim() === '' ? null : scale.trim() })}
                    onKeyDown={(event) => {
                      if (event.key === 'Enter')
                        setTexts({ ...texts, scale: scale.trim() === '' ? null : scale.trim() })
                    }}
                  />
                )}
              />
            </div>
          </Panel>
          {preview === null ? null : <PreviewProblems problems={preview.problems} note={firstRows(preview.rowsRead)} />}
        </>
      }
    >
      {error === null ? null : <ErrorNotice error={error} />}
      {data === undefined && error === null ? <Loading what="Reading the head of the file" /> : null}
      {preview === null ? null : <FirstTexts preview={preview} />}
    </ImportFrame>
  )
}

const HEADS: Readonly<Record<ContrastData['form'], readonly string[]>> = {
  text: ['Text'],
  triple: ['Query', 'Positive', 'Negatives'],
  'scored-pair': ['First text', 'Second text', 'Similarity, 0 to 1'],
}

function FirstTexts({ preview: { rows, scale } }: { readonly preview: TextPreview }): ReactNode {
  const heads = HEADS[rows[0]?.data.form ?? 'text']
  const givesSplit = rows.some(({ split }) => split !== null)
  const note = [
    scale === null ? null : `scores run from ${scale.low} to ${scale.high}`,
    givesSplit ? 'the split is kept as the file gives it' : 'the split is drawn',
  ]
  return (
    <Panel title="First rows" note={note.filter((part) => part !== null).join('; ')} flush>
      {rows.length === 0 ? (
        <p className="pad text-2">None of the first rows can be read as texts.</p>
      ) : (
        <div className="table-scroll import-rows">
          <table className="table" aria-label="First rows">
            <thead>
              <tr>
                <th scope="col">Line</th>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
                {givesSplit ? <th scope="col">Split</th> : null}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ line, split, data }, at) => (
                <tr key={`${line} ${at}`}>
                  <td className="mono">{line}</td>
                  {cellsOf(data).map((cell, column) => (
                    <td key={heads[column] ?? column}>
                      <span className="import-cell two-lines">{cell}</span>
                    </td>
                  ))}
                  {givesSplit ? <td>{split ?? '–'}</td> : null}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}

function cellsOf(data: ContrastData): readonly string[] {
  if (data.form === 'text') return [data.text]
  if (data.form === 'triple') return [data.query, data.positive, data.negatives.join(' · ') || '–']
  return [data.first, data.second, data.score.toFixed(2)]
}
