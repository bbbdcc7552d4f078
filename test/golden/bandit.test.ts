import { expect, it } from 'vitest'
import { copgBandit, exactBandit } from '../../main/workers/reproduce/copg-bandit.ts'
import { formatReport } from '../../main/workers/reproduce/format-report.ts'
import { verdictOf } from '../../main/workers/reproduce/define.ts'

it('holds every claim of the bandit, exact and sampled, CoPG at the closed-form optimum', async () => {
  const report = await copgBandit.run({ form: 'quick', seedCount: null, say: () => undefined })
  expect(report.gates.filter((gate) => gate.verdict !== 'holds')).toEqual([])
  expect(Math.abs(exactBandit().table.rows[0]!.at(-1) as number)).toBeLessThan(1e-6)
  expect(formatReport(report)).toContain('copg-bandit: holds')
})

it('prints a claim that does not hold as such', () => {
  const { gates, setup, table } = exactBandit()
  const failing = gates.map((gate, at) => (at === 1 ? { ...gate, verdict: 'does not hold' as const } : gate))
  const text = formatReport({
    id: 'copg-bandit',
    title: 'A bandit',
    form: 'quick',
    seeds: [],
    setup,
    tables: [table],
    figures: [],
    gates: failing,
    verdict: verdictOf(failing),
    notes: ['a reason'],
  })
  expect(text).toContain('does not hold: CoPG reaches the optimum')
  expect(text).toContain('note: a reason')
  expect(text).toContain('copg-bandit: does not hold')
})

it('is inconclusive where a gate is, and where there is none', () => {
  const gate = { claim: '', measured: '', required: '' }
  expect(
    verdictOf([
      { ...gate, verdict: 'holds' },
      { ...gate, verdict: 'inconclusive' },
    ]),
  ).toBe('inconclusive')
  expect(
    verdictOf([
      { ...gate, verdict: 'inconclusive' },
      { ...gate, verdict: 'does not hold' },
    ]),
  ).toBe('does not hold')
  expect(verdictOf([])).toBe('inconclusive')
})
