import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { ClosingLine } from './support/closing-line.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** A training that waits for threads of its own would only take turns with the tests beside it. */
const env = { PAIRLAB_THREADS: '1' }
const slow = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000, env } as const

/** What a test opens that is the same program each time: an app, or its store. */
const OPENS_APP = /support\/(make|tiny|models)-app\.ts|main\/app\/|\.\/support\.ts/
/** What would reach the test after it in the same process, or be measured there with what the test before it left. */
const NEEDS_OWN_PROCESS =
  /\bvi\b|process\.(env\[|on|once|chdir|memoryUsage)|core\/learn\/tf\.ts|workers\/engine\/|event-loop-gauge/

/**
 * Tests of a folder in two projects. Those that only open an app share their workers: loading the program again for each takes
 * more than a second of a processor, of some sixty. Any other has a process of its own.
 */
function projects(name: string, pattern: string): object[] {
  const files = globSync(pattern, { cwd: root }).map((file) => file.replaceAll(path.sep, '/'))
  const shared = files.filter((file) => {
    const text = readFileSync(path.join(root, file), 'utf8')
    return OPENS_APP.test(text) && !NEEDS_OWN_PROCESS.test(text)
  })
  return [
    { test: { name, include: [pattern], exclude: shared, ...slow } },
    { test: { name: `${name}, shared`, include: shared, isolate: false, ...slow } },
  ]
}

export default defineConfig({
  root,
  test: {
    // One more than there are cores: for three tenths of their time tests wait, for a process or a page, and leave their core to another
    // (478 s with two workers on two cores, 426 s with three).
    maxWorkers: availableParallelism() + 1,
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
      ...projects('integration', 'test/{integration,golden,property}/**/*.test.ts'),
      ...projects('e2e', 'test/e2e/**/*.test.ts'),
    ],
  },
})
