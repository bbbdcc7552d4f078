import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { ClosingLine } from './support/closing-line.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** A training that waits for threads of its own would only take turns with the tests beside it. */
const env = { PAIRLAB_THREADS: '1' }
const slow = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000, env } as const

export default defineConfig({
  root,
  test: {
    // One more than there are cores ended no sooner, and made every single test slower.
    maxWorkers: Math.max(2, availableParallelism()),
    reporters: ['default', new ClosingLine()],
    projects: [
      // What needs no build, no process and no browser. Files share their workers: loading the program again for each would take longer
      // than the tests. One that takes 5 s is named by the closing lines; a loaded machine may need more without a fault of the test.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.{ts,tsx}'],
          pool: 'forks',
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          env,
        },
      },
      { test: { name: 'integration', include: ['test/{integration,golden,property}/**/*.test.ts'], ...slow } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...slow } },
    ],
  },
})
