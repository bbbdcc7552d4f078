// BM25 (Robertson and Zaragoza, 2009), the lexical baseline of retrieval.

import { wordsOf } from './words.ts'

/** `lucene` is ln(1 + (N − n + ½)/(n + ½)), never negative; `robertson` ln((N − n + ½)/(n + ½)), which may be. */
export type IdfForm = 'lucene' | 'robertson'

export interface Bm25Options {
  readonly k1: number
  readonly b: number
  readonly idf?: IdfForm
  /** The factor k₁ + 1, which Lucene 8 left out; the ranking is the same. */
  readonly scaled?: boolean
}

/** The words of a text, stop words and endings too. */
export function bm25Tokens(text: string): string[] {
  return wordsOf(text)
}

export interface Bm25Index {
  readonly lengths: readonly number[]
  readonly averageLength: number
  /** A score for each document; a term that occurs twice in the query counts twice. */
  score(query: readonly string[], options: Bm25Options): Float64Array
}

export function createBm25Index(documents: readonly (readonly string[])[]): Bm25Index {
  const postings = new Map<string, { readonly document: number; count: number }[]>()
  documents.forEach((tokens, document) => {
    for (const token of tokens) {
      const list = postings.get(token) ?? []
      postings.set(token, list)
      const last = list.at(-1)
      if (last?.document === document) last.count += 1
      else list.push({ document, count: 1 })
    }
  })
  const lengths = documents.map((tokens) => tokens.length)
  const averageLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length)
  const idfOf = (matches: number, form: IdfForm): number => {
    const odds = (documents.length - matches + 0.5) / (matches + 0.5)
    return form === 'lucene' ? Math.log1p(odds) : Math.log(odds)
  }
  return {
    lengths,
    averageLength,
    score(query, { k1, b, idf = 'lucene', scaled = true }) {
      const scores = new Float64Array(documents.length)
      for (const term of query) {
        const list = postings.get(term) ?? []
        const weight = idfOf(list.length, idf) * (scaled ? k1 + 1 : 1)
        for (const { document, count } of list)
          scores[document]! += (weight * count) / (count + k1 * (1 - b + (b * lengths[document]!) / averageLength))
      }
      return scores
    },
  }
}
