// A run's phase as the index holds it: its name, and how far it is where it says so, "evaluating 80/197".
import type { TrainerEvent } from '../../base/run-folder/protocol.ts'

export interface PhaseProgress {
  readonly done: number
  readonly total: number
}

export function writePhase({
  phase,
  done,
  total,
}: Pick<Extract<TrainerEvent, { type: 'phase' }>, 'phase' | 'done' | 'total'>): string {
  return done === null || total === null ? phase : `${phase} ${done}/${total}`
}

export function readPhase(text: string): { readonly phase: string; readonly progress: PhaseProgress | null } {
  const [, phase = text, done, total] = /^(\S+) (\d+)\/(\d+)$/.exec(text) ?? []
  return { phase, progress: done === undefined ? null : { done: Number(done), total: Number(total) } }
}
