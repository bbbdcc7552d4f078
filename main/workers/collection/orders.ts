// How a collection is ordered for one query: by BM25, as training takes its candidates, and by a run.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { bm25Tokens } from '../../core/learn/ranking/bm25.ts'
import { createPostings, type Postings } from '../../core/learn/ranking/bm25-postings.ts'
import { findOwnCopies } from '../../core/learn/ranking/own-copies.ts'
import { firstPlaces, placesOf } from '../../core/learn/ranking/places.ts'
import { measureRanking } from '../../core/learn/ranking/ranking-metrics.ts'
import type { JudgedOrder, ShownDocument } from '../../../shared/contract/rankings.ts'
import type { CollectionAnswer, CollectionAsk } from '../../base/processes/collection-protocol.ts'
import type { Documents } from './documents.ts'
import { readQueries } from './queries.ts'
import { createRunFiles, type RankedByRun } from './run-files.ts'

/** As of training: main/workers/trainer/rankings/ranking-data.ts. */
const BM25 = { k1: 0.9, b: 0.4 }
const CUTOFF = 10

type Tell = (doing: 'bm25' | 'run', done: number, total: number) => void

export interface Orders {
  order(asked: CollectionAsk<'orders'>): Promise<CollectionAnswer<'orders'>>
}

export function createOrders(
  { records, queriesEnd }: { readonly records: string; readonly queriesEnd: number },
  documents: () => Promise<Documents>,
  show: (docIds: readonly string[]) => Promise<readonly ShownDocument[]>,
  tell: Tell,
): Orders {
  const runFiles = createRunFiles()
  let postings: Promise<Postings> | null = null
  let own: Promise<ReadonlySet<string>> | null = null

  async function build(): Promise<Postings> {
    const builder = createPostings()
    const { each } = await documents()
    for await (const { title, text } of each((done, total) => tell('bm25', done, total)))
      builder.add(bm25Tokens(`${title} ${text}`))
    const finishing = builder.finish()
    for (;;) {
      const step = finishing.next()
      if (step.done === true) return step.value
      await nextTurn()
    }
  }

  /** Ids of queries that are documents of the collection too, and must not find themselves. */
  async function findOwn(): Promise<ReadonlySet<string>> {
    const { numberOf, read } = await documents()
    const shared: { readonly queryId: string; readonly text: string }[] = []
    for await (const { queryId, text } of readQueries(records, queriesEnd, ''))
      if (numberOf.has(queryId)) shared.push({ queryId, text })
    const copies = await Promise.all(shared.map(({ queryId }) => read(numberOf.get(queryId)!)))
    return findOwnCopies(shared, copies).sameId
  }

  return {
    async order({ queryId, text, judgments: all, bm25: byWords, runFiles: files, limit }) {
      const { ids, numberOf } = await documents()
      const isOwn = (await (own ??= findOwn().catch(forget(() => (own = null))))).has(queryId)
      const left = isOwn ? (numberOf.get(queryId) ?? null) : null
      const judgments = isOwn ? all.filter(([docId]) => docId !== queryId) : all
      const grades = new Map(judgments)
      const scores =
        byWords && ids.length > 0
          ? (await (postings ??= build().catch(forget(() => (postings = null))))).score(bm25Tokens(text), BM25)
          : null
      let ranked: RankedByRun | null = null
      let runFile: number | null = null
      for (const [at, file] of files.entries()) {
        ranked = await runFiles.read(file, queryId, (done, total) => tell('run', done, total))
        if (ranked === null) continue
        runFile = at
        break
      }
      const first = scores === null ? [] : firstPlaces(scores, ids, limit, left)
      const byRun = ranked?.docIds.slice(0, limit) ?? []
      const wanted = [...byRun, ...grades.keys()].flatMap((docId) => numberOf.get(docId) ?? [])
      const places = scores === null ? null : placesOf([...first, ...wanted], scores, ids, left)
      const placeOf = (docId: string): number | null => places?.get(numberOf.get(docId) ?? -1) ?? null
      const runPlaces = new Map(ranked?.docIds.map((docId, at) => [docId, at + 1]))
      const shown = new Map(
        (await show([...new Set([...first.map((at) => ids[at]!), ...byRun])])).map((one) => [one.docId, one]),
      )
      const rowOf = (
        docId: string,
        rank: number,
        score: number,
        otherRank: number | null,
      ): JudgedOrder['rows'][number] => ({
        ...(shown.get(docId) ?? { docId, title: '', text: '', cut: false }),
        rank,
        score,
        grade: grades.get(docId) ?? null,
        otherRank,
      })
      return {
        bm25:
          scores === null
            ? null
            : {
                rows: first.map((at, place) =>
                  rowOf(ids[at]!, place + 1, scores[at]!, runPlaces.get(ids[at]!) ?? null),
                ),
                total: ids.length - (left === null ? 0 : 1),
                ndcg10: measure(
                  firstPlaces(scores, ids, CUTOFF, left).map((at) => ids[at]!),
                  grades,
                ),
                judged: judgments.map(([docId]) => ({ docId, rank: placeOf(docId) })),
              },
        run:
          ranked === null
            ? null
            : {
                rows: byRun.map((docId, place) => rowOf(docId, place + 1, ranked.scores[place]!, placeOf(docId))),
                total: ranked.docIds.length,
                ndcg10: measure(ranked.docIds, grades),
                judged: judgments.map(([docId]) => ({ docId, rank: runPlaces.get(docId) ?? null })),
              },
        runFile,
      }
    },
  }
}

/** What could not be read is read again when it is asked for again. */
function forget(reset: () => void): (error: unknown) => never {
  return (error) => {
    reset()
    throw error
  }
}

/** nDCG@10 with linear gain; what the order does not reach counts in the ideal. */
function measure(docIds: readonly string[], grades: ReadonlyMap<string, number>): number | null {
  if (![...grades.values()].some((grade) => grade > 0)) return null
  const listed = new Set(docIds)
  return measureRanking(
    docIds.map((docId) => grades.get(docId) ?? 0),
    [...grades].flatMap(([docId, grade]) => (grade > 0 && !listed.has(docId) ? [grade] : [])),
    CUTOFF,
  ).ndcgLinear
}
