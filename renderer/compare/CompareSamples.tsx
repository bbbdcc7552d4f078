import { useState, type ReactNode } from 'react'
import { useCall } from '../api/queries.ts'
import { useCommands } from '../frame/commands.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { Button } from '../parts/Button.tsx'
import { Chip } from '../parts/Chip.tsx'
import { formatNumber } from '../../shared/units.ts'
import { KeyCap } from '../parts/KeyCap.tsx'
import { lookOf } from './compare-charts.ts'
import type { CompareState } from './use-compare.ts'

const COLUMNS_AT_MOST = 4

/** One run of each visible configuration, of the same seed where they share one. */
function chooseRuns(state: CompareState): { readonly runIds: readonly string[]; readonly seed: number | null } {
  const groups = (state.comparison?.groups ?? [])
    .filter((group) => !state.hidden.has(group.groupHash))
    .slice(0, COLUMNS_AT_MOST)
  const shared = (groups[0]?.seeds ?? []).find((seed) => groups.every((group) => group.seeds.includes(seed))) ?? null
  return {
    seed: shared,
    runIds: groups.flatMap(
      (group) => group.runIds[Math.max(0, shared === null ? 0 : group.seeds.indexOf(shared))] ?? [],
    ),
  }
}

/** What each configuration answers to the same held-out prompt. */
export function CompareSamples({ state }: { readonly state: CompareState }): ReactNode {
  const [wanted, setWanted] = useState(0)
  const { runIds, seed } = chooseRuns(state)
  const { data } = useCall(
    'comparisons.samples',
    { runIds: runIds as never },
    { enabled: runIds.length > 0, keepPrevious: true },
  ) // ids of the comparison's own groups
  const prompts = data ?? []
  const at = Math.min(wanted, Math.max(0, prompts.length - 1))
  const prompt = prompts[at]
  const move = (by: number): void => setWanted(Math.min(prompts.length - 1, Math.max(0, at + by)))
  useCommands([
    {
      id: 'compare.before',
      title: 'Prompt before',
      group: 'Compare',
      keys: ['left'],
      repeat: true,
      disabled: at === 0,
      run: () => move(-1),
    },
    {
      id: 'compare.after',
      title: 'Next prompt',
      group: 'Compare',
      keys: ['right'],
      repeat: true,
      disabled: at >= prompts.length - 1,
      run: () => move(1),
    },
  ])
  const groups = state.comparison?.groups ?? []
  const visible = groups.filter((group) => !state.hidden.has(group.groupHash)).length
  const baseline = state.comparison?.differences[0]?.baseline
  return (
    <section className="compare-samples" aria-label="Samples side by side">
      <div className="compare-samples-head">
        <h2 className="nowrap">Same prompt{seed === null ? '' : `, seed ${seed}`}</h2>
        {prompt === undefined ? null : (
          <span className="small text-3 ellipsis grow" title={prompt.prompt}>
            “{prompt.prompt.trim()}”
          </span>
        )}
        {visible > runIds.length ? (
          <span className="small text-3 nowrap">
            {runIds.length} of {visible} configurations; hide some to see others
          </span>
        ) : null}
        {prompts.length === 0 ? (
          <span className="grow" />
        ) : (
          <span className="small text-3 mono nowrap">
            {at + 1} / {prompts.length}
          </span>
        )}
        <Button small look="quiet" aria-label="Prompt before" disabled={at === 0} onClick={() => move(-1)}>
          <KeyCap keys="left" />
        </Button>
        <Button small look="quiet" aria-label="Next prompt" disabled={at >= prompts.length - 1} onClick={() => move(1)}>
          <KeyCap keys="right" />
        </Button>
      </div>
      {prompt === undefined ? (
        <p className="run-empty">
          {data === undefined ? '' : 'These runs have no samples yet. Set “Sample prompts” above 0 to get some.'}
        </p>
      ) : (
        <div
          className="compare-answers"
          style={{ gridTemplateColumns: `repeat(${Math.max(1, prompt.answers.length)}, minmax(0, 1fr))` }}
        >
          {prompt.answers.map((answer) => {
            const group = groups.find((one) => one.runIds.includes(answer.runId))
            return (
              <article key={answer.runId}>
                <div className="row small">
                  {group === undefined ? null : <LineSwatch {...lookOf(state.looks, group.groupHash)} />}
                  <b className="mono grow ellipsis" title={answer.runId}>
                    {group?.label ?? answer.runId}
                  </b>
                  {group !== undefined && group.groupHash === baseline ? <Chip>baseline</Chip> : null}
                </div>
                <p className="answer">
                  {answer.item.completion === '' ? <span className="text-3">empty</span> : answer.item.completion}
                </p>
                <p className="small text-3">
                  {answer.item.reward === null ? null : (
                    <>
                      reward <b className="mono text-2">{formatNumber(answer.item.reward)}</b>,{' '}
                    </>
                  )}
                  step <span className="mono">{answer.step}</span>, <span className="mono">{answer.item.tokens}</span>{' '}
                  tokens{answer.item.logRatio === null ? '' : `, log-ratio ${formatNumber(answer.item.logRatio)} nats`}
                </p>
              </article>
            )
          })}
        </div>
      )}
    </section>
  )
}
