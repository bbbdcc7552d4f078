import type { Reporter, TestModule } from 'vitest/node'

const SLOWEST = 20
const UNIT_LIMIT_MS = 5000
/** Of fewer files nobody asks which were slow. */
const MANY_FILES = 20

/** Prints the slowest tests of a long run, which tests were skipped, and "N passed, M failed, K skipped" alone on the last line. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = errors.length
    const skipped: string[] = []
    for (const module of modules) {
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) failed += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed += 1
        else if (state === 'failed') failed += 1
        else skipped.push(test.fullName)
      }
    }
    if (modules.length > MANY_FILES) tellSlowest(modules)
    for (const { file, name, ms } of timesOf(modules))
      if (file.startsWith('test/unit/') && ms > UNIT_LIMIT_MS)
        console.log(`took ${(ms / 1000).toFixed(1)} s, which is too long for a unit test: ${file}  ${name}`)
    for (const name of skipped) console.log(`skipped: ${name}`)
    console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)
  }
}

interface Time {
  readonly file: string
  readonly name: string
  readonly ms: number
}

function timesOf(modules: readonly TestModule[]): Time[] {
  return modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => ({
      file: module.relativeModuleId,
      name: test.fullName,
      ms: test.diagnostic()?.duration ?? 0,
    })),
  )
}

function tellSlowest(modules: readonly TestModule[]): void {
  const all = timesOf(modules)
  console.log(`the slowest ${SLOWEST} of ${all.length} tests:`)
  for (const { file, name, ms } of all.toSorted((one, other) => other.ms - one.ms).slice(0, SLOWEST))
    console.log(`${(ms / 1000).toFixed(1).padStart(6)} s  ${file}  ${name}`)
}
