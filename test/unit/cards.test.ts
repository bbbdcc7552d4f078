import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { cardOf, readCards } from '../../main/base/machine/cards.ts'
import { EVERY_MS, watchMachine } from '../../main/workers/trainer/machine-watch.ts'
import { planCharts } from '../../renderer/run/run-charts.ts'
import { sortMetrics } from '../../renderer/compare/compare-charts.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'cards-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A program that prints what NVIDIA's prints, or anything else. */
function makeProgram(lines: readonly string[], status = 0): string {
  const file = path.join(folder, 'nvidia-smi')
  writeFileSync(file, `#!/bin/sh\ncat <<'END'\n${lines.join('\n')}\nEND\nexit ${status}\n`)
  chmodSync(file, 0o755)
  return file
}

function makeCard(name: string, files: Readonly<Record<string, string>>): void {
  const device = path.join(folder, 'drm', name, 'device')
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(device, file)), { recursive: true })
    writeFileSync(path.join(device, file), text)
  }
}

const nowhere = { nvidiaSmi: '/nowhere/nvidia-smi', drmFolder: '/nowhere/drm' }

test.skipIf(process.platform === 'win32')(
  'NVIDIA’s cards are read as its program prints them, with what it does not know',
  async () => {
    const nvidiaSmi = makeProgram([
      'NVIDIA H200, 570.86.10, 97, 51200, 143771, 64, 512.35',
      'NVIDIA GeForce GT 710, 470.256.02, [N/A], 300, [Not Supported], 41, [N/A]',
      'a line of another kind',
    ])
    expect(await readCards({ ...nowhere, nvidiaSmi })).toEqual([
      {
        name: 'NVIDIA H200',
        driver: 'NVIDIA 570.86.10',
        use: 0.97,
        memoryUsedBytes: 51200 * 2 ** 20,
        memoryBytes: 143771 * 2 ** 20,
        temperature: 64,
        watts: 512.35,
      },
      {
        name: 'NVIDIA GeForce GT 710',
        driver: 'NVIDIA 470.256.02',
        use: null,
        memoryUsedBytes: 300 * 2 ** 20,
        memoryBytes: null,
        temperature: 41,
        watts: null,
      },
    ])
    expect(await readCards({ ...nowhere, nvidiaSmi: makeProgram(['NVIDIA-SMI has failed'], 9) })).toEqual([])
    expect(await readCards(nowhere)).toEqual([])
  },
)

test.skipIf(process.platform === 'win32')('other cards are read from the kernel’s files', async () => {
  makeCard('card0', {
    vendor: '0x1002\n',
    gpu_busy_percent: '42\n',
    mem_info_vram_used: '1000000000\n',
    mem_info_vram_total: '8000000000\n',
    'hwmon/hwmon3/temp1_input': '51000\n',
    'hwmon/hwmon3/power1_average': '35000000\n',
  })
  symlinkSync('/sys/bus/pci/drivers/amdgpu', path.join(folder, 'drm/card0/device/driver'))
  makeCard('card1', { vendor: '0x8086\n' })
  makeCard('card1-HDMI-A-1', { vendor: '0x8086\n' }) // a plug of it
  makeCard('renderD128', { vendor: '0x8086\n' })
  makeCard('card2', { vendor: '0x10de\n' })
  const drmFolder = path.join(folder, 'drm')
  const unknown = { use: null, memoryUsedBytes: null, memoryBytes: null, temperature: null, watts: null }
  const [amd, intel, nvidia] = await readCards({ ...nowhere, drmFolder })
  expect(amd).toEqual({
    name: 'AMD card0',
    driver: 'amdgpu',
    use: 0.42,
    memoryUsedBytes: 1e9,
    memoryBytes: 8e9,
    temperature: 51,
    watts: 35,
  })
  expect(intel).toEqual({ name: 'Intel card1', driver: '', ...unknown })
  expect(nvidia).toEqual({ name: 'NVIDIA card2', driver: '', ...unknown })
  // Told by its own program, it is not told twice.
  const known = await readCards({ drmFolder, nvidiaSmi: makeProgram(['NVIDIA L4, 550.1, 1, 2, 3, 4, 5']) })
  expect(known.map(({ name }) => name)).toEqual(['NVIDIA L4', 'AMD card0', 'Intel card1'])
})

const card = (name: string, use: number | null, driver = 'NVIDIA 1') => ({
  name,
  driver,
  use,
  memoryUsedBytes: null,
  memoryBytes: null,
  temperature: 50,
  watts: null,
})

test('the card of an engine is the one that its device names', () => {
  const [a, b, c] = [card('NVIDIA L4', 0.1), card('NVIDIA L4', 0.9), card('AMD card0', 0.5, 'amdgpu')]
  expect(cardOf('WebGPU, nvidia NVIDIA L4 550.1', [a, c, b])).toBe(b)
  expect(cardOf('TensorFlow 2.21, CUDA', [c, a])).toBe(a)
  expect(cardOf('WebGPU, amd rdna-3', [c])).toBe(c)
  expect(cardOf('WebGPU, amd rdna-3', [c, a])).toBeNull()
  expect(cardOf('WebGPU, amd rdna-3', [])).toBeNull()
})

test('processor and memory are told now and then, the card beside them, and only where it works', async () => {
  let nowMs = 0
  const reads = vi.fn<typeof readCards>(async () => [{ ...card('NVIDIA L4', 0.75), memoryUsedBytes: 3e9, watts: 70 }])
  const watch = watchMachine({ device: 'WebGPU, NVIDIA L4', onCard: true }, () => nowMs, reads)
  expect(watch.due()).toBeNull()
  for (const endMs = performance.now() + 60; performance.now() < endMs;); // some work
  await Promise.resolve()
  nowMs = EVERY_MS
  const told = watch.due()!
  expect(told['system/processor']).toBeGreaterThan(0.004)
  expect(told['system/processor']).toBeLessThan(1)
  expect(told['system/memory']).toBeGreaterThan(0.02)
  expect(told).toMatchObject({
    'system/card': 0.75,
    'system/card_memory': 3,
    'system/card_temperature': 50,
    'system/card_power': 70,
  })
  expect(watch.due()).toBeNull()
  expect(reads).toHaveBeenCalledTimes(2)
  const alone = watchMachine({ device: 'WebAssembly' }, () => nowMs, reads)
  nowMs += EVERY_MS
  expect(Object.keys(alone.due()!)).toEqual(['system/processor', 'system/memory'])
  expect(reads).toHaveBeenCalledTimes(2)
})

test('they stand behind all other charts of a run, memory together, and are compared with nothing', () => {
  const names = ['system/card_memory', 'loss', 'system/processor', 'zeal', 'system/memory']
  expect(planCharts(names, [], 'zeal').map(({ title, names: lines }) => [title, lines])).toEqual([
    ['Zeal', ['zeal']],
    ['Loss', ['loss']],
    ['Memory', ['system/card_memory', 'system/memory']],
    ['Processor', ['system/processor']],
  ])
  expect(sortMetrics(names)).toEqual(['loss', 'zeal'])
})
