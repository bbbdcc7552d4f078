// The bundled Cranfield collection as lists for a reranker: BM25's best documents of each query, with match features.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../../shared/errors.ts'
import { bm25Tokens, createBm25Index, type Bm25Options } from '../../core/learn/ranking/bm25.ts'
import { createCorpusSpace, createMatchModel, MATCH_FEATURES } from '../../core/learn/ranking/match-features.ts'
import { createRandom } from '../../core/learn/random.ts'
import { measureRanking, rankByScore } from '../../core/learn/ranking/ranking-metrics.ts'
import { gradesByQuery, type Document } from '../../core/retrieval/collection.ts'
import { readBeirFolder } from '../../core/retrieval/read-beir.ts'

export const FIRST_STAGE: Bm25Options = { k1: 1.2, b: 0.75 }
export const CUTOFF = 10
/** Features are scaled so that a network's first layer is not saturated by a document that matches well. */
const FEATURE_SCALE = 1 / 3

export interface CranfieldQuery {
  readonly queryId: string
  readonly text: string
  /** Grade of each document of the collection. */
  readonly grades: Float32Array
  /** Documents that the first stage found, best first. */
  readonly candidates: readonly number[]
}

export interface Cranfield {
  readonly docIds: readonly string[]
  readonly documents: readonly string[]
  readonly queries: readonly CranfieldQuery[]
  /** Positions in `queries`. */
  readonly splits: {
    readonly train: readonly number[]
    readonly dev: readonly number[]
    readonly test: readonly number[]
  }
  readonly featureCount: number
  /** A query with a document. [feature] */
  featuresOf(query: number, document: number): Float32Array
  /** Titles as queries for the bodies of their abstracts: how many, and the features of one with another's body. */
  readonly titles: { readonly count: number; featuresOf(title: number, body: number): Float32Array }
}

/** Looks upwards, because built code lies at another depth than its source. */
function findCranfield(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const found = path.join(folder, 'resources/samples/cranfield')
    if (existsSync(found)) return found
    if (path.dirname(folder) === folder)
      throw new AppError({
        code: 'file-not-found',
        message: 'The Cranfield collection that comes with the app is missing.',
        hint: 'Install the app again; its own files were changed.',
      })
  }
}

/** Abstracts begin with their title, which would be counted twice. */
function bodyOf({ title, text }: Document): string {
  return title !== '' && text.startsWith(title) ? text.slice(title.length) : text
}

export async function loadCranfield(candidateCount: number, say: (text: string) => void): Promise<Cranfield> {
  const set = await readBeirFolder(findCranfield())
  const docIds = set.documents.map((document) => document.docId)
  const bodies = set.documents.map(bodyOf)
  const documents = set.documents.map(({ title }, at) => `${title} ${bodies[at]!}`.trim())
  const indexOf = new Map(docIds.map((docId, at) => [docId, at]))
  const bm25 = createBm25Index(documents.map(bm25Tokens))
  const judged = gradesByQuery(Object.values(set.judgments).flat())
  const queries = set.queries.map(({ queryId, text }) => {
    const grades = new Float32Array(docIds.length)
    for (const [docId, grade] of judged.get(queryId) ?? []) grades[indexOf.get(docId)!] = grade
    return {
      queryId,
      text,
      grades,
      candidates: rankByScore(Array.from(bm25.score(bm25Tokens(text), FIRST_STAGE)), docIds).slice(0, candidateCount),
    }
  })
  say('latent space of the 1,400 abstracts')
  const random = createRandom(1)
  const space = await createCorpusSpace(documents, random)
  say('match features of queries and of titles')
  const matrices = (await createMatchModel({ documents, space, random })).features(queries.map((query) => query.text))
  const usable = set.documents.flatMap(({ title }, at) => (title !== '' && bodies[at]!.trim() !== '' ? [at] : []))
  const ofTitles = (await createMatchModel({ documents: usable.map((at) => bodies[at]!), space, random })).features(
    usable.map((at) => set.documents[at]!.title),
  )
  const read =
    (all: readonly Float32Array[], columns: number) =>
    (row: number, column: number): Float32Array =>
      Float32Array.from(all, (matrix) => FEATURE_SCALE * matrix[row * columns + column]!)
  const positions = (split: string): number[] => {
    const ids = gradesByQuery(set.judgments[split] ?? [])
    return [...queries.keys()].filter((at) => ids.has(queries[at]!.queryId))
  }
  return {
    docIds,
    documents,
    queries,
    splits: { train: positions('train'), dev: positions('dev'), test: positions('test') },
    featureCount: MATCH_FEATURES.length,
    featuresOf: read(matrices, docIds.length),
    titles: { count: usable.length, featuresOf: read(ofTitles, usable.length) },
  }
}

/** nDCG@10 of some documents in order of their scores; the ideal ranking holds every judged document. */
export function ndcgOf(
  { docIds, queries }: Cranfield,
  query: number,
  documents: readonly number[],
  scores: readonly number[],
): number {
  const { grades } = queries[query]!
  const ranked = rankByScore(
    scores,
    documents.map((document) => docIds[document]!),
  ).map((at) => grades[documents[at]!]!)
  const listed = new Set(documents)
  const missed = Array.from(grades).filter((grade, document) => grade > 0 && !listed.has(document))
  return measureRanking(ranked, missed, CUTOFF).ndcgLinear
}
