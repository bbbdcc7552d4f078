import type { ReactNode } from 'react'
import { useCall } from '../../api/queries.ts'
import { Say } from '../../parts/Say.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { SingleAnswers } from '../SingleAnswers.tsx'
import { ImportFrame, type ImportChoice } from './ImportFrame.tsx'
import { firstRows, PreviewProblems } from './PreviewProblems.tsx'

/** A prompt and one answer a row, good or bad where the file says so. */
export function AnswersImport({ choice }: { readonly choice: ImportChoice }): ReactNode {
  const { data, error, refetch } = useCall('datasets.inspect', { path: choice.found.path })
  const found = data?.unpaired ?? null
  return (
    <ImportFrame
      choice={choice}
      reading={found === null ? null : { kind: 'unpaired-responses' }}
      settings={
        data === undefined ? null : <PreviewProblems problems={data.problems} note={firstRows(data.rowsRead)} />
      }
    >
      {error === null ? null : <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading what="Reading the head of the file" /> : null}
      {found === null ? null : <SingleAnswers found={found} />}
      {data !== undefined && found === null ? (
        <Say tone="bad">
          <b>There is no prompt with one answer to it.</b> A row needs prompt (or instruction, question, messages) and
          completion (or response, answer, output); this has{' '}
          {data.columns.map(({ name }) => name).join(', ') || 'no columns'}. Choose another kind above, or rename the
          columns.
        </Say>
      ) : null}
    </ImportFrame>
  )
}
