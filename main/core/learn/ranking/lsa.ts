// Latent semantic analysis (Deerwester et al., 1990): texts as coordinates in the leading singular subspace of a term matrix.
import type { Random } from '../random.ts'
import { tf } from '../tf.ts'

/** Term → weight of one text; length 1. */
export type TermVector = ReadonlyMap<string, number>

export interface TermWeights {
  /** (1 + log count) · idf, to length 1; terms that no document has are left out. */
  vectorOf(terms: readonly string[]): TermVector
}

/** idf = 1 + log((N + 1)/(n + 1)), over these documents. */
export function createTermWeights(documents: readonly (readonly string[])[]): TermWeights {
  const matches = new Map<string, number>()
  for (const terms of documents) for (const term of new Set(terms)) matches.set(term, (matches.get(term) ?? 0) + 1)
  return {
    vectorOf(terms) {
      const counts = new Map<string, number>()
      for (const term of terms) if (matches.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1)
      const weights = [...counts].map(
        ([term, count]) =>
          [term, (1 + Math.log(count)) * (1 + Math.log((documents.length + 1) / (matches.get(term)! + 1)))] as const,
      )
      const length = Math.hypot(...weights.map(([, weight]) => weight))
      return new Map(weights.map(([term, weight]) => [term, length === 0 ? 0 : weight / length]))
    },
  }
}

/** Inner products of sparse vectors. [row, column] row by row */
export function sparseProducts(rows: readonly TermVector[], columns: readonly TermVector[]): Float32Array {
  const postings = new Map<string, { readonly column: number; readonly weight: number }[]>()
  for (const [column, vector] of columns.entries()) {
    for (const [term, weight] of vector) {
      const list = postings.get(term) ?? []
      postings.set(term, list)
      list.push({ column, weight })
    }
  }
  const products = new Float32Array(rows.length * columns.length)
  for (const [row, vector] of rows.entries()) {
    for (const [term, weight] of vector)
      for (const other of postings.get(term) ?? [])
        products[row * columns.length + other.column]! += weight * other.weight
  }
  return products
}

export interface LatentSpace {
  readonly rank: number
  /** Documents' coordinates [document, rank]; the first r columns are the space of rank r. */
  readonly documents: Float32Array
  /** Folds further texts in. [text, rank] */
  fold(vectors: readonly TermVector[]): Float32Array
}

const EXTRA_COLUMNS = 16
/** Each costs columns² · documents: small collections can afford to settle near-equal directions too. */
const iterationsFor = (documents: number): number => (documents > 400 ? 6 : 60)

/**
 * Cosines in the space of rank r need the subspace of the r leading right singular vectors and no more: any orthonormal
 * basis of it gives the same inner products. Orthogonal iteration on X Xᵀ finds the left ones Q, in falling order; with
 * B = Qᵀ X Xᵀ Q = R Rᵀ (Cholesky), Xᵀ Q R⁻ᵀ is an orthonormal basis of the right ones, in which text x has the
 * coordinates x Xᵀ Q R⁻ᵀ. Cholesky's factor is nested, and so are the spaces.
 * @param pause awaited between pieces of work, some seconds each for a thousand documents
 */
export async function createLatentSpace(
  documents: readonly TermVector[],
  wantedRank: number,
  random: Random,
  pause: () => Promise<void> = () => Promise.resolve(),
): Promise<LatentSpace> {
  const count = documents.length
  const rank = Math.min(wantedRank, count)
  const columns = Math.min(count, rank + EXTRA_COLUMNS)
  const gram = sparseProducts(documents, documents)
  let basis = orthonormal(
    Float64Array.from({ length: count * columns }, () => random.normal()),
    count,
    columns,
  )
  for (let iteration = 0; iteration < iterationsFor(count); iteration += 1) {
    await pause()
    basis = orthonormal(Float64Array.from(product(gram, count, Float32Array.from(basis), columns)), count, columns)
  }
  const leading = firstColumns(Float32Array.from(basis), count, columns, rank)
  const images = product(gram, count, leading, rank) // X Xᵀ Q
  const factor = cholesky(
    tf.tidy(() =>
      tf.matMul(tf.tensor2d(leading, [count, rank]), tf.tensor2d(images, [count, rank]), true).dataSync<'float32'>(),
    ),
    rank,
  )
  return {
    rank,
    documents: solveRows(images, factor, rank),
    fold: (vectors) =>
      solveRows(product(sparseProducts(vectors, documents), vectors.length, leading, rank), factor, rank),
  }
}

/** a [rows, n] times b [n, columns], n = b's rows. */
function product(a: Float32Array, rows: number, b: Float32Array, columns: number): Float32Array {
  const inner = a.length / rows
  return tf.tidy(() =>
    tf
      .matMul(tf.tensor2d(a, [rows, inner]), tf.tensor2d(b, [inner, columns]))
      .dataSync<'float32'>()
      .slice(),
  )
}

function firstColumns(values: Float32Array, rows: number, columns: number, wanted: number): Float32Array {
  const kept = new Float32Array(rows * wanted)
  for (let row = 0; row < rows; row += 1) kept.set(values.subarray(row * columns, row * columns + wanted), row * wanted)
  return kept
}

/** Gram and Schmidt, each column against those before it, in double precision. [row, column] */
function orthonormal(values: Float64Array, rows: number, columns: number): Float64Array {
  const byColumn = Array.from({ length: columns }, (_none, column) =>
    Float64Array.from({ length: rows }, (_value, row) => values[row * columns + column]!),
  )
  for (const [at, column] of byColumn.entries()) {
    for (let before = 0; before < at; before += 1) {
      const other = byColumn[before]!
      let along = 0
      for (let row = 0; row < rows; row += 1) along += column[row]! * other[row]!
      for (let row = 0; row < rows; row += 1) column[row]! -= along * other[row]!
    }
    let squares = 0
    for (let row = 0; row < rows; row += 1) squares += column[row]! ** 2
    const length = Math.sqrt(squares)
    for (let row = 0; row < rows; row += 1) column[row] = length < 1e-12 ? 0 : column[row]! / length
  }
  const result = new Float64Array(rows * columns)
  for (const [at, column] of byColumn.entries())
    for (let row = 0; row < rows; row += 1) result[row * columns + at] = column[row]!
  return result
}

/** Lower triangle R of B = R Rᵀ; directions without any weight get a 0 on the diagonal. */
function cholesky(values: Float32Array, size: number): Float64Array {
  const lower = new Float64Array(size * size)
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let sum = (values[row * size + column]! + values[column * size + row]!) / 2
      for (let at = 0; at < column; at += 1) sum -= lower[row * size + at]! * lower[column * size + at]!
      if (row === column) lower[row * size + row] = sum > 1e-9 ? Math.sqrt(sum) : 0
      else lower[row * size + column] = lower[column * size + column] === 0 ? 0 : sum / lower[column * size + column]!
    }
  }
  return lower
}

/** Each row y of Y R⁻ᵀ solves R yᵀ = rowᵀ. */
function solveRows(rows: Float32Array, lower: Float64Array, size: number): Float32Array {
  const solved = new Float32Array(rows.length)
  const y = new Float64Array(size)
  for (let start = 0; start < rows.length; start += size) {
    for (let at = 0; at < size; at += 1) {
      let sum = rows[start + at]!
      for (let before = 0; before < at; before += 1) sum -= lower[at * size + before]! * y[before]!
      y[at] = lower[at * size + at] === 0 ? 0 : sum / lower[at * size + at]!
      solved[start + at] = y[at]!
    }
  }
  return solved
}

/** Cosines in the space of rank r. [a, b] row by row; 0 where a text has no known term. */
export function latentCosines(a: Float32Array, b: Float32Array, rank: number, used: number): Float32Array {
  return tf.tidy(() => {
    const unit = (values: Float32Array): tf.Tensor2D => {
      const part = tf.slice(tf.tensor2d(values, [values.length / rank, rank]), [0, 0], [-1, used])
      return tf.mul(part, tf.rsqrt(tf.add(tf.sum(tf.square(part), 1, true), 1e-12)))
    }
    return tf.matMul(unit(a), unit(b), false, true).dataSync<'float32'>().slice()
  })
}
