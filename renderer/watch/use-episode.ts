import { useEffect, useState } from 'react'
import type { Output } from '../../shared/contract.ts'
import type { ActingPlayer } from '../../shared/contract/watch.ts'
import type { AppError } from '../../shared/errors.ts'
import { asAppError } from '../api/client.ts'
import { callApp } from '../api/queries.ts'
import { joinSteps } from './follow.ts'

/** The first piece is short, so that the picture starts at once. */
const FIRST_STEPS = 8
const MORE_STEPS = 64

export type Steps = Output<'watch.act'>

export interface EpisodeState {
  /** What was acted so far; null before the first steps. */
  readonly acted: Steps | null
  readonly error: AppError | null
}

const NOTHING: EpisodeState = { acted: null, error: null }

/** An episode, piece by piece until its end. @param player null: nobody acts */
export function useEpisode(
  world: string,
  player: ActingPlayer | null,
  start: { readonly seed: number; readonly episode: number },
): EpisodeState & { again(): void } {
  const [tries, setTries] = useState(0)
  const key = player === null ? '' : JSON.stringify([world, player, start, tries])
  const [state, setState] = useState<EpisodeState & { readonly of: string }>({ ...NOTHING, of: '' })
  useEffect(() => {
    if (key === '') return undefined
    let gone = false
    const [ofWorld, ofPlayer, from] = JSON.parse(key) as [string, ActingPlayer, typeof start]
    const follow = async (): Promise<void> => {
      let acted: Steps | null = null
      while (!gone && acted?.ended !== true) {
        const more: Steps = await callApp('watch.act', {
          world: ofWorld,
          player: ofPlayer,
          start: from,
          from: acted?.rewards.length ?? 0,
          steps: acted === null ? FIRST_STEPS : MORE_STEPS,
        })
        acted = acted === null ? more : joinSteps(acted, more)
        if (!gone) setState({ acted, error: null, of: key })
      }
    }
    follow().catch((error: unknown) => gone || setState({ acted: null, error: asAppError(error), of: key }))
    return () => {
      gone = true
    }
  }, [key])
  const shown = state.of === key ? state : NOTHING
  return { ...shown, again: () => setTries(tries + 1) }
}
