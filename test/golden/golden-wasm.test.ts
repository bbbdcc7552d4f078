import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runGolden } from '../../main/workers/golden/run-golden.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'

it('agrees with the golden vectors on the wasm engine', async () => {
  const engine = await openEngine('wasm')
  try {
    const report = await runGolden(fileURLToPath(new URL('.', import.meta.url)), { engine: 'wasm' })
    expect(report.engine).toBe('wasm')
    expect(report.results.filter((result) => result.status === 'failed')).toEqual([])
    expect(report.passed).toBeGreaterThan(115)
  } finally {
    await engine.dispose()
  }
})
