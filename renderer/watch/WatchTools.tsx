import type { ReactNode } from 'react'
import { ChevronLeft, ChevronRight, Pause, Play, Shuffle } from 'lucide-react'
import { useCommands } from '../frame/commands.ts'
import { Button } from '../parts/Button.tsx'
import { KeyCap } from '../parts/KeyCap.tsx'
import { Segmented } from '../parts/Segmented.tsx'
import { SPEEDS, type Speed } from './follow.ts'
import type { Player } from './use-player.ts'

interface WatchToolsProps {
  readonly player: Player
  readonly frame: number
  readonly last: number
  /** No step will follow. */
  readonly whole: boolean
  onNext(): void
}

/** Play, step, speed and the next start, by mouse and key. */
export function WatchTools({ player, frame, last, whole, onNext }: WatchToolsProps): ReactNode {
  useCommands([
    { id: 'watch.play', title: 'Play or pause', group: 'Watch', keys: ['space'], run: player.toggle },
    {
      id: 'watch.back',
      title: 'One step back',
      group: 'Watch',
      keys: ['left'],
      repeat: true,
      run: () => player.go(frame - 1),
    },
    {
      id: 'watch.on',
      title: 'One step on',
      group: 'Watch',
      keys: ['right'],
      repeat: true,
      run: () => player.go(frame + 1),
    },
    { id: 'watch.first', title: 'First step', group: 'Watch', keys: ['home'], run: () => player.go(0) },
    { id: 'watch.next', title: 'Another start', group: 'Watch', keys: ['a'], run: onNext },
  ])
  return (
    <div className="segment-player">
      <Button icon={player.playing ? Pause : Play} keys="space" onClick={player.toggle}>
        {player.playing ? 'Pause' : 'Play'}
      </Button>
      <Button icon={ChevronLeft} aria-label="One step back" onClick={() => player.go(frame - 1)} />
      <Button icon={ChevronRight} aria-label="One step on" onClick={() => player.go(frame + 1)} />
      <input
        type="range"
        className="segment-slider"
        aria-label="Step"
        min={0}
        max={last}
        value={frame}
        onChange={(event) => player.go(event.currentTarget.valueAsNumber)}
      />
      <span className="mono nowrap">
        {frame + 1} / {last + 1}
        {whole ? '' : ' …'}
      </span>
      <Segmented<Speed>
        title="Speed"
        small
        value={player.speed}
        choices={SPEEDS.map((value) => ({ value, label: value }))}
        onChange={player.setSpeed}
      />
      <Button icon={Shuffle} onClick={onNext}>
        Another start <KeyCap keys="a" />
      </Button>
    </div>
  )
}
