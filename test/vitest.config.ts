import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { ClosingLine } from './support/closing-line.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

// Test files run in forked processes: several load native modules or change the environment.
export default defineConfig({
  root,
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    pool: 'forks',
    maxWorkers: 2,
    // Two tests at a time already use two cores; a training that waits for threads of its own would only take turns with the other.
    env: { PAIRLAB_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', new ClosingLine()],
  },
})
