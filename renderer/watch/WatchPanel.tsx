import { useEffect, useState, type ReactNode } from 'react'
import type { Output } from '../../shared/contract.ts'
import type { RunDetail } from '../../shared/contract/runs.ts'
import type { WorldSummary } from '../../shared/contract/segments.ts'
import type { ActingPlayer } from '../../shared/contract/watch.ts'
import { ROLL_OUT_SEED } from '../../shared/segments.ts'
import { formatNumber } from '../../shared/units.ts'
import { callApp, useCall } from '../api/queries.ts'
import { SegmentPane, rangesOf } from '../label/segments/SegmentPane.tsx'
import { stageOf } from '../label/segments/scene.ts'
import { usePlayer } from '../label/segments/use-player.ts'
import { Chip } from '../parts/Chip.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { type Speed, describe, extentOf, paceOf, soFar } from './follow.ts'
import { StartFields } from './StartFields.tsx'
import { useEpisode, type EpisodeState, type Steps } from './use-episode.ts'
import { WatchTools } from './WatchTools.tsx'
import '../label/label.css'
import './watch.css'

type Choice = Output<'watch.players'>[number]

/** The policy of a control run acts in its world, alone or beside another, from one start. */
export function WatchPanel({ run, worldId }: { readonly run: RunDetail; readonly worldId: string }): ReactNode {
  const worlds = useCall('worlds.list', {}).data
  useEffect(
    () => () => {
      callApp('watch.end', {}).catch(() => undefined) // an app that is gone has no process either
    },
    [],
  )
  if (run.checkpoints.length === 0)
    return <p className="run-empty">The policy can be watched from its first checkpoint on.</p>
  if (worlds === undefined) return <Loading what="Reading the worlds" />
  const world = worlds.find((one) => one.id === worldId)
  if (world === undefined)
    return <p className="run-empty">These segments come from no world of Pairlab, so their policy cannot act.</p>
  return <Watch run={run} world={world} />
}

function Watch({ run, world }: { readonly run: RunDetail; readonly world: WorldSummary }): ReactNode {
  const first = ROLL_OUT_SEED + run.seed
  const [start, setStart] = useState({ seed: first, episode: 0 })
  const [checkpoint, setCheckpoint] = useState('best')
  const [other, setOther] = useState('')
  const choices = useCall('watch.players', { runId: run.runId }).data ?? []
  const beside = choices.find((one) => keyOf(one) === other)
  const own: ActingPlayer = { kind: 'run', runId: run.runId, checkpoint: readCheckpoint(checkpoint) }
  const mine = useEpisode(world.id, own, start)
  const theirs = useEpisode(world.id, beside?.player ?? null, start)
  const sides = [
    { name: run.name, state: mine },
    ...(beside === undefined ? [] : [{ name: beside.title, state: theirs }]),
  ]
  const acted = sides.flatMap(({ name, state }) => (state.acted === null ? [] : [{ name, acted: state.acted }]))
  // Both begin together: nothing moves before each has something to show.
  const ready = acted.length === sides.length
  const { last, whole } = ready ? extentOf(acted.map((one) => one.acted)) : { last: 0, whole: false }
  const player = usePlayer<Speed>({
    key: JSON.stringify([start, checkpoint, other]),
    last,
    whole,
    speed: 'real',
    paceOf: (speed) => paceOf(speed, world.stepSeconds),
  })
  const frame = Math.min(player.frame, last)
  const hasSuccess = world.success !== null
  const said = !ready || player.playing ? '' : describe(frame, last + 1, acted, hasSuccess)
  return (
    <section className="watch" aria-label="Watch the policy act">
      <div className="watch-tools">
        <span className="row gap-1">
          <span className="small text-2">Checkpoint</span>
          <select
            aria-label="Checkpoint"
            className="select select-small"
            value={checkpoint}
            onChange={(event) => setCheckpoint(event.currentTarget.value)}
          >
            <option value="best">best{run.chosen === null ? '' : `, step ${run.chosen.step}`}</option>
            <option value="last">last, step {run.checkpoints.at(-1)?.step}</option>
            {run.checkpoints.map(({ step }) => (
              <option key={step} value={step}>
                step {step}
              </option>
            ))}
          </select>
        </span>
        <span className="row gap-1">
          <span className="small text-2">Beside</span>
          <OtherSelect choices={choices} value={other} onChange={setOther} />
        </span>
        <StartFields start={start} counted={first} episodes={episodesOf(run)} onChange={setStart} />
      </div>
      <div className="segment-panes" data-alone={sides.length === 1}>
        {sides.map(({ name, state }, at) => (
          <Side
            key={at === 0 ? 'own' : 'other'}
            name={name}
            state={state}
            world={world}
            frame={frame}
            shown={acted.map((one) => one.acted)}
            onAgain={at === 0 ? mine.again : theirs.again}
          />
        ))}
      </div>
      <WatchTools
        player={player}
        frame={frame}
        last={last}
        whole={whole}
        onNext={() => setStart({ ...start, episode: start.episode + 1 })}
      />
      <output className="hidden-visually">{said}</output>
    </section>
  )
}

function episodesOf({ spec }: RunDetail): number {
  const { evalEpisodes } = spec.config as { readonly evalEpisodes?: unknown } // every control method has it
  return typeof evalEpisodes === 'number' ? evalEpisodes : 0
}

function readCheckpoint(text: string): 'best' | 'last' | number {
  return text === 'best' || text === 'last' ? text : Number(text)
}

const keyOf = ({ player }: Choice): string => JSON.stringify(player)

function OtherSelect({
  choices,
  value,
  onChange,
}: {
  readonly choices: readonly Choice[]
  readonly value: string
  onChange(value: string): void
}): ReactNode {
  const group = (name: Choice['group'], title: string): ReactNode => {
    const some = choices.filter((one) => one.group === name)
    return some.length === 0 ? null : (
      <optgroup label={title}>
        {some.map((one) => (
          <option key={keyOf(one)} value={keyOf(one)}>
            {one.title}
          </option>
        ))}
      </optgroup>
    )
  }
  return (
    <select
      aria-label="Beside"
      className="select select-small"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      <option value="">nobody</option>
      {group('data', 'Who acted in its data')}
      {group('scripts', 'Scripts of the world')}
      {group('runs', 'Runs in the same world')}
    </select>
  )
}

interface SideProps {
  readonly name: string
  readonly state: EpisodeState
  readonly world: WorldSummary
  readonly frame: number
  /** Of all sides, for one range of their curves. */
  readonly shown: readonly Steps[]
  onAgain(): void
}

function Side({ name, state, world, frame, shown, onAgain }: SideProps): ReactNode {
  const { acted, error } = state
  if (error !== null) return <ErrorNotice error={error} onRetry={onAgain} />
  if (acted === null) return <Loading what={`${name} begins to act`} />
  const stage = stageOf(world.id)
  const at = Math.min(frame, acted.rewards.length - 1)
  const { total, success } = soFar(acted, at)
  return (
    <SegmentPane
      name={name}
      shown={acted}
      stage={stage}
      frame={at}
      ghosts
      keys={undefined}
      chosen={false}
      ranges={rangesOf(stage, shown)}
      note={
        <>
          {world.success !== null && success ? <Chip tone="good">success</Chip> : null}
          <span className="small text-3 nowrap">
            return <span className="mono">{formatNumber(total)}</span>
          </span>
        </>
      }
    />
  )
}
