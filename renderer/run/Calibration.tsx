import type { ReactNode } from 'react'
import type { Output } from '../../shared/contract.ts'
import type { RunDetail } from '../../shared/contract/runs.ts'
import { formatCount } from '../../shared/units.ts'
import { useCall } from '../api/queries.ts'
import { Section } from '../parts/Panel.tsx'

type Model = Output<'runs.calibration'>['models'][number]

const SIZE = 190
const LEFT = 34
const BOTTOM = 20

/** How far a reward model's margins can be trusted, once it has finished. */
export function Calibration({ run }: { readonly run: RunDetail }): ReactNode {
  const wanted = run.method === 'reward-model' && run.state === 'finished'
  const { data } = useCall('runs.calibration', { runIds: [run.runId] }, { enabled: wanted })
  const model = data?.models[0]
  if (!wanted || model === undefined) return null
  return (
    <Section title="Calibration" note={`${formatCount(model.pairs)} ${model.side} pairs, step ${model.step}`}>
      <div className="calibration">
        <Reliability model={model} />
        <p className="small text-2">
          Expected calibration error <b className="mono">{model.ece.toFixed(3)}</b>; one that is calibrated would show{' '}
          <b className="mono">{model.eceByChance.toFixed(3)}</b> on so many pairs.
        </p>
      </div>
      <Accuracies title="By margin" bins={model.byMargin} />
      <Accuracies title="By length" bins={model.byLength} />
    </Section>
  )
}

/** Accuracy against confidence; on the dashed line “80 %” is right in eight of ten. */
function Reliability({ model }: { readonly model: Model }): ReactNode {
  const x = (value: number): number => LEFT + (value - 0.5) * 2 * (SIZE - LEFT)
  const y = (value: number): number => (1 - value) * (SIZE - BOTTOM)
  return (
    <svg className="interval-plot calibration-plot" width={SIZE + 8} height={SIZE}>
      <title>Accuracy against the probability that the model gives to the side it prefers</title>
      {[0, 0.25, 0.5, 0.75, 1].map((value) => (
        <g key={value}>
          <line x1={LEFT} x2={SIZE} y1={y(value)} y2={y(value)} style={{ stroke: 'var(--grid)' }} />
          <text className="tick" x={LEFT - 5} y={y(value) + (value === 1 ? 9 : 4)} textAnchor="end">
            {value}
          </text>
        </g>
      ))}
      {[0.5, 0.75, 1].map((value) => (
        <text
          key={value}
          className="tick"
          x={x(value)}
          y={SIZE - 5}
          textAnchor={value === 1 ? 'end' : value === 0.5 ? 'start' : 'middle'}
        >
          {value}
        </text>
      ))}
      <line x1={x(0.5)} y1={y(0.5)} x2={x(1)} y2={y(1)} strokeDasharray="3 3" style={{ stroke: 'var(--text-3)' }} />
      {model.bins.map((bin) => (
        <g key={bin.from}>
          <title>{`${bin.pairs} pairs: says ${bin.confidence.toFixed(3)}, right ${bin.accuracy.toFixed(3)} [${bin.low.toFixed(3)}, ${bin.high.toFixed(3)}]`}</title>
          <path
            d={`M${x(bin.confidence)} ${y(bin.low)}V${y(bin.high)}`}
            strokeWidth={1.6}
            style={{ stroke: 'var(--accent)' }}
          />
          <circle cx={x(bin.confidence)} cy={y(bin.accuracy)} r={4} style={{ fill: 'var(--accent)' }} />
        </g>
      ))}
    </svg>
  )
}

function Accuracies({ title, bins }: { readonly title: string; readonly bins: Model['byMargin'] }): ReactNode {
  if (bins.length === 0) return null
  return (
    <table className="test-values calibration-bins" aria-label={title}>
      <thead>
        <tr>
          <th scope="col" className="text-3">
            {title}
          </th>
          <th scope="col" className="num">
            accuracy
          </th>
        </tr>
      </thead>
      <tbody>
        {bins.map((bin) => (
          <tr key={bin.name}>
            <td>
              {bin.name} <span className="text-3">({formatCount(bin.pairs)})</span>
            </td>
            <td className="num mono" title={`95 % interval ${bin.low.toFixed(3)} to ${bin.high.toFixed(3)}`}>
              {bin.accuracy.toFixed(3)}{' '}
              <span className="text-3">
                [{bin.low.toFixed(2)}, {bin.high.toFixed(2)}]
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
