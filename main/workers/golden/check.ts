import { tf } from '../../core/learn/tf.ts'
import type { Tolerance } from './compare.ts'
import type { GoldenCase, Value } from './vectors.ts'

export interface CheckedOutput {
  /** Dotted path inside `outputs`: `loss`, `grads.policy_logps`. */
  readonly path: string
  /** What an engine computed comes when it has computed it. */
  readonly actual: Value | Promise<Value>
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
export type Check = (vector: GoldenCase) => CheckResult | Promise<CheckResult>

/** Outputs by their path. */
export type Outputs = Readonly<Record<string, Value | Promise<Value>>>

/** Numbers of a tensor as nested lists, in the only way that every engine can be read. */
export function out(tensor: tf.Tensor): Promise<Value> {
  return unwaited(tensor.array() as Promise<Value>) // nested numbers
}

/** Of a tensor with one number. */
export function numberOf(tensor: tf.Tensor): Promise<number> {
  return unwaited(tensor.data().then(([value]) => value!))
}

/** A case may fail before it waits for all its numbers, whose tensors are gone then; one failure of it is enough. */
function unwaited<T>(value: Promise<T>): Promise<T> {
  value.catch(() => undefined)
  return value
}

export function covered(tolerance: Tolerance, actual: Outputs): CheckedOutput[] {
  return Object.entries(actual).map(([path, value]) => ({ path, actual: value, tolerance }))
}

export function caseNotCovered(reason: string): CheckResult {
  return { outputs: [], notCovered: [reason] }
}
