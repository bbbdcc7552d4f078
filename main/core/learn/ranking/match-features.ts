// How well a text matches each document of a corpus, as numbers for a scorer: lexical, latent, and by feedback.
import { bm25Tokens, createBm25Index, type Bm25Options } from './bm25.ts'
import { stemmedTerms, termPairs } from './lexical.ts'
import { createLatentSpace, createTermWeights, latentCosines, sparseProducts, type LatentSpace } from './lsa.ts'
import type { Random } from '../random.ts'

export const MATCH_FEATURES = [
  'BM25 of words',
  'BM25 of stems',
  'BM25 of neighbouring stems',
  'share of the query found, by idf',
  'latent cosine, rank 64',
  'latent cosine, rank 150',
  'latent cosine, rank 300',
  'tf-idf cosine',
  'latent cosine after feedback',
] as const
const RANKS = [64, 150, 300] as const
const BM25: Bm25Options = { k1: 1.5, b: 0.75 }
/** Documents that are taken for relevant in the feedback feature. */
const FEEDBACK_DOCUMENTS = 5

/** One feature of every query and document. [query, document] row by row */
export type FeatureMatrix = Float32Array

export interface MatchModel {
  /**
   * Features of these queries with all documents, each of mean 0 and deviation 1 over a query's documents.
   * @returns by feature, in the order of MATCH_FEATURES
   */
  features(queries: readonly string[]): FeatureMatrix[]
}

export interface MatchModelOptions {
  /** What is searched. */
  readonly documents: readonly string[]
  /** What the term weights and the latent space are made of; the documents by default. */
  readonly space?: CorpusSpace
  readonly random: Random
  /** Awaited between pieces of work. */
  pause?(): Promise<void>
}

export interface CorpusSpace {
  readonly weights: ReturnType<typeof createTermWeights>
  readonly latent: LatentSpace
}

export async function createCorpusSpace(
  texts: readonly string[],
  random: Random,
  pause?: () => Promise<void>,
): Promise<CorpusSpace> {
  const terms = texts.map(stemmedTerms)
  const weights = createTermWeights(terms)
  return {
    weights,
    latent: await createLatentSpace(
      terms.map((one) => weights.vectorOf(one)),
      Math.max(...RANKS),
      random,
      pause,
    ),
  }
}

export async function createMatchModel({ documents, random, space, pause }: MatchModelOptions): Promise<MatchModel> {
  const { weights, latent } = space ?? (await createCorpusSpace(documents, random, pause))
  await pause?.()
  const count = documents.length
  const stems = documents.map(stemmedTerms)
  const vectors = stems.map((terms) => weights.vectorOf(terms))
  const places = latent.fold(vectors)
  const byWords = createBm25Index(documents.map(bm25Tokens))
  const byStems = createBm25Index(stems)
  const byPairs = createBm25Index(stems.map(termPairs))
  const found = createCoverage(stems)
  return {
    features(queries) {
      const terms = queries.map(stemmedTerms)
      const queryVectors = terms.map((one) => weights.vectorOf(one))
      const folded = latent.fold(queryVectors)
      const each = (score: (query: number) => ArrayLike<number>): FeatureMatrix => {
        const matrix = new Float32Array(queries.length * count)
        for (let query = 0; query < queries.length; query += 1) matrix.set(Array.from(score(query)), query * count)
        return matrix
      }
      const words = each((query) => byWords.score(bm25Tokens(queries[query]!), BM25))
      const stemmed = each((query) => byStems.score(terms[query]!, BM25))
      const pairs = each((query) => byPairs.score(termPairs(terms[query]!), BM25))
      const cosines = RANKS.map((rank) => latentCosines(folded, places, latent.rank, Math.min(rank, latent.rank)))
      const moved = moveTowards(folded, places, latent.rank, stemmed, cosines.at(-1)!)
      const all = [
        words,
        stemmed,
        pairs,
        each((query) => found(terms[query]!)),
        ...cosines,
        sparseProducts(queryVectors, vectors),
        latentCosines(moved, places, latent.rank, latent.rank),
      ]
      for (const matrix of all) standardizeRows(matrix, count)
      return all
    },
  }
}

/** Σ idf of the query's terms that a document has, of those the query has. */
function createCoverage(documents: readonly (readonly string[])[]): (query: readonly string[]) => Float64Array {
  const postings = new Map<string, number[]>()
  for (const [document, terms] of documents.entries()) {
    for (const term of new Set(terms)) {
      const list = postings.get(term)
      if (list === undefined) postings.set(term, [document])
      else list.push(document)
    }
  }
  return (query) => {
    const scores = new Float64Array(documents.length)
    let whole = 0
    for (const term of new Set(query)) {
      const list = postings.get(term) ?? []
      const idf = Math.log1p((documents.length - list.length + 0.5) / (list.length + 0.5))
      whole += idf
      for (const document of list) scores[document]! += idf
    }
    return whole === 0 ? scores : scores.map((score) => score / whole)
  }
}

/** Rocchio: the query plus the mean of the documents that are best by BM25 and latent cosine together, all of length 1. */
function moveTowards(
  queries: Float32Array,
  documents: Float32Array,
  rank: number,
  lexical: FeatureMatrix,
  latent: FeatureMatrix,
): Float32Array {
  const count = documents.length / rank
  const moved = new Float32Array(queries.length)
  for (let query = 0; query < queries.length / rank; query += 1) {
    const ownLexical = lexical.subarray(query * count, (query + 1) * count)
    const most = ownLexical.reduce((max, score) => Math.max(max, score), 1e-9)
    const both = Array.from(ownLexical, (score, document) => score / most + latent[query * count + document]!)
    const best = [...both.keys()].sort((a, b) => both[b]! - both[a]! || a - b).slice(0, FEEDBACK_DOCUMENTS)
    addUnit(moved, query * rank, queries, query * rank, rank, 1)
    for (const document of best) addUnit(moved, query * rank, documents, document * rank, rank, 1 / best.length)
  }
  return moved
}

function addUnit(
  target: Float32Array,
  at: number,
  source: Float32Array,
  from: number,
  size: number,
  weight: number,
): void {
  const length = Math.hypot(...source.subarray(from, from + size))
  if (length > 0)
    for (let index = 0; index < size; index += 1) target[at + index]! += (weight * source[from + index]!) / length
}

function standardizeRows(matrix: FeatureMatrix, columns: number): void {
  for (let start = 0; start < matrix.length; start += columns) {
    const row = matrix.subarray(start, start + columns)
    const mean = row.reduce((sum, value) => sum + value, 0) / columns
    const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns)
    for (let at = 0; at < columns; at += 1) row[at] = deviation < 1e-9 ? 0 : (row[at]! - mean) / deviation
  }
}
