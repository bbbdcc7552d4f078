import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { softwareGpu } from '../support/software-gpu.ts'

interface Line {
  readonly name: string
  /** Of what differs, relative to the largest number of its result. */
  readonly worst: number
}

const CHILD = fileURLToPath(new URL('../support/webgpu-kernels-child.ts', import.meta.url))
/** Single precision, summed in another order. */
const ALLOWED = 5e-6

describe.skipIf(softwareGpu === null)('kernels of the webgpu engine (skipped: no Chromium with SwiftShader)', () => {
  let head: { readonly without: readonly string[] }
  let lines: (Line | { readonly trouble: string })[]
  beforeAll(() => {
    const { stdout, stderr } = spawnSync(process.execPath, [CHILD], {
      encoding: 'utf8',
      env: { ...process.env, ...softwareGpu },
    })
    const [first, ...rest] = stdout.trim().split('\n')
    expect(first, stderr).toBeTruthy()
    head = JSON.parse(first!) as typeof head
    lines = rest.map((line) => JSON.parse(line) as Line)
  }, 150_000)

  test('are there for everything but quantized weights, which this engine refuses', () => {
    expect(head.without).toEqual(['PairlabFrozenProduct', 'PairlabFrozenGather'])
  })

  test('compute what the plain operations compute, values and gradients, and the device refused nothing', () => {
    expect(lines.length).toBeGreaterThan(20)
    expect(lines.filter((line) => 'trouble' in line || !(line.worst <= ALLOWED))).toEqual([])
  })
})
