import { useState, type ReactNode } from 'react'
import type { SegmentPreview } from '../../../shared/contract/imports.ts'
import type { SegmentReading } from '../../../shared/contract/import-readings.ts'
import { formatCount } from '../../../shared/units.ts'
import { useCall } from '../../api/queries.ts'
import { Field } from '../../parts/Field.tsx'
import { Panel } from '../../parts/Panel.tsx'
import { ErrorNotice, Loading } from '../../parts/states.tsx'
import { ImportFrame, type ImportChoice } from './ImportFrame.tsx'
import { PreviewProblems } from './PreviewProblems.tsx'

/** How many segments of which sizes, what is said of them, and what an npz leaves open. */
export function SegmentsImport({ choice }: { readonly choice: ImportChoice }): ReactNode {
  const [segments, setSegments] = useState<SegmentReading>({ world: null, scoreName: null, segmentSteps: 64 })
  // The world changes nothing that is shown.
  const { data, error } = useCall(
    'imports.preview',
    { path: choice.found.path, kind: 'segment-pairs', segments: { ...segments, world: null } },
    { keepPrevious: true },
  )
  const preview = data?.kind === 'segment-pairs' ? data : null
  return (
    <ImportFrame
      choice={choice}
      reading={preview === null || error !== null ? null : { kind: 'segment-pairs', segments }}
      settings={
        <>
          <Choices preview={preview} segments={segments} onChange={setSegments} />
          {preview === null ? null : (
            <PreviewProblems
              problems={preview.problems}
              note={preview.isWhole ? 'the whole file' : 'the beginning of the file'}
            />
          )}
        </>
      }
    >
      {error === null ? null : <ErrorNotice error={error} />}
      {data === undefined && error === null ? <Loading what="Reading the segments" /> : null}
      {preview === null ? null : <Shape preview={preview} world={preview.world ?? segments.world} />}
    </ImportFrame>
  )
}

function Shape({ preview, world }: { readonly preview: SegmentPreview; readonly world: string | null }): ReactNode {
  const { pairs, isWhole, steps, observationSize, actionSize, labels, annotators, givesSplit } = preview
  const about = isWhole ? '' : 'about '
  const judged = labels.a + labels.b + labels.tie + labels.other
  const facts: readonly (readonly [string, string])[] = [
    ['Pairs of segments', `${about}${formatCount(pairs)}`],
    [
      'Steps of a segment',
      steps.least === steps.most
        ? formatCount(steps.most)
        : `${formatCount(steps.least)} to ${formatCount(steps.most)}`,
    ],
    ['Observation', `${formatCount(observationSize)} numbers`],
    ['Action', `${formatCount(actionSize)} numbers`],
    ['World', world ?? 'not said'],
    [
      isWhole ? 'Labels' : 'Labels, of those read',
      judged === 0
        ? 'none: people can label it here'
        : `${formatCount(labels.a)} first, ${formatCount(labels.b)} second, ${formatCount(labels.tie)} tie${labels.other === 0 ? '' : `, ${formatCount(labels.other)} other`}, by ${annotators.join(', ')}`,
    ],
    ['Not labeled', formatCount(labels.none)],
    ['Split', givesSplit ? 'kept as the file gives it' : 'drawn by episode'],
  ]
  return (
    <Panel title="Segments">
      <dl className="facts import-facts">
        {facts.map(([term, text]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

interface ChoicesProps {
  readonly preview: SegmentPreview | null
  readonly segments: SegmentReading
  onChange(segments: SegmentReading): void
}

function Choices({ preview, segments, onChange }: ChoicesProps): ReactNode {
  const { data: worlds = [] } = useCall('worlds.list', {})
  if (preview?.layout === 'lines') return null
  const fitting = worlds.filter(
    ({ observation, action }) =>
      observation.length === preview?.observationSize && action.length === preview.actionSize,
  )
  return (
    <Panel title="What the arrays do not say">
      <div className="col gap-3">
        <Field
          name="World"
          help="Policies are tried in it; those with these sizes are listed. Without one, nothing can act."
          render={(control) => (
            <select
              {...control}
              className="input"
              value={segments.world ?? ''}
              onChange={(event) =>
                onChange({ ...segments, world: event.target.value === '' ? null : event.target.value })
              }
            >
              <option value="">none of ours</option>
              {fitting.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
        />
        {preview === null || preview.scores.length === 0 ? null : (
          <Field
            name="Ordered by"
            help="The array whose larger number is the better segment."
            render={(control) => (
              <select
                {...control}
                className="input mono"
                value={preview.scoreName ?? ''}
                onChange={(event) => onChange({ ...segments, scoreName: event.target.value })}
              >
                {preview.scores.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            )}
          />
        )}
        {preview !== null && preview.layout !== 'steps' ? null : (
          <Field
            name="Steps of a segment"
            help="Whole segments are cut from each episode, where the file holds steps in a row."
            render={(control) => (
              <input
                {...control}
                className="input mono"
                type="number"
                min={2}
                max={1000}
                defaultValue={segments.segmentSteps}
                onBlur={(event) => {
                  const steps = Number(event.target.value)
                  if (Number.isInteger(steps) && steps >= 2) onChange({ ...segments, segmentSteps: steps })
                }}
              />
            )}
          />
        )}
      </div>
    </Panel>
  )
}
