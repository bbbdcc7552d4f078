import { rankAsTrecEval } from './ranking-metrics.ts'

/** A system's scores for one query. */
export interface ScoredQuery {
  readonly queryId: string
  readonly docIds: readonly string[]
  readonly scores: readonly number[]
}

/**
 * The lines of a TREC run file, best document first, `depth` of them a query; ties as trec_eval has them.
 * Scores are written in full: trec_eval sorts by them and not by rank.
 */
export function* formatTrecRun(queries: Iterable<ScoredQuery>, tag: string, depth = 1000): Generator<string> {
  const name = tag.trim().replace(/\s+/g, '-') || 'pairlab'
  for (const { queryId, docIds, scores } of queries) {
    for (const [place, index] of rankAsTrecEval(scores, docIds).slice(0, depth).entries())
      yield `${queryId} Q0 ${docIds[index]!} ${place + 1} ${scores[index]!} ${name}\n`
  }
}
