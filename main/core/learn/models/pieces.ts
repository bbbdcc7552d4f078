// Vectors of many texts whose loss needs them all at once, with the memory of a few (GradCache; Gao, Zhang, Han and
// Callan, 2021, arXiv 2101.06983): they are computed without a tape, and when the gradient by each is known, a piece at
// a time is computed again with one. The same gradient as of the whole.
import { invariant } from '../../../../shared/assert.ts'
import { gradients, variableGradients } from '../gradients.ts'
import { tf } from '../tf.ts'

/** Kept for a backward pass at a time. */
const KEPT_BYTES = 400e6

/** Rows that become vectors, in pieces. */
export interface Staged<T> {
  readonly pieces: readonly (readonly T[])[]
  /** One vector a row, the same each time it is asked for a piece. → [row, width] */
  embed(rows: readonly T[], piece: number): tf.Tensor2D
  /** Those that `embed` reads. */
  readonly variables: readonly tf.Variable[]
  /** Called between pieces, so that the process answers meanwhile. */
  breathe(): Promise<void>
}

/** All vectors, end to end, without a gradient; the caller disposes of them. → [row, width] */
export async function stagedVectors<T>({ pieces, embed, breathe }: Staged<T>): Promise<tf.Tensor2D> {
  const parts: tf.Tensor2D[] = []
  for (const [number, rows] of pieces.entries()) {
    parts.push(tf.tidy(() => embed(rows, number)))
    await breathe()
  }
  const vectors = tf.concat(parts, 0)
  tf.dispose(parts)
  return vectors
}

/**
 * A loss of the vectors and its gradients by the variables, by their names. The caller owns all of them.
 * @param vectors as stagedVectors gives them; not read where there is one piece   @param more variables that the loss reads besides
 */
export async function stagedGradients<T>(
  staged: Staged<T>,
  vectors: tf.Tensor2D | null,
  loss: (vectors: tf.Tensor2D) => tf.Scalar,
  more: readonly tf.Variable[] = [],
): Promise<{ readonly value: tf.Scalar; readonly grads: Readonly<Record<string, tf.Tensor>> }> {
  const { pieces, embed, variables, breathe } = staged
  if (pieces.length === 1)
    return variableGradients(() => loss(tf.tidy(() => embed(pieces[0]!, 0))), [...variables, ...more])
  invariant(vectors !== null, 'several pieces have their vectors first')
  const { value, grads } = gradients(() => loss(vectors), [vectors, ...more], null)
  const [slope, ...others] = grads
  const sums: Record<string, tf.Tensor> = {}
  more.forEach(({ name }, at) => {
    const gradient = others[at]
    if (gradient != null) sums[name] = gradient
  })
  let from = 0
  for (const [number, rows] of pieces.entries()) {
    tf.tidy(() => {
      const upstream = tf.slice(slope!, [from, 0], [rows.length, -1]) // the loss is one of the vectors
      const found = gradients(() => embed(rows, number), variables, upstream).grads
      found.forEach((gradient, at) => {
        if (gradient === null) return
        const { name } = variables[at]!
        const before = sums[name]
        sums[name] = tf.keep(before === undefined ? gradient : tf.add(before, gradient))
        before?.dispose()
      })
    })
    from += rows.length
    await breathe()
  }
  slope!.dispose()
  return { value: value as tf.Scalar, grads: sums }
}

/** Rows of tokens cut so that what a pass over one piece keeps stays small: by the widths of the network's layers. */
export function piecesOf<T>(
  rows: readonly T[],
  lengthOf: (row: T) => number,
  shapes: Readonly<Record<string, readonly number[]>>,
  keptBytes = KEPT_BYTES,
): (readonly T[])[] {
  const most = pieceTokens(shapes, keptBytes)
  const pieces: T[][] = []
  let tokens = 0
  for (const row of rows) {
    const last = pieces.at(-1)
    if (last === undefined || tokens + lengthOf(row) > most) {
      pieces.push([row])
      tokens = lengthOf(row)
    } else {
      last.push(row)
      tokens += lengthOf(row)
    }
  }
  return pieces.length === 0 ? [[]] : pieces
}

/** Tokens of a piece at most, unless a row alone has more. */
export function pieceTokens(shapes: Readonly<Record<string, readonly number[]>>, keptBytes = KEPT_BYTES): number {
  return keptBytes / bytesPerToken(shapes)
}

/** What goes into each matrix of a layer and comes out of it. Embeddings are looked up, and kept once. */
function bytesPerToken(shapes: Readonly<Record<string, readonly number[]>>): number {
  const layers = Object.entries(shapes).filter(
    ([name, shape]) => shape.length === 2 && /\.(layers?|h)\.\d+\./.test(`.${name}`),
  )
  return (
    4 *
    Math.max(
      1,
      layers.reduce((sum, [, shape]) => sum + shape[0]! + shape[1]!, 0),
    )
  )
}
