import type { RankingDocument } from '../../../../shared/rankings.ts'
import { measureRanking, rankAsTrecEval } from '../../../core/learn/ranking/ranking-metrics.ts'
import { formatTrecRun } from '../../../core/learn/ranking/trec-run.ts'
import type { SampleItem } from '../../../../shared/contract/runs.ts'
import type { ItemOutcome } from '../../../base/run-folder/held-out-items.ts'
import { NOTHING, type SideNumbers } from '../held-out.ts'
import { withMean } from '../intervals.ts'
import type { RankingQuery } from './ranking-data.ts'
import type { RankingScorer } from './ranking-scorer.ts'

export interface RankedQuery {
  readonly query: RankingQuery
  /** By position in the query's list. */
  readonly scores: readonly number[]
  /** Positions, best first. */
  readonly order: readonly number[]
  /** Null for a query without any relevant document, which the means leave out. */
  readonly measures: {
    readonly ndcg: number
    readonly ndcg_exp: number
    readonly mrr: number
    readonly map: number
    readonly recall: number
    readonly first_stage_ndcg: number
  } | null
}

/** Scores every candidate and measures each query at the cut-off, ties in the order of trec_eval; the ideal holds every judged document. */
export async function evaluateRanker(
  scorer: RankingScorer,
  queries: readonly RankingQuery[],
  cutoff: number,
  progress: (done: number, total: number) => void,
): Promise<SideNumbers & { readonly ranked: readonly RankedQuery[] }> {
  const scores = await scorer.rank(
    queries.map((query) => ({ query, positions: [...query.list.documents.keys()] })),
    (share) => progress(Math.floor(share * queries.length), queries.length),
  )
  const ranked = queries.map((query, at) => rankOf(query, scores[at]!, cutoff))
  const counted = ranked.flatMap(({ query, measures }) => (measures === null ? [] : [{ id: query.queryId, measures }]))
  if (counted.length === 0) return { ranked, ...NOTHING }
  const outcomesOf = (name: (typeof MEASURES)[number]): ItemOutcome[] =>
    counted.map(({ id, measures }) => ({ item: id, cluster: id, weight: 1, value: measures[name] }))
  const items = Object.fromEntries(MEASURES.map((name) => [name, outcomesOf(name)]))
  const means = Object.entries(items).map(([name, outcomes]) => {
    const found = withMean(
      name,
      outcomes.map(({ value }) => value),
    )
    return name === 'first_stage_ndcg' ? { [name]: found[name]! } : found
  })
  return { ranked, metrics: Object.assign({}, ...means) as Record<string, number>, items } // numbers by name, each of them
}

const MEASURES = ['ndcg', 'ndcg_exp', 'mrr', 'map', 'recall', 'first_stage_ndcg'] as const

function rankOf(query: RankingQuery, scores: readonly number[], cutoff: number): RankedQuery {
  const { relevance, unlisted } = query.list
  const order = rankAsTrecEval(scores, query.docIds)
  const at = (places: readonly number[]): ReturnType<typeof measureRanking> =>
    measureRanking(
      places.map((position) => relevance[position]!),
      unlisted,
      cutoff,
    )
  const [own, first] = [at(order), at([...relevance.keys()])]
  const anything = [...relevance, ...unlisted].some((grade) => grade > 0)
  return {
    query,
    scores,
    order,
    measures: anything
      ? {
          ndcg: own.ndcgLinear,
          ndcg_exp: own.ndcgExp,
          mrr: own.mrr,
          map: own.map,
          recall: own.recall,
          first_stage_ndcg: first.ndcgLinear,
        }
      : null,
  }
}

export function trecRunOf(ranked: readonly RankedQuery[], tag: string): Generator<string> {
  return formatTrecRun(
    ranked.map(({ query, scores }) => ({ queryId: query.queryId, docIds: query.docIds, scores })),
    tag,
  )
}

const SHOWN_DOCUMENTS = 5

/** Some queries as they stand: the first places with the judges' grades; the number beside them is nDCG. */
export function samplesOf(ranked: readonly RankedQuery[], documents: readonly RankingDocument[]): SampleItem[] {
  return ranked.map(({ query, order, measures }, promptIndex) => ({
    promptIndex,
    pairId: query.queryId,
    prompt: query.text === '' ? `Query ${query.queryId}` : query.text,
    completion: order
      .slice(0, SHOWN_DOCUMENTS)
      .map((position, place) => {
        const document = documents[query.list.documents[position]!]
        const title =
          document === undefined
            ? query.docIds[position]!
            : document.title !== ''
              ? document.title
              : document.text.slice(0, 80)
        return `${place + 1}. [grade ${query.list.relevance[position]!}] ${title}`
      })
      .join('\n'),
    tokens: 0,
    reward: measures?.ndcg ?? null,
    logRatio: null,
  }))
}
