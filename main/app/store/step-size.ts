/** Milliseconds of computing in one transaction: long enough to be worth its wait for the disk, short enough for a label to wait for. */
const STEP_MS = 12
const FIRST_ROWS = 100
const MOST_ROWS = 2000

export interface StepSize {
  /** Rows to do next. */
  readonly rows: number
  /** Does one step of them, and learns from it. */
  step(work: () => void): void
}

/**
 * How many rows a transaction may take, by the processor time that the last one took for its rows. The wait for the disk
 * does not count: on a slow one, smaller transactions would only mean more waits.
 */
export function createStepSize(): StepSize {
  let rows = FIRST_ROWS
  return {
    get rows() {
      return rows
    },
    step(work) {
      const before = cpuMs()
      work()
      const tookMs = Math.max(0.1, cpuMs() - before)
      rows = Math.min(MOST_ROWS, Math.ceil(Math.min(2, Math.max(0.5, STEP_MS / tookMs)) * rows))
    },
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
