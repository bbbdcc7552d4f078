import type { RankingScorer } from './ranking-scorer.ts'

/** The order in which documents came: by BM25’s scores, or as a feature file lists them. Nothing of it trains, and its checkpoint has no weights. */
export function openFirstStage(): RankingScorer {
  const none = (): never => {
    throw new Error('the first stage has no weights')
  }
  return {
    variables: {},
    parameterCount: 0,
    score: none,
    rank: async (lists) =>
      lists.map(({ query, positions }) => positions.map((position) => query.firstScores?.[position] ?? -position)),
    files: { config: { model_type: 'pairlab-first-stage' }, tokenizer: null },
    read: none,
    shapes: {},
    load: () => undefined,
  }
}
