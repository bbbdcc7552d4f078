import { appendColumns, type Appended, type Curves, type MetricColumns } from './run-series.ts'

/**
 * What events add to a fetched part. It holds the latest curves itself: several events may come before the page is
 * painted once, and each must be added to what the one before it left, not to what was painted.
 */
export class GrownCurves {
  #of: unknown = undefined
  #latest: Curves | null = null

  /** Adds the points of one event. `of` is what was fetched, by identity; where it is another, growth starts from `base` again. */
  add(of: unknown, base: Curves, columns: MetricColumns): Appended {
    const appended = appendColumns(this.#of === of && this.#latest !== null ? this.#latest : base, columns)
    this.#of = of
    this.#latest = appended.curves
    return appended
  }
}
