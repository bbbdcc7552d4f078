import type { BanditReport } from '../../shared/contract/papers.ts'
import { formatNumber } from '../../shared/units.ts'

export interface Claim {
  readonly claim: string
  readonly expected: string
  readonly measured: string
  readonly holds: boolean
}

/** What the paper's Figure 1 says of each method, beside what the exact gradients give here. */
export function banditClaims(report: BanditReport): readonly Claim[] {
  const regret = (id: string): number => report.methods.find((method) => method.id === id)?.end.regret ?? Number.NaN
  const copg = regret('copg')
  const ipo = regret('ipo')
  const none = regret('pg_none')
  const value = regret('pg_value')
  return [
    { claim: 'CoPG: regret goes to zero', expected: '< 1e−6', measured: formatNumber(copg), holds: copg < 1e-6 },
    { claim: 'IPO: biased, ends off the optimum', expected: '0.13 to 0.17', measured: formatNumber(ipo), holds: ipo > 0.13 && ipo < 0.17 },
    { claim: 'Policy gradient without baseline: regret grows', expected: `> ${formatNumber(report.startRegret)}`, measured: formatNumber(none), holds: none > report.startRegret },
    { claim: 'Policy gradient with value baseline: biased', expected: '0.01 to 0.035', measured: formatNumber(value), holds: value > 0.01 && value < 0.035 },
  ]
}
