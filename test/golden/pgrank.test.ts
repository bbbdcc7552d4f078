import { expect, it } from 'vitest'
import { pgRankLtr } from '../../main/workers/reproduce/pgrank-ltr.ts'
import { pgRankExact } from '../../main/workers/reproduce/pgrank-exact.ts'
import { findReproduction } from '../../main/workers/reproduce/registry.ts'

it('names the ranking experiments', () => {
  for (const id of ['pgrank-exact', 'pgrank-lists', 'pgrank-ltr', 'pgrank-cranfield'])
    expect(typeof findReproduction(id).run).toBe('function')
  expect(findReproduction('pgrank-exact')).toBe(pgRankExact)
})

it('ties with in-list InfoNCE on features, while the expected utility rises', async () => {
  const said: string[] = []
  const report = await pgRankLtr.run({ form: 'quick', seedCount: 1, say: (text) => said.push(text) })
  expect(report.gates.map((gate) => [gate.claim, gate.verdict])).toEqual([
    ['PG-RANK and in-list InfoNCE end alike', 'holds'],
    ['the expected utility rises in training', 'holds'],
  ])
  expect([report.verdict, report.seeds, said.length]).toEqual(['holds', [1], 1])
}, 120_000)
