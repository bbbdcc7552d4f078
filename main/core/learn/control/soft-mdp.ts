// Finite Markov decision processes with maximum entropy, solved exactly.

export interface SoftMdp {
  /** P(next | state, action) [state, action, next] */
  readonly transitions: readonly (readonly (readonly number[])[])[]
  /** [state, action] */
  readonly rewards: readonly (readonly number[])[]
  readonly gamma: number
  /** Temperature of the entropy. */
  readonly alpha: number
}

export interface SoftSolution {
  /** r + γ E[V(s′)] [state, action] */
  readonly q: number[][]
  /** α logsumexp(Q / α) [state] */
  readonly v: number[]
  /** Q − V = α log π* [state, action] */
  readonly advantage: number[][]
  /** [state, action] */
  readonly policy: number[][]
}

const TOLERANCE = 1e-14
const MAX_SWEEPS = 100_000

/** Value iteration until nothing moves by more than 10⁻¹⁴ of its size. */
export function solveSoftMdp({ transitions, rewards, gamma, alpha }: SoftMdp): SoftSolution {
  const qOf = (v: readonly number[]): number[][] =>
    rewards.map((row, state) =>
      row.map(
        (reward, action) =>
          reward + gamma * transitions[state]![action]!.reduce((sum, p, next) => sum + p * v[next]!, 0),
      ),
    )
  const softMax = (row: readonly number[]): number => {
    const largest = Math.max(...row)
    return largest + alpha * Math.log(row.reduce((sum, value) => sum + Math.exp((value - largest) / alpha), 0))
  }
  let v = rewards.map(() => 0)
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
    const next = qOf(v).map(softMax)
    const moved = Math.max(...next.map((value, state) => Math.abs(value - v[state]!) / Math.max(1, Math.abs(value))))
    v = next
    if (moved < TOLERANCE) break
  }
  const q = qOf(v)
  const advantage = q.map((row, state) => row.map((value) => value - v[state]!))
  return { q, v, advantage, policy: advantage.map((row) => row.map((value) => Math.exp(value / alpha))) }
}

/** Σ_t γᵗ A(s_t, a_t): what CPL takes a person to compare. */
export function segmentRegretScore(
  advantage: readonly (readonly number[])[],
  states: readonly number[],
  actions: readonly number[],
  gamma: number,
): number {
  return states.reduce((sum, state, t) => sum + gamma ** t * advantage[state]![actions[t]!]!, 0)
}
