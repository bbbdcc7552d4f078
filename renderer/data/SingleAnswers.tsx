import { useState, type ReactNode } from 'react'
import type { Inspection } from '../../shared/contract/datasets.ts'
import { Button } from '../parts/Button.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { PairPreview } from './PairPreview.tsx'

const OUTCOME = { good: 'a', bad: 'b', skipped: 'skip' } as const

/** A file whose rows hold one answer each, as it would be imported. */
export function SingleAnswers({ found }: { readonly found: NonNullable<Inspection['unpaired']> }): ReactNode {
  const [at, setAt] = useState(0)
  const row = found.rows[Math.min(at, found.rows.length - 1)]
  const tools = (
    <span className="row">
      <Button small disabled={at === 0} onClick={() => setAt(at - 1)}>
        Previous
      </Button>
      <Button small disabled={at + 1 >= found.rows.length} onClick={() => setAt(at + 1)}>
        Next
      </Button>
    </span>
  )
  return (
    <>
      <Say tone="info">
        Each row holds one answer, <span className="mono">{found.completion}</span>, to its{' '}
        <span className="mono">{found.prompt}</span>.{' '}
        {found.labels.length === 0 ? (
          'Whether it is good or bad is not said: people can label it here.'
        ) : (
          <>
            Whether it is good or bad is said by <span className="mono">{found.labels.join(', ')}</span>.
          </>
        )}{' '}
        For pairs, give two columns below the roles of the answers.
      </Say>
      <Panel
        title="Preview"
        note={row === undefined ? undefined : `How Pairlab reads row ${row.line}`}
        actions={tools}
        flush
      >
        {row === undefined ? (
          <p className="pad text-2">None of the first rows can be read.</p>
        ) : (
          <PairPreview
            prompt={row.prompt}
            a={row.completion}
            b={null}
            winner={row.judged === null ? null : OUTCOME[row.judged]}
          />
        )}
      </Panel>
    </>
  )
}
