import { expect, test } from 'vitest'
import { findWorld } from '../../main/core/worlds/registry.ts'
import { scriptOf } from '../../main/core/worlds/behaviours.ts'
import { eachOf, rollOut } from '../../main/core/worlds/roll-out.ts'
import { evaluateRanker } from '../../main/workers/trainer/rankings/ranking-evaluation.ts'
import type { RankingQuery } from '../../main/workers/trainer/rankings/ranking-data.ts'
import type { RankingScorer } from '../../main/workers/trainer/rankings/ranking-scorer.ts'

test('acting lets others in after each step, told how far it is, and comes to the same', async () => {
  const kind = findWorld('lqr')
  const policy = eachOf(scriptOf(kind, 'weak', 0.3), kind.info)
  const shares: number[] = []
  const told = await rollOut(kind, policy, { episodes: 3, seed: 5, breathe: async (share) => void shares.push(share) })
  const { episodeSteps } = kind.info
  expect(shares).toEqual(Array.from({ length: episodeSteps }, (_none, step) => (step + 1) / episodeSteps))
  expect(told).toEqual(await rollOut(kind, policy, { episodes: 3, seed: 5 }))
})

test('acting that is given up leaves no world open', async () => {
  const kind = findWorld('lqr')
  let open = 0
  const counted: typeof kind = {
    ...kind,
    async open() {
      const world = await kind.open()
      open += 1
      return Object.assign(Object.create(world) as typeof world, {
        dispose() {
          open -= 1
          world.dispose()
        },
      })
    },
  }
  const stop = new Error('hurried')
  const acted = rollOut(counted, eachOf(kind.weak, kind.info), {
    episodes: 4,
    seed: 1,
    breathe: () => Promise.reject(stop),
  })
  await expect(acted).rejects.toBe(stop)
  expect(open).toBe(0)
})

test('a ranker says its progress in queries', async () => {
  const query = (queryId: string): RankingQuery => ({
    queryId,
    text: queryId,
    list: { documents: [0, 1], relevance: [0, 1], unlisted: [] },
    docIds: ['x', 'y'],
    firstScores: null,
    features: null,
    grades: new Map([[1, 1]]),
    own: null,
  })
  const scorer: Pick<RankingScorer, 'rank'> = {
    async rank(lists, progress = () => undefined) {
      for (const share of [0.1, 0.5, 0.99, 1]) progress(share)
      return lists.map(() => [1, 2])
    },
  }
  const told: [number, number][] = []
  const queries = ['a', 'b', 'c', 'd'].map(query)
  const { metrics } = await evaluateRanker(scorer as RankingScorer, queries, 10, (...now) => told.push(now))
  expect(told).toEqual([
    [0, 4],
    [2, 4],
    [3, 4],
    [4, 4],
  ])
  expect(metrics['ndcg']).toBe(1)
})
