/** A binary heap: `pop` gives what `compare` puts first. */
export interface Heap<T> {
  push(item: T): void
  pop(): T | null
  readonly size: number
}

export function createHeap<T>(compare: (one: T, two: T) => number): Heap<T> {
  const items: T[] = []
  const before = (one: number, two: number): boolean => compare(items[one] as T, items[two] as T) < 0 // both within bounds

  function swap(one: number, two: number): void {
    ;[items[one], items[two]] = [items[two] as T, items[one] as T]
  }

  return {
    get size() {
      return items.length
    },
    push(item) {
      let at = items.push(item) - 1
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (!before(at, parent)) break
        swap(at, parent)
        at = parent
      }
    },
    pop() {
      const first = items[0]
      const last = items.pop()
      if (first === undefined || last === undefined) return null
      if (items.length === 0) return first
      items[0] = last
      for (let at = 0; ;) {
        const left = 2 * at + 1
        const child = left + 1 < items.length && before(left + 1, left) ? left + 1 : left
        if (child >= items.length || !before(child, at)) return first
        swap(at, child)
        at = child
      }
    },
  }
}
