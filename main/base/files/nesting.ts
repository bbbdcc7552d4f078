/** More than any row or settings file has. What is nested without end can be parsed, but not written, compared or sent. */
export const MOST_NESTED = 256

/** True where lists or objects stand inside each other more than `most` deep. Looks no deeper than that. */
export function isNestedDeeperThan(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (most === 0) return true
  for (const inner of Array.isArray(value) ? (value as readonly unknown[]) : Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && isNestedDeeperThan(inner, most - 1)) return true
  }
  return false
}
