/**
 * Makes a slow measurement that many ask for at once cheap: while one runs, all who ask wait for the one after it, so
 * that each gets an answer that began after the question and there are never more than two.
 */
export function shareRuns<T>(measure: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, Promise<T>>()
  const next = new Map<string, Promise<T>>()

  function start(key: string): Promise<T> {
    const run = measure(key)
    running.set(key, run)
    function done(): void {
      if (running.get(key) === run) running.delete(key)
    }
    run.then(done, done)
    return run
  }

  return (key) => {
    const current = running.get(key)
    if (current === undefined) return start(key)
    const waiting = next.get(key)
    if (waiting !== undefined) return waiting
    const after = (): Promise<T> => {
      next.delete(key)
      return start(key)
    }
    const queued = current.then(after, after)
    next.set(key, queued)
    return queued
  }
}
