import type { ReactNode } from 'react'
import { Shuffle } from 'lucide-react'
import { useCommands } from '../frame/commands.ts'
import { PlayerBar } from '../label/segments/PlayerBar.tsx'
import type { Player } from '../label/segments/use-player.ts'
import { Button } from '../parts/Button.tsx'
import { SPEEDS, type Speed } from './follow.ts'

interface WatchToolsProps {
  readonly player: Player<Speed>
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
    <PlayerBar<Speed>
      player={player}
      noun="step"
      frame={frame}
      last={last}
      place={`${frame + 1} / ${last + 1}${whole ? '' : ' …'}`}
      speeds={SPEEDS.map((value) => ({ value, label: value }))}
    >
      <Button icon={Shuffle} keys="a" onClick={onNext}>
        Another start
      </Button>
    </PlayerBar>
  )
}
