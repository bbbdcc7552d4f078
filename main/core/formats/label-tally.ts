import { canonicalValue } from './label-words.ts'

/** Values of the label columns as far as they were looked at. */
export interface LabelTally {
  /** Canonical value → how often, the first line that holds it, and how the file writes it. */
  readonly values: ReadonlyMap<string, { readonly count: number; readonly line: number; readonly text: string }>
  readonly total: number
  add(value: unknown, line: number): void
}

/** A column with more different values than this holds no labels; the rest is counted together. */
const MAX_VALUES = 500
const MAX_TEXT = 60

export function createLabelTally(): LabelTally {
  const values = new Map<string, { count: number; line: number; text: string }>()
  let total = 0
  return {
    values,
    get total() {
      return total
    },
    add(value, line) {
      const canonical = (canonicalValue(value) ?? JSON.stringify(value)).slice(0, 200)
      total += 1
      const known = values.get(canonical)
      if (known !== undefined) known.count += 1
      else if (values.size < MAX_VALUES)
        values.set(canonical, {
          count: 1,
          line,
          text: String(typeof value === 'object' ? canonical : value).slice(0, MAX_TEXT),
        })
    },
  }
}
