import { useEffect, useState, type ReactNode } from 'react'
import { ChevronLeft, ChevronRight, Pause, Play } from 'lucide-react'
import { useCommands } from '../../frame/commands.ts'
import { KeyCap } from '../../parts/KeyCap.tsx'
import { Segmented } from '../../parts/Segmented.tsx'
import type { Verdict } from '../verdicts.ts'
import { stageOf } from './scene.ts'
import { SegmentPane, rangesOf, type Shown } from './SegmentPane.tsx'

const SPEEDS = ['0.25', '0.5', '1', '2'] as const
type Speed = (typeof SPEEDS)[number]
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
  const player = usePlayer(pairId, last, autoplay)
  const { frame, playing, speed } = player
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
      <div className="segment-player">
        <button type="button" className="btn btn-icon" aria-label="One frame back" onClick={() => player.go(frame - 1)}>
          <ChevronLeft className="icon" aria-hidden="true" />
        </button>
        <button type="button" className="btn" onClick={player.toggle}>
          {playing ? <Pause className="icon" aria-hidden="true" /> : <Play className="icon" aria-hidden="true" />}
          {playing ? 'Pause' : 'Play'} <KeyCap keys="space" />
        </button>
        <button type="button" className="btn btn-icon" aria-label="One frame on" onClick={() => player.go(frame + 1)}>
          <ChevronRight className="icon" aria-hidden="true" />
        </button>
        <input
          type="range"
          className="segment-slider"
          aria-label="Frame"
          min={0}
          max={last}
          value={frame}
          onChange={(event) => player.go(event.currentTarget.valueAsNumber)}
        />
        <span className="mono nowrap">
          {frame} / {last}
        </span>
        <Segmented<Speed>
          title="Speed"
          small
          value={speed}
          choices={[
            { value: '0.25', label: '¼×' },
            { value: '0.5', label: '½×' },
            { value: '1', label: '1×' },
            { value: '2', label: '2×' },
          ]}
          onChange={player.setSpeed}
        />
      </div>
    </section>
  )
}

interface Player {
  readonly frame: number
  readonly playing: boolean
  readonly speed: Speed
  go(frame: number): void
  toggle(): void
  setSpeed(speed: Speed): void
}

/** Plays once from the start, unless motion is to be reduced; a new pair begins anew. */
function usePlayer(pairId: string, last: number, autoplay: boolean): Player {
  const still = !autoplay || window.matchMedia('(prefers-reduced-motion: reduce)').matches
  const [at, setAt] = useState({ pairId, frame: 0, playing: !still })
  const [speed, setSpeed] = useState<Speed>('1')
  if (at.pairId !== pairId) setAt({ pairId, frame: 0, playing: !still })
  const { frame, playing } = at
  useEffect(() => {
    if (!playing) return undefined
    const timer = setTimeout(
      () => setAt((now) => (now.frame >= last ? { ...now, playing: false } : { ...now, frame: now.frame + 1 })),
      1000 / (FRAMES_PER_SEC * Number(speed)),
    )
    return () => clearTimeout(timer)
  }, [playing, frame, last, speed])
  return {
    frame,
    playing,
    speed,
    go: (to) => setAt((now) => ({ ...now, frame: Math.min(last, Math.max(0, to)), playing: false })),
    toggle: () =>
      setAt((now) =>
        now.playing ? { ...now, playing: false } : { ...now, playing: true, frame: now.frame >= last ? 0 : now.frame },
      ),
    setSpeed,
  }
}
