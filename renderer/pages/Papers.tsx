import { useMemo, type ReactNode } from 'react'
import type { BanditReport } from '../../shared/contract/papers.ts'
import { useCall } from '../api/queries.ts'
import { LineSwatch } from '../charts/ChartOverlay.tsx'
import { LineChart } from '../charts/LineChart.tsx'
import type { ChartModel } from '../charts/chart-model.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Chip } from '../parts/Chip.tsx'
import { Panel, Section } from '../parts/Panel.tsx'
import { SidePanel } from '../parts/SidePanel.tsx'
import { ErrorNotice, Loading } from '../parts/states.tsx'
import { formatNumber } from '../../shared/units.ts'
import { Methods } from '../papers/Methods.tsx'
import { Simplex } from '../papers/Simplex.tsx'
import { banditClaims } from '../papers/claims.ts'
import { lookOf } from '../papers/look.ts'
import '../style/data.css'
import '../style/papers.css'

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

export function Papers(): ReactNode {
  const bandit = useCall('papers.bandit', {})
  const algorithms = useCall('algorithms.list', {})
  useCrumbs([{ label: 'Papers' }])
  if (bandit.error !== null) return <div className="page"><ErrorNotice error={bandit.error} onRetry={() => void bandit.refetch()} /></div>
  if (bandit.data === undefined) return <Loading what="Computing the bandit" />
  return (
    <div className="with-side">
      <div className="page">
        <header className="page-head">
          <div className="grow">
            <div className="row wrap"><h1>CoPG on a three-arm bandit</h1><Chip>Contrastive Policy Gradient, arXiv 2406.19185, Figure 1</Chip></div>
            <p className="text-2">Which methods, given pairs that other policies wrote, end at the best policy, and which end somewhere else or get worse? Computed when this page opened.</p>
          </div>
        </header>
        <Bandit report={bandit.data} />
        <h2>Methods in this version</h2>
        {algorithms.data === undefined ? <Loading what="Reading the methods" /> : <Methods algorithms={algorithms.data} />}
      </div>
      <Setup report={bandit.data} />
    </div>
  )
}

function Bandit({ report }: { readonly report: BanditReport }): ReactNode {
  const model = useMemo(() => regretChart(report), [report])
  return (
    <>
      <div className="bandit">
        <Panel title="Where each method goes" note="each point is a policy; shade grows with regret"><Simplex report={report} /></Panel>
        <Panel title="Regret" note={model.note}><div className="bandit-chart"><LineChart model={model} legend={false} tooltip /></div></Panel>
      </div>
      <Panel flush title="Claims" note={`pairlab reproduce copg-bandit prints the same, ${report.setup.steps.toLocaleString('en-US')} steps`}>
        <table className="table">
          <thead><tr><th scope="col">Claim in the paper</th><th scope="col" className="num">Expected regret</th><th scope="col" className="num">Measured</th><th scope="col">Result</th></tr></thead>
          <tbody>
            {banditClaims(report).map((row) => (
              <tr key={row.claim}><td>{row.claim}</td><td className="num">{row.expected}</td><td className="num bold">{row.measured}</td><td>{row.holds ? <Chip tone="good">holds</Chip> : <Chip tone="bad">does not hold</Chip>}</td></tr>
            ))}
          </tbody>
        </table>
      </Panel>
    </>
  )
}

function Setup({ report }: { readonly report: BanditReport }): ReactNode {
  const list = (values: readonly number[]): string => values.map((value) => String(Number(value.toFixed(3)))).join('  ')
  return (
    <SidePanel id="papers" label="Set-up" width={360}>
      <Section title="Where they end" note="exact gradients">
        <table className="table plain">
          <thead><tr><th scope="col">Method</th><th scope="col" className="num">arm 1</th><th scope="col" className="num">2</th><th scope="col" className="num">3</th><th scope="col" className="num">Regret ↓</th></tr></thead>
          <tbody>
            {report.methods.map((method) => (
              <tr key={method.id}>
                <td><span className="row gap-1"><LineSwatch {...lookOf(method.id)} />{method.name}</span></td>
                {method.end.policy.map((share, arm) => <td key={`${method.id} ${arm}`} className="num">{share.toFixed(3)}</td>)}
                <td className="num bold">{method.end.regret < FLOOR ? '0' : method.end.regret.toFixed(3)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
      <Section title="In plain words">
        <p className="small text-2">CoPG compares two answers and asks that the difference of their log-ratios, times β, equal the difference of their rewards. That holds only at the best policy, whichever policy wrote the answers. The plain policy gradient weighs each answer by how often it was written, so arm 3, written most, drags it away.</p>
      </Section>
      <Section title="Set-up">
        <dl className="facts">
          <div><dt>Rewards</dt><dd className="mono">{list(report.setup.rewards)}</dd></div>
          <div><dt>Reference, the start</dt><dd className="mono">{list(report.setup.reference)}</dd></div>
          <div><dt>Pairs: first from μ₁</dt><dd className="mono">{list(report.setup.mu1)}</dd></div>
          <div><dt>Pairs: second from μ₂</dt><dd className="mono">{list(report.setup.mu2)}</dd></div>
          <div><dt>Learning rate, steps</dt><dd className="mono">{report.setup.learningRate}, {report.setup.steps.toLocaleString('en-US')}</dd></div>
          <div><dt>β</dt><dd className="mono">{report.setup.beta}</dd></div>
          <div><dt>Best policy π*</dt><dd className="mono">{list(report.optimum)}</dd></div>
        </dl>
      </Section>
      <Section title="Not here yet">
        <p className="small text-2">CPL, Neural PG-RANK and GRACE come with a later version; this one holds CoPG and the baselines of text pairs.</p>
      </Section>
    </SidePanel>
  )
}
