import type { ReactNode } from 'react'
import type { Inspection } from '../../shared/contract/import-mapping.ts'
import { Say } from '../parts/Say.tsx'
import { PairPreview } from './PairPreview.tsx'
import { PreviewPanel } from './PreviewPanel.tsx'

const OUTCOME = { good: 'a', bad: 'b', skipped: 'skip' } as const

/** A file whose rows hold one answer each, as it would be imported. */
export function SingleAnswers({ found }: { readonly found: NonNullable<Inspection['unpaired']> }): ReactNode {
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
      <PreviewPanel rows={found.rows} empty="None of the first rows can be read.">
        {({ prompt, completion, judged }) => (
          <PairPreview prompt={prompt} a={completion} b={null} winner={judged === null ? null : OUTCOME[judged]} />
        )}
      </PreviewPanel>
    </>
  )
}
