import { setImmediate as nextTurn } from 'node:timers/promises'

/** Work that can be left off at every `yield`, and what it comes to. */
export type Sliced<T> = Generator<void, T>

/** Milliseconds of such work between two turns of the event loop. */
const SLICE_MS = 10

/**
 * Does sliced work with everything else let in between: a label must not wait for a statistic. What the work reads may
 * change from slice to slice, unless it reads a snapshot.
 * @param signal ends it; its reason is thrown
 */
export async function inSlices<T>(work: Sliced<T>, signal?: AbortSignal): Promise<T> {
  let beganMs = performance.now()
  try {
    for (;;) {
      const step = work.next()
      if (step.done === true) return step.value
      if (performance.now() - beganMs < SLICE_MS) continue
      await nextTurn()
      signal?.throwIfAborted()
      beganMs = performance.now()
    }
  } finally {
    work.return(undefined as never) // closes what it holds open; after its end it does nothing
  }
}

/** The same without letting anything in, where nothing waits: before the app is open, in a process of its own. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** What is found page by page, in one list. @param read places from the first to before the second */
export function* byPages(
  itemCount: number,
  size: number,
  read: (from: number, to: number) => readonly number[],
): Sliced<number[]> {
  const found: number[] = []
  for (let from = 0; from < itemCount; from += size) {
    for (const place of read(from, from + size)) found.push(place)
    yield
  }
  return found
}
