import type { ReactNode } from 'react'
import type { ModelInspection } from '../../shared/contract/models.ts'
import { formatBytes, formatCount } from '../../shared/units.ts'
import { Say } from '../parts/Say.tsx'

/** What was read of the folder or file, what stands in the way, and what is worth knowing. */
export function Findings({ found }: { readonly found: ModelInspection }): ReactNode {
  const { facts, inside, problems, notes, copyBytes, freeBytes } = found
  return (
    <div className="findings col" role="status">
      {facts === null ? null : (
        <dl className="facts facts-two">
          <div>
            <dt>Family</dt>
            <dd>
              {facts.family}, {facts.kind}
            </dd>
          </div>
          <div>
            <dt>Weights</dt>
            <dd className="mono">{formatCount(facts.parameterCount)}</dd>
          </div>
          <div>
            <dt>Stored as</dt>
            <dd className="mono">
              {facts.dtype}, {formatBytes(facts.sizeBytes)}
            </dd>
          </div>
          <div>
            <dt>Vocabulary</dt>
            <dd className="mono">{formatCount(facts.vocabSize)}</dd>
          </div>
          <div>
            <dt>Context</dt>
            <dd className="mono">
              {facts.contextLength === null ? 'not said' : `${formatCount(facts.contextLength)} tokens`}
            </dd>
          </div>
          <div>
            <dt>Chat template</dt>
            <dd>{facts.hasChatTemplate ? 'yes' : 'none'}</dd>
          </div>
          <div>
            <dt>Licence</dt>
            <dd>{facts.licence?.name ?? 'none found'}</dd>
          </div>
          <div>
            <dt>Tensors not used</dt>
            <dd className="mono">{formatCount(facts.unused.length)}</dd>
          </div>
        </dl>
      )}
      {inside === null ? null : (
        <Say tone="info">
          It holds <b className="mono">{inside}</b>, which is unpacked into the data folder: takes{' '}
          <span className="mono">{formatBytes(copyBytes)}</span> of{' '}
          <span className="mono">{formatBytes(freeBytes)}</span> free.
        </Say>
      )}
      {problems.map((problem) => (
        <Say key={problem.message} tone="bad">
          <b>{problem.message}</b> {problem.hint}
        </Say>
      ))}
      {notes.map((note) => (
        <Say key={note} tone="info">
          {note}
        </Say>
      ))}
    </div>
  )
}
