import { useState, type ReactNode } from 'react'
import { Copy } from 'lucide-react'
import { useWidth } from '../charts/use-width.ts'
import { IntervalPlot } from '../charts/IntervalPlot.tsx'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { Button } from '../parts/Button.tsx'
import { Section } from '../parts/Panel.tsx'
import { Say } from '../parts/Say.tsx'
import { arrowOf } from '../../shared/metric-names.ts'
import { copyText } from '../run/copy-text.ts'
import { differenceRows, lookOf } from './compare-charts.ts'
import { AllSettings } from './AllSettings.tsx'
import { CompareItems } from './CompareItems.tsx'
import { CompareRobust } from './CompareRobust.tsx'
import type { CompareState } from './use-compare.ts'

/** What follows from the numbers, and what does not. */
export function CompareSide({ state }: { readonly state: CompareState }): ReactNode {
  const { comparison } = state
  if (comparison === undefined) return null
  return (
    <>
      <section className="section concluded">
        <div className="section-head">
          <h2 className="grow">What can be concluded</h2>
          <Button
            small
            icon={Copy}
            onClick={() => copyText(comparison.conclusions.join('\n'), 'The sentences are copied.')}
          >
            Copy
          </Button>
        </div>
        {comparison.conclusions.map((text) => (
          <p key={text}>{text}</p>
        ))}
      </section>
      <Differences state={state} />
      <CompareItems state={state} />
      <CompareRobust state={state} />
      {comparison.warnings.length === 0 ? null : (
        <Section>
          <div className="col">
            {comparison.warnings.map((text) => (
              <Say key={text} tone="warn">
                {text}
              </Say>
            ))}
          </div>
        </Section>
      )}
      <SettingsThatDiffer state={state} />
    </>
  )
}

function Differences({ state }: { readonly state: CompareState }): ReactNode {
  const [box, width] = useWidth<HTMLDivElement>()
  const groups = state.comparison?.groups ?? []
  const rows = state.comparison === undefined ? [] : differenceRows(state.comparison, state.looks)
  const baseline = state.comparison?.differences[0]?.baseline ?? state.baseline ?? ''
  const measured = state.comparison?.differences.filter((one) => one.interval.mean !== null) ?? []
  const paired = measured.every((one) => one.paired)
  const refused = [...new Set(state.comparison?.differences.flatMap(({ whyNot }) => whyNot ?? []))]
  if (groups.length < 2) return null
  return (
    <Section
      title={
        <label>
          Difference from{' '}
          <select
            className="select select-small"
            value={baseline}
            onChange={(event) => state.change({ baseline: event.currentTarget.value })}
          >
            {baseline === '' ? <option value="">choose a baseline</option> : null}
            {groups.map((group) => (
              <option key={group.groupHash} value={group.groupHash}>
                {group.label}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <p className="small text-3">
        {state.info.label} {arrowOf(state.info.goal)}, 95 % interval by t
        {measured.length > 0 ? (paired ? ', paired by seed' : ', not paired') : ''}
      </p>
      <label className="row small text-3">
        Equivalent within ±
        <input
          className="input input-small mono margin-input"
          type="number"
          min={0}
          step="any"
          placeholder="none"
          title="A difference below it does not matter. Set it before you look: two are called equivalent where the whole interval lies within it."
          value={state.margin ?? ''}
          onChange={(event) => state.change({ margin: Number(event.currentTarget.value) || null })}
        />
      </label>
      {refused.map((why) => (
        <Say key={why} tone="warn">
          No verdict: {why}.
        </Say>
      ))}
      <div ref={box}>
        {width > 0 && rows.length > 0 ? (
          <IntervalPlot
            rows={rows}
            width={width}
            goal={state.info.goal}
            label={`Difference in ${state.info.label} from the baseline`}
          />
        ) : null}
      </div>
    </Section>
  )
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Value that most groups share; others are tinted. */
function commonest(values: readonly string[]): string | null {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const sorted = [...counts].toSorted((one, two) => two[1] - one[1])
  return (sorted[0]?.[1] ?? 0) > (sorted[1]?.[1] ?? 0) ? (sorted[0]?.[0] ?? null) : null
}

function SettingsThatDiffer({ state }: { readonly state: CompareState }): ReactNode {
  const [all, setAll] = useState(false)
  const { comparison } = state
  if (comparison === undefined) return null
  const { groups, diff, sameSettings } = comparison
  const shown = groups.slice(0, 4)
  return (
    <Section
      title="Settings that differ"
      note={
        <span className="mono">
          {diff.length} of {diff.length + sameSettings}
        </span>
      }
      actions={
        <button type="button" className="link-button small" onClick={() => setAll(!all)}>
          {all ? 'Only what differs' : 'Show all'}
        </button>
      }
    >
      {diff.length === 0 && !all ? (
        <p className="small text-3">
          {groups.length < 2
            ? 'One configuration has nothing to differ from.'
            : 'None: these runs differ only in their seed.'}
        </p>
      ) : null}
      {diff.length === 0 ? null : (
        <div className="table-scroll">
          <table className="table diff-table" aria-label="Settings that differ">
            <thead>
              <tr>
                <th scope="col">
                  <span className="hidden-visually">Setting</span>
                </th>
                {shown.map((group) => (
                  <th key={group.groupHash} scope="col" className="num" title={group.label}>
                    <LineSwatch {...lookOf(state.looks, group.groupHash)} /> <span className="mono">{group.label}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {diff.map((row) => {
                const texts = row.values.map(show)
                const usual = commonest(texts)
                return (
                  <tr key={row.path}>
                    <th scope="row" title={row.path}>
                      {row.path.replace(/^(config|training)\./, '')}
                    </th>
                    {texts.slice(0, shown.length).map((text, at) => (
                      <td key={shown[at]?.groupHash} className="num" data-other={text !== usual} title={text}>
                        {text}
                      </td>
                    ))}
                  </tr>
                )
              })}
            </tbody>
          </table>
          {groups.length > shown.length ? (
            <p className="small text-3">
              {shown.length} of {groups.length} configurations; the exported table has all.
            </p>
          ) : null}
        </div>
      )}
      {all ? <AllSettings state={state} /> : null}
    </Section>
  )
}
