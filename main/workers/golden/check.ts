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
}

export interface GoldenResult {
  readonly file: string
  /** Empty for a whole file or folder. */
  readonly caseName: string
  readonly status: 'passed' | 'failed' | 'not-covered'
  /** What differs, or why it is not covered; empty when passed. */
  readonly detail: string
  /** Numbers compared. */
  readonly compared: number
}

/** Feeds a case's inputs to the code's own function and returns what came out, to be compared with the vector. */
export type Check = (vector: GoldenCase) => CheckResult

export function covered(tolerance: Tolerance, actual: Readonly<Record<string, Value>>): CheckedOutput[] {
  return Object.entries(actual).map(([path, value]) => ({ path, actual: value, tolerance }))
}

export function caseNotCovered(reason: string): CheckResult {
  return { outputs: [], notCovered: [reason] }
}
