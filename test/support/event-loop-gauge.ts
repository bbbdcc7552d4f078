import { performance } from 'node:perf_hooks'

export interface Held {
  /** Longest time between two turns of the event loop. */
  readonly longestMs: number
  /** Most processor time that this thread used between two turns: what others do on the machine plays no part. */
  readonly longestCpuMs: number
  /** How often the loop turned. */
  readonly turns: number
  /** Highest resident memory seen at a turn. */
  readonly peakRssBytes: number
}

const PROBE_MS = 1

/** Watches how long anything holds this process, while `work` runs. */
export async function gaugeEventLoop<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly held: Held }> {
  let held: Held = { longestMs: 0, longestCpuMs: 0, turns: 0, peakRssBytes: 0 }
  let lastMs = performance.now()
  let lastCpuMs = threadCpuMs()
  let count = 0
  function look(): void {
    const nowMs = performance.now()
    const cpuMs = threadCpuMs()
    count += 1
    held = {
      longestMs: Math.max(held.longestMs, nowMs - lastMs),
      longestCpuMs: Math.max(held.longestCpuMs, cpuMs - lastCpuMs),
      turns: count,
      peakRssBytes: count % 16 === 1 ? Math.max(held.peakRssBytes, process.memoryUsage.rss()) : held.peakRssBytes,
    }
    lastMs = nowMs
    lastCpuMs = cpuMs
  }
  const timer = setInterval(look, PROBE_MS)
  try {
    await nextTurn() // the gauge itself is running before the work begins
    look()
    held = { longestMs: 0, longestCpuMs: 0, turns: 0, peakRssBytes: process.memoryUsage.rss() }
    const value = await work()
    look()
    await nextTurn() // what the call left to the next turn belongs to it
    look()
    return { value, held }
  } finally {
    clearInterval(timer)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2 * PROBE_MS))
}

/** Of this thread alone: the collector's helpers and file operations run beside it and hold nobody. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
