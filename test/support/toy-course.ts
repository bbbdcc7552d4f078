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
