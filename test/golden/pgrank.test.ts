import { expect, it } from 'vitest'
import { pgRankLtr } from '../../main/workers/reproduce/pgrank-ltr.ts'
import { pgRankExact } from '../../main/workers/reproduce/pgrank-exact.ts'
import { withinGate } from '../../main/workers/reproduce/means.ts'
import { findReproduction } from '../../main/workers/reproduce/registry.ts'

it('names the ranking experiments', () => {
  for (const id of ['pgrank-exact', 'pgrank-lists', 'pgrank-ltr', 'pgrank-cranfield'])
    expect(typeof findReproduction(id).run).toBe('function')
  expect(findReproduction('pgrank-exact')).toBe(pgRankExact)
})

it('raises the expected utility on features; of one seed it does not follow that two methods tie', async () => {
  const said: string[] = []
  const report = await pgRankLtr.run({ form: 'quick', seedCount: 1, say: (text) => said.push(text) })
  expect(report.gates.map((gate) => [gate.claim, gate.verdict])).toEqual([
    ['PG-RANK and in-list InfoNCE end alike on test queries', 'inconclusive'],
    ['the expected utility rises in training', 'holds'],
  ])
  expect([report.verdict, report.seeds, said.length]).toEqual(['inconclusive', [1], 1])
}, 120_000)

it('calls two alike by the bounds of the interval, never by the difference', () => {
  const verdict = (differences: readonly number[]): string => withinGate('alike', differences, 0.02).verdict
  expect([
    verdict([0.001, 0.004, -0.002]),
    verdict([0.001, 0.019, -0.02]),
    verdict([0.05, 0.051, 0.052]),
    verdict([0]),
  ]).toEqual(['holds', 'inconclusive', 'does not hold', 'inconclusive'])
})
