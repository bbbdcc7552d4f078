import { useEffect, type ReactNode } from 'react'
import { useCommands } from '../../frame/commands.ts'
import type { Verdict } from '../verdicts.ts'
import { PlayerBar } from './PlayerBar.tsx'
import { stageOf } from './scene.ts'
import { SegmentPane, rangesOf, type Shown } from './SegmentPane.tsx'
import { usePlayer } from './use-player.ts'

const SPEEDS = ['0.25', '0.5', '1', '2'] as const
type Speed = (typeof SPEEDS)[number]
const SPEED_CHOICES = [
  { value: '0.25', label: '¼×' },
  { value: '0.5', label: '½×' },
  { value: '1', label: '1×' },
  { value: '2', label: '2×' },
] as const satisfies readonly { value: Speed; label: string }[]
/** Frames a second at speed 1: slow enough to judge by. */
const FRAMES_PER_SEC = 25

interface SegmentViewProps {
  readonly pairId: string
  readonly world: string | null
  readonly left: Shown
  readonly right: Shown
  readonly chosen: Verdict | null
  readonly ghosts: boolean
  readonly leftKey: string | undefined
  readonly rightKey: string | undefined
  /** Plays a new pair from its start. */
  readonly autoplay?: boolean
  /** Takes play and pause for the page's own keys; null when the view is gone. */
  register(toggle: (() => void) | null): void
}

/** Two segments side by side at the same frame, with what was done to get there. */
export function SegmentView({
  pairId,
  world,
  left,
  right,
  chosen,
  ghosts,
  leftKey,
  rightKey,
  register,
  autoplay = true,
}: SegmentViewProps): ReactNode {
  const last = Math.max(left.actions.length, right.actions.length) - 1
  const player = usePlayer<Speed>({ key: pairId, last, speed: '1', paceOf, autoplay })
  const { frame, speed } = player
  useEffect(() => {
    register(player.toggle)
    return () => register(null)
  })
  useCommands([
    {
      id: 'segments.back',
      title: 'One frame back',
      group: 'Label',
      keys: [','],
      repeat: true,
      run: () => player.go(frame - 1),
    },
    {
      id: 'segments.on',
      title: 'One frame on',
      group: 'Label',
      keys: ['.'],
      repeat: true,
      run: () => player.go(frame + 1),
    },
    { id: 'segments.first', title: 'First frame', group: 'Label', keys: ['home'], run: () => player.go(0) },
    {
      id: 'segments.slower',
      title: 'Slower',
      group: 'Label',
      keys: ['['],
      run: () => player.setSpeed(SPEEDS[Math.max(0, SPEEDS.indexOf(speed) - 1)]!),
    },
    {
      id: 'segments.faster',
      title: 'Faster',
      group: 'Label',
      keys: [']'],
      run: () => player.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(speed) + 1)]!),
    },
  ])
  const stage = stageOf(world)
  const ranges = rangesOf(stage, [left, right])
  const pane = (name: string, shown: Shown, key: string | undefined, side: 'left' | 'right'): ReactNode => (
    <SegmentPane
      name={name}
      shown={shown}
      stage={stage}
      frame={Math.min(frame, shown.actions.length - 1)}
      ghosts={ghosts}
      keys={key}
      chosen={chosen === side}
      ranges={ranges}
    />
  )
  return (
    <section className="segments" aria-label="The two segments" data-pair={pairId}>
      <div className="segment-panes">
        {pane('Segment A', left, leftKey, 'left')}
        {pane('Segment B', right, rightKey, 'right')}
      </div>
      <PlayerBar<Speed>
        player={player}
        noun="frame"
        frame={frame}
        last={last}
        place={`${frame} / ${last}`}
        speeds={SPEED_CHOICES}
      />
    </section>
  )
}

function paceOf(speed: Speed): { readonly everyMs: number; readonly steps: number } {
  return { everyMs: 1000 / (FRAMES_PER_SEC * Number(speed)), steps: 1 }
}
