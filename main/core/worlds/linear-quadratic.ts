// The discounted linear-quadratic regulator: s′ = A s + B a, r = −(sᵀQ s + aᵀR a), in which V* and A* are known exactly.

export type Matrix = readonly (readonly number[])[]

export interface LinearQuadratic {
  readonly a: Matrix
  readonly b: Matrix
  readonly q: Matrix
  readonly r: Matrix
  readonly discount: number
}

export interface LinearQuadraticSolution {
  /** V*(s) = −sᵀP s */
  readonly p: Matrix
  /** a*(s) = −K s */
  readonly gain: Matrix
  /** A*(s, a) = −(a − a*)ᵀM (a − a*), M = R + γ BᵀP B */
  readonly curvature: Matrix
}

const TOLERANCE = 1e-13
const MAX_SWEEPS = 100_000

/** Value iteration on P = Q + γ AᵀP A − γ² AᵀP B (R + γ BᵀP B)⁻¹ BᵀP A until nothing moves. @throws RangeError if it does not settle */
export function solveLinearQuadratic({ a, b, q, r, discount }: LinearQuadratic): LinearQuadraticSolution {
  const [at, bt] = [transpose(a), transpose(b)]
  const sweepOf = (p: Matrix): LinearQuadraticSolution => {
    const curvature = add(r, scale(product(product(bt, p), b), discount))
    const gain = scale(product(inverse(curvature), product(product(bt, p), a)), discount)
    const next = add(
      add(q, scale(product(product(at, p), a), discount)),
      scale(product(product(at, product(p, b)), gain), -discount),
    )
    return { p: next, gain, curvature }
  }
  let p: Matrix = q
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
    const next = sweepOf(p).p
    const size = Math.max(1, ...next.flat().map(Math.abs))
    const moved = Math.max(...next.flatMap((row, i) => row.map((value, j) => Math.abs(value - p[i]![j]!)))) / size
    p = next
    if (moved < TOLERANCE) return { ...sweepOf(p), p }
  }
  throw new RangeError('the Riccati equation does not settle')
}

export function multiply(matrix: Matrix, vector: ArrayLike<number>): number[] {
  return matrix.map((row) => row.reduce((sum, value, at) => sum + value * vector[at]!, 0))
}

/** xᵀM x */
export function quadratic(matrix: Matrix, vector: ArrayLike<number>): number {
  return multiply(matrix, vector).reduce((sum, value, at) => sum + value * vector[at]!, 0)
}

function transpose(m: Matrix): Matrix {
  return m[0]!.map((_, column) => m.map((row) => row[column]!))
}

function product(m: Matrix, n: Matrix): Matrix {
  return m.map((row) => n[0]!.map((_, column) => row.reduce((sum, value, at) => sum + value * n[at]![column]!, 0)))
}

function add(m: Matrix, n: Matrix): Matrix {
  return m.map((row, i) => row.map((value, j) => value + n[i]![j]!))
}

function scale(m: Matrix, by: number): Matrix {
  return m.map((row) => row.map((value) => value * by))
}

/** By elimination with the largest pivot. @throws RangeError for a singular matrix */
function inverse(m: Matrix): Matrix {
  const size = m.length
  const rows = m.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))])
  for (let column = 0; column < size; column += 1) {
    const pivot = rows
      .slice(column)
      .reduce((best, row, at) => (Math.abs(row[column]!) > Math.abs(rows[best]![column]!) ? column + at : best), column)
    if (Math.abs(rows[pivot]![column]!) < 1e-300) throw new RangeError('a singular matrix has no inverse')
    const [kept, other] = [rows[pivot]!, rows[column]!]
    rows[column] = kept
    rows[pivot] = other
    const lead = kept[column]!
    for (let at = 0; at < 2 * size; at += 1) kept[at] = kept[at]! / lead
    rows.forEach((row, i) => {
      const by = row[column]!
      if (i !== column && by !== 0) for (let at = 0; at < 2 * size; at += 1) row[at] = row[at]! - by * kept[at]!
    })
  }
  return rows.map((row) => row.slice(size))
}
