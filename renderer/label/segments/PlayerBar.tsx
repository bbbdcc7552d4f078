import type { ReactNode } from 'react'
import { ChevronLeft, ChevronRight, Pause, Play } from 'lucide-react'
import { Button } from '../../parts/Button.tsx'
import { Segmented } from '../../parts/Segmented.tsx'
import type { Player } from './use-player.ts'

interface PlayerBarProps<S extends string> {
  readonly player: Player<S>
  /** What one picture is called. */
  readonly noun: 'frame' | 'step'
  readonly frame: number
  readonly last: number
  /** Where it is, as numbers. */
  readonly place: string
  readonly speeds: readonly { readonly value: S; readonly label: string }[]
  readonly children?: ReactNode
}

/** Play, picture by picture, a slider and a speed, in one row. */
export function PlayerBar<S extends string>(props: PlayerBarProps<S>): ReactNode {
  const { player, noun, frame, last, place, speeds, children } = props
  return (
    <div className="segment-player">
      <Button icon={ChevronLeft} aria-label={`One ${noun} back`} onClick={() => player.go(frame - 1)} />
      <Button icon={player.playing ? Pause : Play} keys="space" onClick={player.toggle}>
        {player.playing ? 'Pause' : 'Play'}
      </Button>
      <Button icon={ChevronRight} aria-label={`One ${noun} on`} onClick={() => player.go(frame + 1)} />
      <input
        type="range"
        className="segment-slider"
        aria-label={noun === 'frame' ? 'Frame' : 'Step'}
        min={0}
        max={last}
        value={frame}
        onChange={(event) => player.go(event.currentTarget.valueAsNumber)}
      />
      <span className="mono nowrap">{place}</span>
      <Segmented<S> title="Speed" small value={player.speed} choices={speeds} onChange={player.setSpeed} />
      {children}
    </div>
  )
}
