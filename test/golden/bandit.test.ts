import { expect, it } from 'vitest'
import { formatReproduction, reproduceCopgBandit, reproduceCopgBanditSampled } from '../../main/reproduce/copg-bandit.ts'

it('holds every claim of the exact bandit, CoPG at the closed-form optimum', () => {
  const report = reproduceCopgBandit()
  expect(report.gates.filter((gate) => !gate.holds)).toEqual([])
  expect(Math.abs(report.rows[0]!.regret)).toBeLessThan(1e-6)
  expect(formatReproduction(report)).toContain('All claims hold.')
})

it('holds the order of the sampled bandit over five seeds', () => {
  const report = reproduceCopgBanditSampled()
  expect(report.gates.filter((gate) => !gate.holds)).toEqual([])
})

it('prints a claim that does not hold as such', () => {
  const report = reproduceCopgBandit()
  const text = formatReproduction({ ...report, holds: false, gates: report.gates.map((gate) => ({ ...gate, holds: false })) })
  expect(text).toContain('does not hold: CoPG reaches the optimum')
  expect(text).toContain('Not all claims hold.')
})
