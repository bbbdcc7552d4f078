import { useCallback, useRef, useState, type ReactNode } from 'react'
import { ArrowDown, ArrowUp } from 'lucide-react'
import type { DatasetDetail } from '../../shared/contract/datasets.ts'
import type { Segment } from '../../shared/segment-pair.ts'
import { formatNumber } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { SegmentView } from '../label/segments/SegmentView.tsx'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { JumpField } from '../parts/JumpField.tsx'
import { Panel } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { Notes } from './Notes.tsx'
import '../label/label.css'

/** One pair of segments at a time, with what people who label do not see. */
export function SegmentBrowser({ detail }: { readonly detail: DatasetDetail }): ReactNode {
  const [wanted, setWanted] = useState(0)
  const index = Math.min(wanted, detail.itemCount - 1)
  const { data: row, error } = useCall('segments.row', { datasetId: detail.datasetId, index }, { keepPrevious: true })
  const toggle = useRef<(() => void) | null>(null)
  const register = useCallback((play: (() => void) | null) => {
    toggle.current = play
  }, [])
  const move = (by: number): void => setWanted(Math.min(detail.itemCount - 1, Math.max(0, index + by)))
  useCommands([
    {
      id: 'data.previous',
      title: 'Previous pair',
      group: 'Data',
      keys: ['up', 'k'],
      repeat: true,
      disabled: index === 0,
      run: () => move(-1),
    },
    {
      id: 'data.next',
      title: 'Next pair',
      group: 'Data',
      keys: ['down', 'j'],
      repeat: true,
      disabled: index + 1 >= detail.itemCount,
      run: () => move(1),
    },
    { id: 'data.play', title: 'Play or pause', group: 'Data', keys: ['space'], run: () => toggle.current?.() },
  ])
  const tools = (
    <span className="row gap-1">
      <JumpField index={index} total={detail.itemCount} label="Number of the pair" onJump={setWanted} />
      <Button small icon={ArrowUp} aria-label="Previous pair" disabled={index === 0} onClick={() => move(-1)} />
      <Button
        small
        icon={ArrowDown}
        aria-label="Next pair"
        disabled={index + 1 >= detail.itemCount}
        onClick={() => move(1)}
      />
    </span>
  )
  return (
    <Panel title="Segments" actions={tools} flush>
      {error === null ? null : <ErrorNotice error={error} />}
      {row === undefined ? (
        <Loading what="Reading the segments" />
      ) : (
        <div className="segment-browser">
          <div className="pair-labels">
            {row.labels.length === 0 ? (
              <Say tone="info">Nobody has judged this pair.</Say>
            ) : (
              <span className="row wrap">
                {row.labels.map((label) => (
                  <Chip key={label.annotator}>
                    {label.annotator}:{' '}
                    {label.outcome === 'a' ? 'first' : label.outcome === 'b' ? 'second' : label.outcome}
                  </Chip>
                ))}
                <Chip>{row.split}</Chip>
              </span>
            )}
          </div>
          <Notes labels={row.labels} />
          <SegmentView
            pairId={row.pairId}
            world={row.pair.world}
            left={row.pair.a}
            right={row.pair.b}
            chosen={null}
            ghosts
            leftKey={undefined}
            rightKey={undefined}
            register={register}
            autoplay={false}
          />
          <div className="two pad">
            <Facts name="First" segment={row.pair.a} />
            <Facts name="Second" segment={row.pair.b} />
          </div>
        </div>
      )}
    </Panel>
  )
}

function Facts({ name, segment }: { readonly name: string; readonly segment: Segment }): ReactNode {
  const total = segment.rewards.reduce((sum, reward) => sum + reward, 0)
  return (
    <dl className="facts" aria-label={name}>
      <div>
        <dt>Score</dt>
        <dd className="mono">{segment.score === null ? '–' : formatNumber(segment.score)}</dd>
      </div>
      <div>
        <dt>Sum of rewards</dt>
        <dd className="mono">{formatNumber(total)}</dd>
      </div>
      <div>
        <dt>Who acted</dt>
        <dd>{segment.behaviour ?? '–'}</dd>
      </div>
    </dl>
  )
}
