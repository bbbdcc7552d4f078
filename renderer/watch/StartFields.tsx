import type { ReactNode } from 'react'
import { Chip } from '../parts/Chip.tsx'

interface Start {
  readonly seed: number
  readonly episode: number
}

interface StartFieldsProps {
  readonly start: Start
  /** Seed of the run's own evaluations, and how many episodes they count. */
  readonly counted: number
  readonly episodes: number
  onChange(start: Start): void
}

/** Where the episode begins: a seed, and a number under it, as evaluations count them. */
export function StartFields({ start, counted, episodes, onChange }: StartFieldsProps): ReactNode {
  const field = (name: 'seed' | 'episode', title: string): ReactNode => (
    <label className="row gap-1">
      <span className="small text-2">{title}</span>
      <input
        className="input input-small mono watch-number"
        type="number"
        min={0}
        step={1}
        value={start[name]}
        onChange={(event) => {
          const value = event.currentTarget.valueAsNumber
          if (Number.isSafeInteger(value) && value >= 0) onChange({ ...start, [name]: value })
        }}
      />
    </label>
  )
  return (
    <>
      {field('seed', 'Seed')}
      {field('episode', 'Episode')}
      {start.seed === counted && start.episode < episodes ? (
        <Chip title="The run’s evaluations begin here too: under the same weights the return is the one that they count.">
          evaluation
        </Chip>
      ) : null}
    </>
  )
}
