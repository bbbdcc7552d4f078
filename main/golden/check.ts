import type { Tolerance } from './compare.ts'
import type { GoldenCase, Value } from './vectors.ts'

export interface CheckedOutput {
  /** Dotted path inside `outputs`: `loss`, `grads.policy_logps`. */
  readonly path: string
  readonly actual: Value
  readonly tolerance: Tolerance
}

export interface CheckResult {
  readonly outputs: readonly CheckedOutput[]
  /** Outputs, or the whole case, that our code has no counterpart for, each with its reason. */
  readonly notCovered: readonly string[]
  /** Numbers of the vector that are known to be wrong and were not compared, each with its reason. */
  readonly setAside?: readonly string[]
}

/**
 * Where an argument of log σ is exactly 0 some vectors hold a one-sided derivative, 1, where it is ½. An entry that is
 * exactly double ours at such a place is set aside; any other number is compared as it stands.
 * @param atKink whether the entry's derivative takes log σ at 0
 */
export function setAsideDoubled(path: string, expected: readonly number[], ours: readonly number[], atKink: (index: number) => boolean, tolerance: Tolerance): { readonly kept: number[]; readonly setAside: string[] } {
  let count = 0
  const kept = ours.map((value, index) => {
    const near = (one: number): boolean => Math.abs(one - expected[index]!) <= tolerance.absolute + tolerance.relative * Math.abs(expected[index]!)
    if (!atKink(index) || near(value) || !near(2 * value)) return value
    count += 1
    return expected[index]!
  })
  return { kept, setAside: count === 0 ? [] : [`${path}: ${count} lie exactly where log σ is taken at 0; the vector has the one-sided derivative 1 there, the derivative is ½, which ours is`] }
}

/** Feeds a case's inputs to the code's own function and returns what came out, to be compared with the vector. */
export type Check = (vector: GoldenCase) => CheckResult

export function covered(tolerance: Tolerance, actual: Readonly<Record<string, Value>>): CheckedOutput[] {
  return Object.entries(actual).map(([path, value]) => ({ path, actual: value, tolerance }))
}

export function caseNotCovered(reason: string): CheckResult {
  return { outputs: [], notCovered: [reason] }
}
