// Places in an order over a whole collection, without sorting it.

/** By falling score, ties by rising id: as `rankByScore`, for documents by number. */
function before(scores: Float64Array, ids: readonly string[], a: number, b: number): boolean {
  const [x, y] = [scores[a]!, scores[b]!]
  return x > y || (x === y && ids[a]! < ids[b]!)
}

/** The first `count` of the order. @param left out of it, or null */
export function firstPlaces(
  scores: Float64Array,
  ids: readonly string[],
  count: number,
  left: number | null,
): readonly number[] {
  const first: number[] = []
  for (let document = 0; document < scores.length; document += 1) {
    if (document === left) continue
    if (first.length === count && !before(scores, ids, document, first.at(-1)!)) continue
    let [low, high] = [0, first.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (before(scores, ids, document, first[middle]!)) high = middle
      else low = middle + 1
    }
    first.splice(low, 0, document)
    if (first.length > count) first.pop()
  }
  return first
}

/** Place, from 1, of each of some documents. @param left out of the order, or null */
export function placesOf(
  wanted: Iterable<number>,
  scores: Float64Array,
  ids: readonly string[],
  left: number | null,
): ReadonlyMap<number, number> {
  const sorted = [...new Set(wanted)]
    .filter((document) => document !== left)
    .sort((a, b) => (before(scores, ids, a, b) ? -1 : 1))
  /** Documents that come right before the wanted one at this place [wanted] */
  const ahead = new Uint32Array(sorted.length + 1)
  for (let document = 0; document < scores.length; document += 1) {
    if (document === left) continue
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (before(scores, ids, document, sorted[middle]!)) high = middle
      else low = middle + 1
    }
    ahead[low]! += 1
  }
  // A wanted document counts itself as right before the next, and so as one of those ahead of it.
  let passed = 1
  return new Map(
    sorted.map((document, at) => {
      passed += ahead[at]!
      return [document, passed]
    }),
  )
}
