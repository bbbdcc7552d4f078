import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { measureRanking, rankAsTrecEval } from '../../main/core/learn/ranking/ranking-metrics.ts'
import { formatTrecRun } from '../../main/core/learn/ranking/trec-run.ts'

interface Case {
  readonly ids: readonly string[]
  readonly scores: readonly number[]
  readonly grades: readonly number[]
  readonly unretrieved: readonly number[]
  readonly measures: Readonly<Record<'ndcg_cut_10' | 'recip_rank' | 'map' | 'recall_10', number>>
}

const { cases } = JSON.parse(readFileSync(path.join(import.meta.dirname, '../fixtures/trec/ties.json'), 'utf8')) as {
  readonly cases: readonly Case[]
}

test('runs with ties are measured as trec_eval measures them', () => {
  expect(cases.length).toBeGreaterThan(30)
  for (const [number, { ids, scores, grades, unretrieved, measures }] of cases.entries()) {
    const ranked = rankAsTrecEval(scores, ids).map((at) => grades[at]!)
    const ten = measureRanking(ranked, unretrieved, 10)
    const all = measureRanking(ranked, unretrieved, ranked.length)
    const found = { ndcg_cut_10: ten.ndcgLinear, recip_rank: all.mrr, map: all.map, recall_10: ten.recall }
    for (const [name, value] of Object.entries(found))
      expect([number, name, value]).toEqual([number, name, expect.closeTo(measures[name as keyof typeof found], 9)])
  }
})

test('an exported run lists documents in that order, by the bytes of their ids', () => {
  const ids = ['a', 'b', '\u{1F600}', '\uFF5E', 'b ']
  expect(rankAsTrecEval([1, 1, 1, 1, 1], ids).map((at) => ids[at])).toEqual(['\u{1F600}', '\uFF5E', 'b ', 'b', 'a'])
  const lines = [...formatTrecRun([{ queryId: 'q', docIds: ['x', 'y', 'z'], scores: [0.5, 2, 0.5] }], 'run')]
  expect(lines.map((line) => line.split(' ')[2])).toEqual(['y', 'z', 'x'])
})
