import type { ReactNode } from 'react'
import { engineName } from '../../shared/domain.ts'
import type { EngineInfo } from '../../shared/contract/engines.ts'
import { useCall } from '../api/queries.ts'
import type { Draft } from './draft.ts'
import { SettingRow } from './SettingRow.tsx'
import type { TrainForm } from './use-train.ts'

/** Which engine computes, and on how many threads. */
export function EngineRows({ form }: { readonly form: TrainForm }): ReactNode {
  const overview = useCall('engines.list', {}).data
  const { draft } = form
  const change = (next: Partial<Draft>): void => form.change({ ...draft, ...next })
  const auto = form.check?.engine ?? overview?.chosen.training
  const named = overview?.engines.find((one) => one.name === draft.engine)
  const help =
    draft.engine === 'auto' ? (
      auto === undefined ? (
        'auto takes the fastest that passed its test here.'
      ) : (
        <>
          auto takes <b>{overview?.chosen.training.name ?? auto.name}</b>: {overview?.chosen.training.why ?? auto.why}.
          If it cannot be opened, the run says so and goes on with the next.
        </>
      )
    ) : named === undefined ? (
      'A run on a named engine fails where that cannot be opened.'
    ) : (
      <>
        {describe(named)} A run on a named engine fails where that cannot be opened.{' '}
        <a href="#/settings">Settings → Compute</a>
      </>
    )
  return (
    <>
      <SettingRow
        title="Engine"
        help={help}
        changed={draft.engine !== 'auto'}
        base="auto"
        problem={form.problems['engine']}
        onReset={() => change({ engine: 'auto' })}
        render={(control) => (
          <select
            {...control}
            className="select"
            value={draft.engine}
            onChange={(event) => change({ engine: event.currentTarget.value as Draft['engine'] })}
          >
            <option value="auto">auto{overview === undefined ? '' : ` (${overview.chosen.training.name})`}</option>
            {engineName.options.map((name) => (
              <option key={name} value={name}>
                {name}
                {stateWord(overview?.engines.find((one) => one.name === name))}
              </option>
            ))}
          </select>
        )}
      />
      <SettingRow
        title="Threads"
        help="Of the processor’s engines. Left empty, a run takes every core, up to eight; with several runs at a time fewer are better."
        changed={draft.threads.trim() !== ''}
        base="all cores"
        problem={form.problems['threads']}
        onReset={() => change({ threads: '' })}
        render={(control) => (
          <input
            {...control}
            className="input mono"
            value={draft.threads}
            placeholder="all cores"
            inputMode="numeric"
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => change({ threads: event.currentTarget.value })}
          />
        )}
      />
    </>
  )
}

function stateWord(engine: EngineInfo | undefined): string {
  if (engine === undefined || engine.state === 'ready') return ''
  return `, ${engine.state.replace('-', ' ')}`
}

function describe({ state, device, error, note }: EngineInfo): string {
  if (state === 'not-here') return `It is not here: ${error?.message ?? ''}`
  if (state === 'not-tested') return `Not tested yet. ${note}`
  return `${device}.`
}
