// A made-up retrieval task with lists of documents of one topic, for which "objective equals evaluation" can be tested.
import type { Random } from '../../core/learn/random.ts'

export interface WorldList {
  /** [feature] */
  readonly query: Float32Array
  /** [document, feature], row by row */
  readonly documents: readonly Float32Array[]
  readonly relevance: readonly number[]
}

export const LIST_WORLD = {
  topics: 20,
  topicSize: 16,
  detailSize: 16,
  documents: 20,
  /** Grades of the documents that answer a query best, from the best on; the others have 0. */
  grades: [3, 2, 2, 1, 1, 1],
  /** Deviation of what is added to each coordinate that a scorer sees. */
  noise: 0.1,
} as const

/**
 * A query has a topic and wants a detail. All documents of its list are on the topic, and differ in the detail: which of
 * them answer it is what a ranker must see, and what documents of other topics do not teach. Queries and documents are
 * seen through two fixed rotations, so that even the topic has to be learned.
 */
export function createListWorld(random: Random): { draw(count: number, stream: string): WorldList[] } {
  const { topics, topicSize, detailSize, documents, grades, noise } = LIST_WORLD
  const size = topicSize + detailSize
  const own = random.fork('world')
  const centers = Array.from({ length: topics }, () => normals(own, topicSize))
  const [queryView, documentView] = [rotation(size, own), rotation(size, own)]
  const seen = (view: readonly Float32Array[], parts: readonly number[], from: Random): Float32Array =>
    Float32Array.from(
      view,
      (row) => row.reduce((sum, weight, at) => sum + weight * parts[at]!, 0) + noise * from.normal(),
    )
  return {
    draw(count, stream) {
      const from = random.fork(stream)
      return Array.from({ length: count }, () => {
        const center = centers[from.int(topics)]!
        const wish = normals(from, detailSize)
        const details = Array.from({ length: documents }, () => normals(from, detailSize))
        const fit = details.map((detail) => detail.reduce((sum, value, at) => sum + value * wish[at]!, 0))
        const relevance = details.map(() => 0)
        for (const [place, document] of [...fit.keys()]
          .sort((a, b) => fit[b]! - fit[a]!)
          .slice(0, grades.length)
          .entries())
          relevance[document] = grades[place]!
        return {
          query: seen(queryView, [...center, ...wish], from),
          documents: details.map((detail) => seen(documentView, [...center, ...detail], from)),
          relevance,
        }
      })
    },
  }
}

function normals(random: Random, count: number): number[] {
  return Array.from({ length: count }, () => random.normal())
}

/** A random orthonormal matrix, by Gram and Schmidt. [row, column] */
function rotation(size: number, random: Random): Float32Array[] {
  const rows: number[][] = []
  while (rows.length < size) {
    const row = normals(random, size)
    for (const other of rows) {
      const along = row.reduce((sum, value, at) => sum + value * other[at]!, 0)
      for (const [at, value] of other.entries()) row[at]! -= along * value
    }
    const length = Math.hypot(...row)
    if (length > 1e-6) rows.push(row.map((value) => value / length))
  }
  return rows.map((row) => Float32Array.from(row))
}
