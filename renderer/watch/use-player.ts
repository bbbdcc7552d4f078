import { useEffect, useState } from 'react'
import { paceOf, type Speed } from './follow.ts'

export interface Player {
  readonly frame: number
  readonly playing: boolean
  readonly speed: Speed
  go(frame: number): void
  toggle(): void
  setSpeed(speed: Speed): void
}

interface PlayerOptions {
  /** Another one begins anew. */
  readonly key: string
  /** The last picture there is by now, and whether that is the end. */
  readonly last: number
  readonly whole: boolean
  readonly stepSeconds: number
}

/** Plays while the episode is still being acted; once from the start, unless motion is to be reduced. */
export function usePlayer({ key, last, whole, stepSeconds }: PlayerOptions): Player {
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches
  const [at, setAt] = useState({ key, frame: 0, playing: !still })
  const [speed, setSpeed] = useState<Speed>('real')
  if (at.key !== key) setAt({ key, frame: 0, playing: !still })
  const { frame, playing } = at
  const waits = frame >= last && !whole
  useEffect(() => {
    if (!playing || waits) return undefined
    const { everyMs, steps } = paceOf(speed, stepSeconds)
    const timer = setTimeout(
      () =>
        setAt((now) =>
          now.frame >= last ? { ...now, playing: !whole } : { ...now, frame: Math.min(last, now.frame + steps) },
        ),
      everyMs,
    )
    return () => clearTimeout(timer)
  }, [playing, waits, frame, last, whole, speed, stepSeconds])
  return {
    frame,
    playing,
    speed,
    go: (to) => setAt((now) => ({ ...now, frame: Math.min(last, Math.max(0, to)), playing: false })),
    toggle: () =>
      setAt((now) =>
        now.playing
          ? { ...now, playing: false }
          : { ...now, playing: true, frame: whole && now.frame >= last ? 0 : now.frame },
      ),
    setSpeed,
  }
}
