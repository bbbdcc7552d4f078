// Strengths of players from games between them.

/** A game of two players (by index) and the first one's score: 1, ½ or 0. */
export type Game = readonly [first: number, second: number, score: number]

export interface BradleyTerry {
  /** Mean zero [player] */
  readonly logStrength: number[]
  readonly logLikelihood: number
  /** From the inverse of the information, without a ridge in the space of strengths that sum to zero [player] */
  readonly standardError: number[]
}

/** Score of the row player against the column player, summed over games. */
export function winMatrix(players: number, games: readonly Game[]): number[][] {
  const wins = Array.from({ length: players }, () => Array.from({ length: players }, () => 0))
  for (const [first, second, score] of games) {
    wins[first]![second]! += score
    wins[second]![first]! += 1 - score
  }
  return wins
}

/**
 * Maximum likelihood of P(i beats j) = σ(θ_i − θ_j), a draw as half a win to each (Bradley and Terry, 1952), by
 * Newton's method; with `ridge` λ minus λ/2 · Σ θ², without which a player who never lost has no finite strength.
 * @throws RangeError when it does not converge
 */
export function bradleyTerry(players: number, games: readonly Game[], ridge = 0): BradleyTerry {
  const wins = winMatrix(players, games)
  const theta = Array.from({ length: players }, () => 0)
  for (let round = 0; round < 200; round += 1) {
    const step = solve(information(theta, wins, ridge), gradient(theta, wins, ridge))
    const largest = Math.max(...step.map(Math.abs))
    const damp = largest > 2 ? 2 / largest : 1
    step.forEach((value, player) => (theta[player]! += damp * value))
    const centre = theta.reduce((sum, value) => sum + value, 0) / players
    theta.forEach((value, player) => (theta[player] = value - centre))
    if (largest < 1e-13)
      return { logStrength: theta, logLikelihood: likelihood(theta, wins), standardError: errors(theta, wins, ridge) }
    if (!Number.isFinite(largest) || Math.max(...theta.map(Math.abs)) > 50) break
  }
  throw new RangeError('the strengths have no finite maximum: a player won or lost every game; use a ridge')
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

function gradient(theta: readonly number[], wins: readonly (readonly number[])[], ridge: number): number[] {
  return theta.map((own, i) =>
    theta.reduce(
      (sum, other, j) => (i === j ? sum : sum + wins[i]![j]! - (wins[i]![j]! + wins[j]![i]!) * sigmoid(own - other)),
      -ridge * own,
    ),
  )
}

/**
 * Minus the second derivatives. Without a ridge a common shift changes nothing, and the matrix has no inverse: 1/players
 * everywhere fixes the sum and changes no difference.
 */
function information(theta: readonly number[], wins: readonly (readonly number[])[], ridge: number): number[][] {
  const size = theta.length
  const matrix = Array.from({ length: size }, () => Array.from({ length: size }, () => (ridge === 0 ? 1 / size : 0)))
  for (let i = 0; i < size; i += 1) {
    matrix[i]![i]! += ridge
    for (let j = 0; j < size; j += 1) {
      if (i === j) continue
      const p = sigmoid(theta[i]! - theta[j]!)
      const curvature = (wins[i]![j]! + wins[j]![i]!) * p * (1 - p)
      matrix[i]![i]! += curvature
      matrix[i]![j]! -= curvature
    }
  }
  return matrix
}

function likelihood(theta: readonly number[], wins: readonly (readonly number[])[]): number {
  return theta.reduce(
    (sum, own, i) =>
      sum +
      theta.reduce((inner, other, j) => inner - (i === j ? 0 : wins[i]![j]! * Math.log1p(Math.exp(other - own))), 0),
    0,
  )
}

function errors(theta: readonly number[], wins: readonly (readonly number[])[], ridge: number): number[] {
  const matrix = information(theta, wins, ridge)
  const added = ridge === 0 ? 1 / theta.length : 0 // what fixing the sum put into the inverse
  return theta.map((_value, player) =>
    Math.sqrt(
      solve(
        matrix,
        theta.map((_other, at) => (at === player ? 1 : 0)),
      )[player]! - added,
    ),
  )
}

/** Gaussian elimination with the largest pivot. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, at) => [...row, right[at]!])
  const size = rows.length
  for (let column = 0; column < size; column += 1) {
    let pivot = column
    for (let row = column + 1; row < size; row += 1)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row
    ;[rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!]
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue
      const factor = rows[row]![column]! / rows[column]![column]!
      for (let at = column; at <= size; at += 1) rows[row]![at]! -= factor * rows[column]![at]!
    }
  }
  return rows.map((row, at) => row[size]! / row[at]!)
}

export interface EloOptions {
  readonly k: number
  readonly initial: number
  readonly scale: number
}

/** One game after the other (Elo, 1978): the order matters. → [player] */
export function eloRatings(players: number, games: readonly Game[], { k, initial, scale }: EloOptions): number[] {
  const ratings = Array.from({ length: players }, () => initial)
  for (const [first, second, score] of games) {
    const expected = 1 / (1 + 10 ** ((ratings[second]! - ratings[first]!) / scale))
    ratings[first]! += k * (score - expected)
    ratings[second]! -= k * (score - expected)
  }
  return ratings
}

/** Log strength on Elo's scale. */
export function eloScale(logStrength: number, { initial, scale }: Pick<EloOptions, 'initial' | 'scale'>): number {
  return initial + (scale * logStrength) / Math.LN10
}
