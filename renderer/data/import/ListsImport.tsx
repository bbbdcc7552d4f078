import type { ReactNode } from 'react'
import type { ListPreview } from '../../../shared/contract/imports.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { Panel } from '../../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { ImportFrame, type ImportChoice } from './ImportFrame.tsx'
import { PreviewProblems } from './PreviewProblems.tsx'

const LAYOUTS: Readonly<Record<ListPreview['layout'], string>> = {
  beir: 'a BEIR set',
  msmarco: 'MS MARCO’s tables',
  features: 'feature files',
}

/** The first queries with what was judged for them. */
export function ListsImport({ choice }: { readonly choice: ImportChoice }): ReactNode {
  const { data, error } = useCall('imports.preview', { path: choice.found.path, kind: 'rankings' })
  const preview = data?.kind === 'rankings' ? data : null
  return (
    <ImportFrame
      choice={choice}
      reading={preview === null || preview.queries.length === 0 ? null : { kind: 'rankings' }}
      settings={
        preview === null ? null : (
          <PreviewProblems
            problems={preview.problems}
            note={`judgments and the first ${formatCount(preview.queries.length)} queries`}
          />
        )
      }
    >
      {error === null ? null : <ErrorNotice error={error} />}
      {data === undefined && error === null ? <Loading what="Reading queries and judgments" /> : null}
      {preview === null ? null : <FirstQueries preview={preview} />}
    </ImportFrame>
  )
}

function FirstQueries({ preview: { layout, features, parts, queries } }: { readonly preview: ListPreview }): ReactNode {
  const sides = parts.flatMap(({ name, split }) =>
    split === null ? [] : [name === split ? name : `${name} → ${split}`],
  )
  const note = [
    LAYOUTS[layout],
    features === null ? null : `${formatCount(features)} features`,
    sides.length === 0 ? 'the split is drawn' : `the split is kept: ${sides.join(', ')}`,
  ]
  return (
    <Panel title="First queries" note={note.filter((part) => part !== null).join('; ')} flush>
      {queries.length === 0 ? (
        <p className="pad text-2">None of the queries is judged.</p>
      ) : (
        <div className="table-scroll import-rows">
          <table className="table" aria-label="First queries">
            <thead>
              <tr>
                <th scope="col">Query</th>
                {layout === 'features' ? null : <th scope="col">Text</th>}
                <th scope="col">Split</th>
                <th scope="col" className="num">
                  Judged
                </th>
                <th scope="col" className="num">
                  Relevant
                </th>
              </tr>
            </thead>
            <tbody>
              {queries.map(({ queryId, text, split, judged, relevant }, at) => (
                <tr key={`${queryId} ${at}`}>
                  <td className="mono">{queryId}</td>
                  {layout === 'features' ? null : (
                    <td>
                      <span className="import-cell two-lines">{text}</span>
                    </td>
                  )}
                  <td>{split ?? '–'}</td>
                  <td className="num mono">{formatCount(judged)}</td>
                  <td className="num mono">{formatCount(relevant)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
