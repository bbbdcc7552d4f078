import { Worker } from 'node:worker_threads'
import { OVER_MEMORY } from '../../core/formats/reader-protocol.ts'

const INTERVAL_MS = 100

/** Runs beside the reading, so that it also sees a loop that never ends, and memory that no JavaScript object has. */
const WATCHING = `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
setInterval(() => {
  const over = process.memoryUsage.rss() > workerData.limitBytes
  if (over) writeSync(2, workerData.said)
  if (over || process.ppid !== workerData.parent) process.kill(process.pid, 'SIGKILL')
}, workerData.intervalMs)
`

/** Ends this process when it grows beyond the limit, or when the app that started it is gone. */
export function watchSelf(limitBytes: number): void {
  new Worker(WATCHING, {
    eval: true,
    workerData: { limitBytes, parent: process.ppid, intervalMs: INTERVAL_MS, said: `${OVER_MEMORY}\n` },
  }).unref()
}
