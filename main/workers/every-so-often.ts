const INTERVAL_MS = 1000

/** Tells of progress once a second at most, the first time after one. */
export function everySoOften(tell: (done: number) => void): (done: number) => void {
  let toldMs = Date.now()
  return (done) => {
    if (Date.now() - toldMs < INTERVAL_MS) return
    toldMs = Date.now()
    tell(done)
  }
}
