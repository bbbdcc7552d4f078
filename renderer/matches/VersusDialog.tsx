import { useState, type ReactNode } from 'react'
import { Link } from 'wouter'
import type { Player } from '../../shared/contract/matches.ts'
import type { PlaygroundSources } from '../../shared/contract/playground.ts'
import type { RunSummary } from '../../shared/contract/runs.ts'
import { useCall, useMutate } from '../api/queries.ts'
import { goTo } from '../frame/location.ts'
import { Button } from '../parts/Button.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { Field } from '../parts/Field.tsx'
import { ErrorNotice } from '../parts/states.tsx'
import { readSource } from '../playground/playground-state.ts'
import { SourcePicker } from '../playground/SourcePicker.tsx'
import { judgeOf, rewardModels, RULES } from './judge-choice.ts'
import './matches.css'

const DATA_PLAYERS = [
  { value: 'data:chosen', label: 'the preferred answers' },
  { value: 'data:rejected', label: 'the other answers' },
]

const NUMBERS = [
  { id: 'prompts', name: 'Prompts', help: 'Of the test side, in the order of the data.' },
  { id: 'samples', name: 'Answers to each', help: 'More make the interval narrower.' },
  { id: 'temperature', name: 'Temperature', help: '1 is the policy itself, 0 greedy.' },
  { id: 'maxTokens', name: 'Longest answer', help: 'In tokens.' },
] as const

type Numbers = Readonly<Record<(typeof NUMBERS)[number]['id'], string>>

interface VersusProps {
  readonly first: string
  readonly second: string
  readonly sources: PlaygroundSources
  readonly runs: readonly RunSummary[]
  onClose(): void
}

function playerOf(name: string): Player | null {
  if (name === 'data:chosen' || name === 'data:rejected')
    return { kind: 'data', answers: name === 'data:chosen' ? 'chosen' : 'rejected' }
  return readSource(name)
}

/** Who plays against whom, and who judges. */
export function VersusDialog({ first, second, sources, runs, onClose }: VersusProps): ReactNode {
  const all = useCall('runs.list', {}).data ?? []
  const judges = rewardModels(all, new Set(runs.map((run) => run.datasetId)))
  const [players, setPlayers] = useState<readonly [string, string]>([first, second])
  const [wanted, setWanted] = useState<string | null>(null)
  const kind = wanted ?? (judges[0] === undefined ? 'people' : `run:${judges[0].runId}`)
  const [text, setText] = useState('')
  const [asked, setAsked] = useState(first)
  const [numbers, setNumbers] = useState<Numbers>({ prompts: '100', samples: '1', temperature: '1', maxTokens: '128' })
  const start = useMutate('matches.start', { invalidate: ['matches.list'] })
  const [one, other] = [playerOf(players[0]), playerOf(players[1])]
  const judge = judgeOf({ kind, text, asked }, readSource)
  const values = Object.entries(numbers).map(([, typed]) => Number(typed))
  const wrong =
    Object.values(numbers).some((typed) => typed.trim() === '') || values.some((value) => !Number.isFinite(value))
  const rule = RULES.find((known) => known.kind === kind)

  function play(): void {
    if (one === null || other === null || judge === null || wrong) return
    start.mutate(
      {
        players: [one, other],
        judge,
        datasetId: one.kind === 'run' || other.kind === 'run' ? null : ((runs[0]?.datasetId ?? null) as never), // of a run
        prompts: Number(numbers.prompts),
        samples: Number(numbers.samples),
        settings: { temperature: Number(numbers.temperature), maxTokens: Number(numbers.maxTokens) },
      },
      { onSuccess: ({ matchId }) => goTo(`/matches/${matchId}`) },
    )
  }

  return (
    <Dialog
      title="Play one against the other"
      width={640}
      onClose={onClose}
      foot={
        <>
          <Link href="/matches" className="small grow">
            Matches that were played
          </Link>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            disabled={one === null || other === null || judge === null || wrong || start.isPending}
            onClick={play}
          >
            Play
          </Button>
        </>
      }
    >
      <form
        className="versus-form"
        onSubmit={(event) => {
          event.preventDefault()
          play()
        }}
      >
        <p className="text-2">
          Both answer the same held-out prompts with the same random numbers; a judge says which answer is better.
        </p>
        {(['First', 'Second'] as const).map((name, at) => (
          <div className="versus-player" key={name}>
            <span className="field-name">{name}</span>
            <span className="row wrap">
              <SourcePicker
                label={name}
                value={players[at]!}
                sources={sources}
                more={DATA_PLAYERS}
                onChange={(value) => setPlayers(at === 0 ? [value, players[1]] : [players[0], value])}
              />
            </span>
          </div>
        ))}
        <div className="versus-player">
          <label className="field-name" htmlFor="versus-judge">
            Judge
          </label>
          <span className="row wrap">
            <select
              id="versus-judge"
              className="select select-small"
              value={kind}
              onChange={(event) => setWanted(event.currentTarget.value)}
            >
              {judges.length === 0 ? null : (
                <optgroup label="Reward models trained here">
                  {judges.map((run) => (
                    <option key={run.runId} value={`run:${run.runId}`}>
                      {run.name} s{run.seed} · {run.datasetName}
                    </option>
                  ))}
                </optgroup>
              )}
              <option value="people">People, blind, on the Label page</option>
              <option value="ask">A model that is asked, in both orders</option>
              <optgroup label="Rules">
                {RULES.map((one) => (
                  <option key={one.kind} value={one.kind}>
                    {one.label}
                  </option>
                ))}
              </optgroup>
            </select>
            {kind === 'ask' ? (
              <SourcePicker label="Judge" value={asked} sources={sources} onChange={setAsked} />
            ) : rule === undefined ? null : (
              <input
                className="input input-small mono"
                aria-label={rule.label}
                placeholder={rule.placeholder}
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
              />
            )}
          </span>
        </div>
        <div className="versus-numbers">
          {NUMBERS.map(({ id, name, help }) => (
            <Field
              key={id}
              name={name}
              help={help}
              render={(control) => (
                <input
                  {...control}
                  className="input input-small mono"
                  inputMode="decimal"
                  value={numbers[id]}
                  onChange={(event) => {
                    const { value } = event.currentTarget
                    setNumbers((before) => ({ ...before, [id]: value }))
                  }}
                />
              )}
            />
          ))}
        </div>
        {start.error === null ? null : <ErrorNotice error={start.error} />}
      </form>
    </Dialog>
  )
}
