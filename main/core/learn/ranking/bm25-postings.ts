// BM25 over collections that are large: the same scores as bm25.ts, from postings in flat arrays.
import type { Bm25Options } from './bm25.ts'

/** Takes documents one by one, in their order, and keeps none of them. */
export interface PostingsBuilder {
  add(tokens: readonly string[]): void
  /** Nothing can be added after it. Can be left off at every `yield`. */
  finish(): Generator<void, Postings>
}

export interface Postings {
  readonly documentCount: number
  readonly averageLength: number
  /** Of memory. */
  readonly bytes: number
  /** A score for each document; a term that occurs twice in the query counts twice. */
  score(query: readonly string[], options: Bm25Options): Float64Array
}

const CHUNK = 1 << 20
/** An entry keeps a count in 16 bits: beyond it, BM25 has long ceased to grow. */
const MOST = 0xffff

/** Pairs of term and count, in the order of the documents. */
interface Chunk {
  readonly terms: Uint32Array
  readonly counts: Uint16Array
}

export function createPostings(): PostingsBuilder {
  const numberOf = new Map<string, number>()
  const chunks: Chunk[] = []
  let filled = CHUNK
  let lengths = new Uint32Array(1024)
  let entries = new Uint32Array(1024)
  let documents = 0

  function push(term: number, count: number): void {
    if (filled === CHUNK) {
      chunks.push({ terms: new Uint32Array(CHUNK), counts: new Uint16Array(CHUNK) })
      filled = 0
    }
    const chunk = chunks.at(-1)!
    chunk.terms[filled] = term
    chunk.counts[filled] = Math.min(MOST, count)
    filled += 1
  }

  return {
    add(tokens) {
      if (documents === lengths.length) {
        lengths = grown(lengths)
        entries = grown(entries)
      }
      const counts = new Map<number, number>()
      for (const token of tokens) {
        let number = numberOf.get(token)
        if (number === undefined) {
          number = numberOf.size
          numberOf.set(token, number)
        }
        counts.set(number, (counts.get(number) ?? 0) + 1)
      }
      for (const [term, count] of counts) push(term, count)
      lengths[documents] = tokens.length
      entries[documents] = counts.size
      documents += 1
    },
    *finish() {
      const total = Math.max(0, (chunks.length - 1) * CHUNK + (chunks.length === 0 ? 0 : filled))
      const starts = new Uint32Array(numberOf.size + 1)
      for (const [at, { terms }] of chunks.entries()) {
        const end = Math.min(CHUNK, total - at * CHUNK)
        for (let index = 0; index < end; index += 1) starts[terms[index]! + 1]! += 1
        yield
      }
      for (let term = 0; term < numberOf.size; term += 1) starts[term + 1]! += starts[term]!
      const next = starts.slice()
      const documentOf = new Uint32Array(total)
      const countOf = new Uint16Array(total)
      let document = 0
      let left = entries[0] ?? 0
      for (const [at, { terms, counts }] of chunks.entries()) {
        const end = Math.min(CHUNK, total - at * CHUNK)
        for (let index = 0; index < end; index += 1) {
          while (left === 0) left = entries[(document += 1)]!
          const place = next[terms[index]!]!++
          documentOf[place] = document
          countOf[place] = counts[index]!
          left -= 1
        }
        yield
      }
      chunks.length = 0
      return scorer({ numberOf, starts, documentOf, countOf, lengths: lengths.slice(0, documents) })
    },
  }
}

interface Columns {
  readonly numberOf: ReadonlyMap<string, number>
  /** Where a term's postings begin [term + 1] */
  readonly starts: Uint32Array
  /** [posting] */
  readonly documentOf: Uint32Array
  readonly countOf: Uint16Array
  /** Tokens [document] */
  readonly lengths: Uint32Array
}

function scorer({ numberOf, starts, documentOf, countOf, lengths }: Columns): Postings {
  const documentCount = lengths.length
  let sum = 0
  for (const length of lengths) sum += length
  const averageLength = sum / Math.max(1, documentCount)
  return {
    documentCount,
    averageLength,
    bytes: starts.byteLength + documentOf.byteLength + countOf.byteLength + lengths.byteLength,
    score(query, { k1, b, idf = 'lucene', scaled = true }) {
      const scores = new Float64Array(documentCount)
      for (const term of query) {
        const number = numberOf.get(term)
        if (number === undefined) continue
        const [from, to] = [starts[number]!, starts[number + 1]!]
        const odds = (documentCount - (to - from) + 0.5) / (to - from + 0.5)
        const weight = (idf === 'lucene' ? Math.log1p(odds) : Math.log(odds)) * (scaled ? k1 + 1 : 1)
        for (let at = from; at < to; at += 1) {
          const count = countOf[at]!
          const document = documentOf[at]!
          scores[document]! += (weight * count) / (count + k1 * (1 - b + (b * lengths[document]!) / averageLength))
        }
      }
      return scores
    },
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * array.length)
  larger.set(array)
  return larger
}
