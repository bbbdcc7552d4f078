import type { AlgorithmPage } from '../../main/core/learn/define.ts'

/** What a method did on the toy problem of its kind of data. */
export interface ToyCourse {
  /** By step; of a method whose loss is a surrogate, something that falls as it learns. */
  readonly losses: readonly number[]
  /** Held after each step. */
  readonly tensors: readonly number[]
  /** Whatever else was reported. */
  readonly values: readonly number[]
  /** What learning is for, where the toy has a right answer. */
  readonly score: { readonly before: number | null; readonly after: number; readonly atLeast: number } | null
}

/** A policy gradient: the loss's gradient means something, its value does not, and the page says so. What falls as it learns is the share of wrong orders. */
export function isSurrogate({ metrics }: AlgorithmPage): boolean {
  return metrics.find(({ name }) => name === 'loss')?.goal === 'none'
}
