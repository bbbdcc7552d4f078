import type { ReactNode } from 'react'
import type { RunDetail } from '../../shared/contract/runs.ts'
import type { MetricInfo } from '../../shared/domain.ts'
import {
  TEST,
  arrowOf,
  baseName,
  describeMetric,
  intervalEnds,
  isCount,
  isIntervalEnd,
  lowerFirst,
} from '../../shared/metric-names.ts'
import { formatCount, formatInterval } from '../../shared/units.ts'
import { Section } from '../parts/Panel.tsx'
import { itemsOf, useRunKind } from './run-kind.ts'

/** What was measured on pairs that nothing was learned from or chosen by: under the best checkpoint and under the last. */
export function TestValues({
  run,
  infos,
}: {
  readonly run: RunDetail
  readonly infos: readonly MetricInfo[]
}): ReactNode {
  const items = itemsOf(useRunKind(run))
  const names = new Set(Object.keys(run.summary).filter((name) => name.startsWith(TEST)))
  const main = run.mainMetric === null ? '' : `${TEST}${baseName(run.mainMetric)}`
  // What the run is judged by, then what has an interval.
  const rank = (name: string): number => (name === main ? 0 : intervalEnds(name, names) === null ? 2 : 1)
  const shown = [...names]
    .filter((name) => !isIntervalEnd(name, names) && !isCount(name))
    .toSorted((one, two) => rank(one) - rank(two))
  if (shown.length === 0) return null
  const pairs = run.summary[`${TEST}pairs`]
  const { chosen } = run
  const columns = [
    ...(chosen === null || chosen.step === run.step
      ? []
      : [{ title: `best, ${chosen.step}`, help: chosenHelp(chosen, infos), values: chosen.values }]),
    {
      title: chosen?.step === run.step ? `best and last, ${run.step}` : `last, ${run.step}`,
      help: chosen?.step === run.step ? chosenHelp(chosen, infos) : 'The weights that training ended with.',
      values: run.summary,
    },
  ]
  return (
    <Section
      title="On the test side"
      note={pairs === null || pairs === undefined ? undefined : `${formatCount(pairs)} ${items}`}
    >
      <table className="test-values" aria-label="On the test side">
        <thead>
          <tr>
            <th scope="col" className="text-3">
              at step
            </th>
            {columns.map(({ title, help }) => (
              <th key={title} scope="col" className="num" title={help}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((name) => {
            const info = describeMetric(baseName(name), infos)
            return (
              <tr key={name}>
                <th scope="row" title={info.help}>
                  {info.label} {arrowOf(info.goal)}
                </th>
                {columns.map(({ title, values }) => (
                  <TestValue key={title} name={name} names={names} values={values} />
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </Section>
  )
}

function chosenHelp({ step, by }: NonNullable<RunDetail['chosen']>, infos: readonly MetricInfo[]): string {
  const how = by === null ? 'the validation side' : lowerFirst(describeMetric(by, infos).label)
  return `${step === 0 ? 'No step was better than the weights that training began with' : 'The checkpoint'}, chosen by ${how}.`
}

function TestValue({
  name,
  names,
  values,
}: {
  readonly name: string
  readonly names: ReadonlySet<string>
  readonly values: Readonly<Record<string, number | null>>
}): ReactNode {
  const ends = intervalEnds(name, names)
  const [low, high] = ends === null ? [null, null] : [values[ends.low] ?? null, values[ends.high] ?? null]
  return (
    <td className="num mono" title={low === null ? undefined : `95 % interval ${low} to ${high}`}>
      {formatInterval(values[name] ?? null, low === null || high === null ? null : (high - low) / 2)}
    </td>
  )
}
