import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeNpy, encodeNpy } from '../../main/base/files/npy.ts'
import { readNpz, writeNpz } from '../../main/core/formats/npz.ts'
import { shorten } from '../../main/core/formats/segment-items.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-npz-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('arrays', () => {
  it('come back as they were written', async () => {
    const data = Float32Array.of(1, -2.5, 3e-8, 4, 5, 6)
    const { shape, data: back } = decodeNpy(encodeNpy([2, 3], data), 'x')
    expect(shape).toEqual([2, 3])
    expect([...back]).toEqual([...data])
    const file = path.join(folder, 'two.npz')
    await writeNpz(file, { one: { shape: [6], data }, 'two.part': { shape: [3, 2], data } })
    const arrays = await readNpz(file)
    expect(Object.keys(arrays)).toEqual(['one', 'two.part'])
    expect([...arrays['two.part']!.data]).toEqual([...data])
  })

  it('are refused when they are none', () => {
    expect(() => decodeNpy(new Uint8Array(20), 'x')).toThrow('does not begin')
    const cut = encodeNpy([100], new Float32Array(100)).subarray(0, 200)
    expect(() => decodeNpy(cut, 'x')).toThrow('fewer numbers than its shape (100)')
  })

  it('numbers are written short and lose nothing', () => {
    for (const value of [0.1, 1 / 3, -123456.789, 1e-20, 0])
      expect(Math.fround(shorten(Math.fround(value)))).toBe(Math.fround(value))
    expect(shorten(Math.fround(0.1))).toBe(0.1)
  })
})
