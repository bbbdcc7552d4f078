import { describe, expect, test } from 'vitest'
import { createRandom, restoreRandom } from '../../main/core/learn/random.ts'

const draw = (seed: number, count: number): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => random.uniform())
}

describe('random', () => {
  test('the first numbers of a state are those of xoshiro128**', () => {
    // By hand: the first word of (1, 2, 3, 4) is 11520, the second 0.
    const random = restoreRandom([1, 2, 3, 4])
    expect(random.uniform()).toBe(((11_520 >>> 5) * 67_108_864 + 0) / 2 ** 53)
  })

  test('a seed gives the same numbers, another seed others', () => {
    expect(draw(7, 50)).toEqual(draw(7, 50))
    const seen = new Set([0, 1, 2, 0.5, -1, 2 ** 40].flatMap((seed) => draw(seed, 20)))
    expect(seen.size).toBe(120)
  })

  test('a restored state goes on with the next number', () => {
    const random = createRandom(3)
    for (let index = 0; index < 17; index += 1) random.normal()
    const copy = restoreRandom(JSON.parse(JSON.stringify(random.state())))
    expect(Array.from({ length: 20 }, () => copy.normal())).toEqual(Array.from({ length: 20 }, () => random.normal()))
  })

  test('a fork is fixed by state and label, and leaves the stream where it was', () => {
    const random = createRandom(3)
    const before = random.state()
    const dropout = random.fork('dropout')
    expect(random.state()).toEqual(before)
    expect(random.fork('dropout').uniform()).toBe(dropout.uniform())
    expect(random.fork('order').uniform()).not.toBe(random.fork('dropout').uniform())
    random.uniform()
    expect(random.fork('dropout').state()).not.toEqual(createRandom(3).fork('dropout').state())
  })

  test('the distributions have their moments', () => {
    const random = createRandom(11)
    const count = 100_000
    const normals = Array.from({ length: count }, () => random.normal())
    const mean = normals.reduce((sum, x) => sum + x, 0) / count
    const variance = normals.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count
    expect(Math.abs(mean)).toBeLessThan(0.015)
    expect(Math.abs(variance - 1)).toBeLessThan(0.025)
    const counts = [0, 0, 0, 0]
    for (let index = 0; index < count; index += 1) counts[random.categorical([0, 1, 2, 1])]! += 1
    expect(counts[0]).toBe(0)
    expect(counts[2]! / count).toBeCloseTo(0.5, 2)
    const ints = [0, 0, 0]
    for (let index = 0; index < count; index += 1) ints[random.int(3)]! += 1
    for (const n of ints) expect(n / count).toBeCloseTo(1 / 3, 2)
    const gumbels = Array.from({ length: count }, () => random.gumbel())
    expect(gumbels.reduce((sum, x) => sum + x, 0) / count).toBeCloseTo(0.5772, 1)
  })

  test('a shuffle keeps the members and is even', () => {
    const random = createRandom(5)
    const firsts = [0, 0, 0, 0]
    for (let index = 0; index < 20_000; index += 1) firsts[random.shuffle([0, 1, 2, 3])[0]!]! += 1
    for (const n of firsts) expect(n / 20_000).toBeCloseTo(0.25, 1)
    expect([...random.shuffle(new Int32Array([3, 1, 2]))].sort()).toEqual([1, 2, 3])
  })
})
