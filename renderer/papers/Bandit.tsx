import { useMemo, type ReactNode } from 'react'
import type { BanditReport } from '../../shared/contract/papers.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { LineChart } from '../charts/LineChart.tsx'
import type { ChartModel } from '../charts/chart-model.ts'
import { Panel, Section } from '../parts/Panel.tsx'
import { formatNumber } from '../../shared/units.ts'
import { Simplex } from './Simplex.tsx'
import { lookOf } from './look.ts'

/** Below this the regret is rounding. */
const FLOOR = 1e-6

function regretChart(report: BanditReport): ChartModel {
  return {
    title: 'Regret',
    note: 'exact gradients, both axes log',
    xTitle: 'step',
    yTitle: 'regret',
    xLog: true,
    yLog: true,
    xDomain: [1, report.setup.steps],
    series: report.methods.map((method) => ({
      key: method.id,
      label: method.name,
      ...lookOf(method.id),
      x: method.path.slice(1).map((point) => point.step),
      y: method.path.slice(1).map((point) => Math.max(FLOOR, point.regret)),
    })),
    references: [{ value: report.startRegret, label: `start ${formatNumber(report.startRegret)}` }],
    bandName: null,
  }
}

/** The bandit with exact gradients, computed when the page opens. */
export function Bandit({ report }: { readonly report: BanditReport }): ReactNode {
  const model = useMemo(() => regretChart(report), [report])
  return (
    <>
      <div className="bandit">
        <Panel title="Where each method goes" note="each point is a policy; shade grows with regret">
          <Simplex report={report} />
        </Panel>
        <Panel title="Regret" note={model.note}>
          <div className="bandit-chart">
            <LineChart model={model} legend={false} tooltip />
          </div>
        </Panel>
      </div>
    </>
  )
}

export function BanditSetup({ report }: { readonly report: BanditReport }): ReactNode {
  const list = (values: readonly number[]): string => values.map((value) => String(Number(value.toFixed(3)))).join('  ')
  return (
    <>
      <Section title="Where they end" note="exact gradients">
        <table className="table plain" aria-label="Where they end">
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col" className="num">
                arm 1
              </th>
              <th scope="col" className="num">
                2
              </th>
              <th scope="col" className="num">
                3
              </th>
              <th scope="col" className="num">
                Regret ↓
              </th>
            </tr>
          </thead>
          <tbody>
            {report.methods.map((method) => (
              <tr key={method.id}>
                <td>
                  <span className="row gap-1">
                    <LineSwatch {...lookOf(method.id)} />
                    {method.name}
                  </span>
                </td>
                {method.end.policy.map((share, arm) => (
                  <td key={`${method.id} ${arm}`} className="num">
                    {share.toFixed(3)}
                  </td>
                ))}
                <td className="num bold">{method.end.regret < FLOOR ? '0' : method.end.regret.toFixed(3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <Section title="In plain words">
        <p className="small text-2">
          CoPG compares two answers and asks that the difference of their log-ratios, times β, equal the difference of
          their rewards. That holds only at the best policy, whichever policy wrote the answers. The plain policy
          gradient weighs each answer by how often it was written, so arm 3, written most, drags it away.
        </p>
      </Section>
      <Section title="Set-up">
        <dl className="facts">
          <div>
            <dt>Rewards</dt>
            <dd className="mono">{list(report.setup.rewards)}</dd>
          </div>
          <div>
            <dt>Reference, the start</dt>
            <dd className="mono">{list(report.setup.reference)}</dd>
          </div>
          <div>
            <dt>Pairs: first from μ₁</dt>
            <dd className="mono">{list(report.setup.mu1)}</dd>
          </div>
          <div>
            <dt>Pairs: second from μ₂</dt>
            <dd className="mono">{list(report.setup.mu2)}</dd>
          </div>
          <div>
            <dt>Learning rate, steps</dt>
            <dd className="mono">
              {report.setup.learningRate}, {report.setup.steps.toLocaleString('en-US')}
            </dd>
          </div>
          <div>
            <dt>β</dt>
            <dd className="mono">{report.setup.beta}</dd>
          </div>
          <div>
            <dt>Best policy π*</dt>
            <dd className="mono">{list(report.optimum)}</dd>
          </div>
        </dl>
      </Section>
    </>
  )
}
