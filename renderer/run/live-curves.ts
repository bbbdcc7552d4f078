import type { FetchedCurves } from '../../shared/contract/runs.ts'
import type { CurveChange } from '../../shared/metric-columns.ts'
import { grow, toCurves, type Curves } from './run-series.ts'

/**
 * Curves that are fetched, and then grown by what events tell. Events come at any time: before the first answer is
 * there, while another is on its way, several before the page is painted once. So what they told is kept, and each
 * answer is grown by that which is later than itself.
 */
export class LiveCurves {
  #fetched: FetchedCurves | null = null
  #curves: Curves = new Map()
  #since: CurveChange[] = []

  /** The changes of one event. */
  take(changes: readonly CurveChange[]): void {
    const last = this.#since.at(-1)?.seq ?? this.#fetched?.upTo ?? -1
    const fresh = changes.filter(({ seq }) => seq > last)
    this.#since.push(...fresh)
    if (this.#fetched !== null) this.#curves = grow(this.#curves, fresh)
  }

  /** The curves now, over the latest answer. The same map until something changes. */
  over(fetched: FetchedCurves): Curves {
    if (fetched !== this.#fetched) {
      this.#fetched = fetched
      this.#since = this.#since.filter(({ seq }) => seq > fetched.upTo)
      this.#curves = grow(toCurves(fetched.series), this.#since)
    }
    return this.#curves
  }

  /** How many tables stand beside the last answer: when there are many, it is time for another. */
  get waiting(): number {
    return this.#since.length
  }
}
