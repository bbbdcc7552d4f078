import { useState, type ReactNode } from 'react'
import { ArrowLeftRight } from 'lucide-react'
import type { ImportMapping, Inspection } from '../../../shared/contract/import-mapping.ts'
import { useCall } from '../../api/queries.ts'
import { Button } from '../../parts/Button.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { ColumnRoles } from '../ColumnRoles.tsx'
import { LabelQuestionPanel } from '../LabelReading.tsx'
import { PairPreview } from '../PairPreview.tsx'
import { PreviewPanel } from '../PreviewPanel.tsx'
import { ImportFrame, type ImportChoice } from './ImportFrame.tsx'
import { firstRows, PreviewProblems } from './PreviewProblems.tsx'

/** Roles of the columns, who wins in plain words, rows that fall out. */
export function PairsImport({ choice }: { readonly choice: ImportChoice }): ReactNode {
  const [mapping, setMapping] = useState<ImportMapping | null>(null)
  const {
    data: inspection,
    error,
    refetch,
  } = useCall('datasets.inspect', { path: choice.found.path, mapping }, { keepPrevious: true })
  const isReady =
    inspection !== undefined &&
    inspection.missingRoles.length === 0 &&
    inspection.questions.length === 0 &&
    inspection.rows.length > 0
  return (
    <ImportFrame
      choice={choice}
      reading={isReady && error === null ? { kind: 'response-pairs', mapping: inspection.mapping } : null}
      settings={
        inspection === undefined ? null : (
          <PreviewProblems
            problems={inspection.problems}
            note={firstRows(inspection.rowsRead)}
            unread={inspection.rows.length === 0}
          />
        )
      }
    >
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {inspection === undefined ? (
        error === null ? (
          <Loading what="Reading the head of the file" />
        ) : null
      ) : (
        <>
          {inspection.questions.map((question) => (
            <LabelQuestionPanel
              key={question.columns.join(' ')}
              question={question}
              mapping={latest(mapping, inspection)}
              onChange={setMapping}
            />
          ))}
          <PreviewRows
            inspection={inspection}
            onFlip={() => setMapping({ ...inspection.mapping, flip: !inspection.mapping.flip })}
          />
          <ColumnRoles inspection={inspection} mapping={latest(mapping, inspection)} onChange={setMapping} />
        </>
      )}
    </ImportFrame>
  )
}

function PreviewRows({ inspection, onFlip }: { readonly inspection: Inspection; onFlip(): void }): ReactNode {
  return (
    <PreviewPanel
      rows={inspection.rows}
      empty="No row can be read with these roles yet. Give the columns below their roles."
      tools={
        <Button small icon={ArrowLeftRight} aria-pressed={inspection.mapping.flip} onClick={onFlip}>
          Swap the direction
        </Button>
      }
    >
      {({ sentence, prompt, a, b }) => (
        <>
          <p className="pair-sentence">{sentence}</p>
          <PairPreview prompt={prompt} a={a} b={b} winner={null} />
        </>
      )}
    </PreviewPanel>
  )
}

/** What was changed last, though the file has not been read with it yet; what the labels mean is the inspection's word unless somebody said it. */
function latest(changed: ImportMapping | null, { mapping }: Inspection): ImportMapping {
  if (changed === null) return mapping
  const { labelValues, labelScale, labelsSaidBy, labelWords } = mapping
  return changed.labelsSaidBy === 'person'
    ? { ...changed, labelWords }
    : { ...changed, labelValues, labelScale, labelsSaidBy, labelWords }
}
