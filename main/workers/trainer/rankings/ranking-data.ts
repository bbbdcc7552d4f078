import { extraRecord, itemRow, type SplitName } from '../../../../shared/data-kinds.ts'
import { AppError } from '../../../../shared/errors.ts'
import { rankingDocument, rankingItem, type RankingDocument } from '../../../../shared/rankings.ts'
import { bm25Tokens, createBm25Index } from '../../../core/learn/ranking/bm25.ts'
import { findOwnCopies } from '../../../core/learn/ranking/own-copies.ts'
import type { CandidateList } from '../../../core/learn/ranking/ranking.ts'
import { rankByScore } from '../../../core/learn/ranking/ranking-metrics.ts'
import { readViewLines } from '../view-lines.ts'

export interface RankingQuery {
  readonly queryId: string
  /** '' where there is none. */
  readonly text: string
  /** As found, the first stage's best first. */
  readonly list: CandidateList
  /** By place in the list. */
  readonly docIds: readonly string[]
  /** The first stage's scores, by place in the list; null where the file gives an order and no scores. */
  readonly firstScores: readonly number[] | null
  /** Of LETOR sets. [document][feature] */
  readonly features: readonly (readonly number[])[] | null
  /** Grades of all judged documents, by number. */
  readonly grades: ReadonlyMap<number, number>
  /** Number of the document that is the query itself and is left out of its list; null where there is none. */
  readonly own: number | null
}

export interface RankingData {
  readonly queries: { readonly [S in SplitName]: readonly RankingQuery[] }
  /** Empty where documents are features. */
  readonly documents: readonly RankingDocument[]
  /** Null where documents are texts. */
  readonly featureCount: number | null
  /** Share of the relevant documents of held-out queries that are among their candidates. */
  readonly candidateRecall: number
}

const BM25 = { k1: 0.9, b: 0.4 } // as Anserini and BEIR set it

/**
 * The queries of a frozen view with their candidates: BM25's best documents, or the lists of a feature file.
 * @throws AppError `file-not-found`, `dataset-invalid` when the file is not the one that the run was made for, or mixes kinds
 */
export async function readRankingData(
  viewPath: string,
  viewHash: string,
  candidateCount: number,
): Promise<RankingData> {
  const { items, documents } = await readLines(viewPath, viewHash)
  const queries: { readonly [S in SplitName]: RankingQuery[] } = { train: [], validation: [], test: [] }
  const kinds = new Set(items.map(({ data }) => data.kind))
  if (kinds.size > 1)
    throw new AppError({
      code: 'dataset-invalid',
      message: 'The data set mixes queries with texts and queries with features.',
      hint: 'Import each kind on its own.',
    })
  const numberOf = new Map(documents.map(({ docId }, at) => [docId, at]))
  const search = kinds.has('query')
    ? createBm25Index(documents.map(({ title, text }) => bm25Tokens(`${title} ${text}`)))
    : null
  const ids = documents.map(({ docId }) => docId)
  const { sameId } = findOwnCopies(
    items.flatMap(({ pairId, data }) => (data.kind === 'query' ? [{ queryId: pairId, text: data.text }] : [])),
    documents,
  )
  let unknown = documents.length
  let next = 0
  for (const { pairId: queryId, split, data } of items) {
    if (data.kind === 'features') {
      const numbers = data.docIds.map(() => next++)
      queries[split].push({
        queryId,
        text: '',
        docIds: data.docIds,
        features: data.features,
        firstScores: null,
        own: null,
        grades: new Map(numbers.map((number, at) => [number, data.grades[at]!])),
        list: { documents: numbers, relevance: data.grades, unlisted: [] },
      })
      continue
    }
    const own = sameId.has(queryId) ? (numberOf.get(queryId) ?? null) : null
    const judgments = own === null ? data.judgments : data.judgments.filter(([docId]) => docId !== queryId)
    const grades = new Map(judgments.map(([docId, grade]) => [numberOf.get(docId) ?? unknown++, grade])) // judged documents that are not there still count in the ideal ranking
    const scores = Array.from(search!.score(bm25Tokens(data.text), BM25))
    const found = rankByScore(scores, ids)
      .filter((at) => at !== own)
      .slice(0, candidateCount)
    const listed = new Set(found)
    queries[split].push({
      queryId,
      text: data.text,
      docIds: found.map((at) => ids[at]!),
      features: null,
      firstScores: found.map((at) => scores[at]!),
      grades,
      own,
      list: {
        documents: found,
        relevance: found.map((at) => grades.get(at) ?? 0),
        unlisted: [...grades].flatMap(([at, grade]) => (grade > 0 && !listed.has(at) ? [grade] : [])),
      },
    })
  }
  const first = items.find(({ data }) => data.kind === 'features')?.data
  return {
    queries,
    documents,
    featureCount: first?.kind === 'features' ? (first.features[0]?.length ?? 0) : null,
    candidateRecall: recallOf([...queries.validation, ...queries.test]),
  }
}

function recallOf(queries: readonly RankingQuery[]): number {
  const found = queries.reduce((sum, { list }) => sum + list.relevance.filter((grade) => grade > 0).length, 0)
  const missed = queries.reduce((sum, { list }) => sum + list.unlisted.filter((grade) => grade > 0).length, 0)
  return found + missed === 0 ? 0 : found / (found + missed)
}

async function readLines(viewPath: string, viewHash: string) {
  const items: {
    readonly pairId: string
    readonly split: SplitName
    readonly data: ReturnType<typeof rankingItem.parse>
  }[] = []
  const documents: RankingDocument[] = []
  await readViewLines(viewPath, viewHash, (value, misfit) => {
    const extra = extraRecord.safeParse(value)
    if (extra.success) {
      const document = rankingDocument.safeParse(extra.data.data)
      if (!document.success) throw misfit(document.error)
      documents.push(document.data)
      return
    }
    const row = itemRow.safeParse(value)
    const data = rankingItem.safeParse(row.data?.data)
    if (!row.success || !data.success) throw misfit((row.error ?? data.error)!) // one of the two failed
    items.push({ pairId: row.data.pairId, split: row.data.split, data: data.data })
  })
  return { items, documents }
}
