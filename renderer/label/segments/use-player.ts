import { useEffect, useState } from 'react'

export interface Player<S extends string> {
  readonly frame: number
  readonly playing: boolean
  readonly speed: S
  go(frame: number): void
  toggle(): void
  setSpeed(speed: S): void
}

interface PlayerOptions<S extends string> {
  /** Another one begins anew. */
  readonly key: string
  /** The last picture there is by now, and whether that is the end. */
  readonly last: number
  readonly whole?: boolean
  /** At first. */
  readonly speed: S
  /** How long a picture stays, and how many frames the next one is on. */
  paceOf(speed: S): { readonly everyMs: number; readonly steps: number }
  /** False: it waits to be started. */
  readonly autoplay?: boolean
}

/** Plays once from the start, unless motion is to be reduced; while more is still coming it waits for it. */
export function usePlayer<S extends string>({
  key,
  last,
  whole = true,
  speed: first,
  paceOf,
  autoplay = true,
}: PlayerOptions<S>): Player<S> {
  const still = !autoplay || window.matchMedia('(prefers-reduced-motion: reduce)').matches
  const [at, setAt] = useState({ key, frame: 0, playing: !still })
  const [speed, setSpeed] = useState<S>(first)
  if (at.key !== key) setAt({ key, frame: 0, playing: !still })
  const { frame, playing } = at
  const waits = frame >= last && !whole
  const { everyMs, steps } = paceOf(speed)
  useEffect(() => {
    if (!playing || waits) return undefined
    const timer = setTimeout(
      () =>
        setAt((now) =>
          now.frame >= last ? { ...now, playing: !whole } : { ...now, frame: Math.min(last, now.frame + steps) },
        ),
      everyMs,
    )
    return () => clearTimeout(timer)
  }, [playing, waits, frame, last, whole, everyMs, steps])
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
