// 500 steps on wasm are in integration/wasm-leaks.test.ts, on tensorflow in tensorflow.test.ts; the slow engines take fewer.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { softwareGpu } from '../support/software-gpu.ts'

const CHILD = fileURLToPath(new URL('../support/engine-leaks-child.ts', import.meta.url))

interface Report {
  readonly seen: readonly { readonly tensors: number; readonly bytes: number }[]
  readonly losses: readonly [number, number]
}

function run(
  engine: string,
  sizes: { readonly steps: number; readonly layers: number; readonly length?: number },
  env: Readonly<Record<string, string>> = {},
): Report {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHILD, engine, ...Object.values(sizes).map(String)], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  expect([status, status === 0 ? '' : stderr]).toEqual([0, ''])
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Report
}

function expectSteady({ seen, losses }: Report): void {
  expect(seen.length).toBeGreaterThan(5)
  expect(new Set(seen.slice(1).map((one) => JSON.stringify(one))).size).toBe(1)
  expect(losses[1]).toBeLessThan(losses[0]) // and it has learned
}

describe('training leaves no tensor behind', () => {
  test('on cpu', () => expectSteady(run('cpu', { steps: 20, layers: 2 })))
  test.skipIf(softwareGpu === null)(
    softwareGpu === null ? 'on webgpu: skipped, there is no Chromium with SwiftShader' : 'on webgpu',
    // Completions of one length: an emulated card compiles its shaders anew for each shape.
    () => expectSteady(run('webgpu', { steps: 6, layers: 1, length: 5 }, softwareGpu ?? {})),
    240_000,
  )
})
