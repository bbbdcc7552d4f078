import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alphaOf, kappaOf } from '../../main/app/data/describe-agreement.ts'
import { majorityOf } from '../../main/core/formats/majority.ts'
import { shareRuns } from '../../main/app/data/describe-shared.ts'
import { createLengths } from '../../main/app/data/lengths.ts'
import { cohenKappa, krippendorffAlpha } from '../../shared/statistics/agreement.ts'

const answer = fc.integer({ min: 0, max: 3 })

describe('agreement from counted patterns', () => {
  it('is Krippendorff’s α of the answers themselves', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.option(answer), { minLength: 3, maxLength: 3 }), { minLength: 2, maxLength: 30 }),
        (units) => {
          const patterns = units.map((unit) =>
            [0, 1, 2, 3].map((value) => unit.filter((given) => given === value).length),
          )
          const expected = krippendorffAlpha([0, 1, 2].map((coder) => units.map((unit) => unit[coder] ?? null)))
          const found = alphaOf(
            patterns,
            patterns.map(() => 1),
          )
          if (Number.isNaN(expected)) return Number.isNaN(found)
          return Math.abs(found - expected) < 1e-12
        },
      ),
    )
  })

  it('is Cohen’s κ of the answers themselves, however often a pattern counts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(answer, answer, fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 12 }),
        (couples) => {
          const repeated = couples.flatMap(([x, y, times]) => Array.from({ length: times }, () => [x, y] as const))
          const expected = cohenKappa(
            repeated.map(([x]) => x),
            repeated.map(([, y]) => y),
            [0, 1, 2, 3],
          )
          const found = kappaOf(
            couples.map(([x, y]) => [x, y]),
            couples.map(([, , times]) => times),
          )
          if (Number.isNaN(expected)) return Number.isNaN(found)
          return Math.abs(found - expected) < 1e-9
        },
      ),
    )
  })
})

describe('the majority', () => {
  it('needs more answers than any other, and ignores skips', () => {
    expect(majorityOf(['a', 'a', 'b'])).toBe('a')
    expect(majorityOf(['a', 'b'])).toBe('tie')
    expect(majorityOf(['a', 'tie', 'b'])).toBe('tie')
    expect(majorityOf(['both-bad', 'both-bad', 'b'])).toBe('b')
    expect(majorityOf(['both-bad', 'skip'])).toBe('both-bad')
    expect(majorityOf(['skip'])).toBeNull()
  })
})

describe('lengths', () => {
  it('are counted in bins that hold all of them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5000), fc.nat(300)), { minLength: 1, maxLength: 300 }), (pairs) => {
        const lengths = createLengths()
        for (const [chosen, rejected] of pairs) lengths.add(chosen, rejected)
        const { chosen, rejected, longerWins, binWidth } = lengths.finish()
        const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
        expect([sum(chosen), sum(rejected), chosen.length]).toEqual([pairs.length, pairs.length, rejected.length])
        expect(chosen.length).toBeLessThanOrEqual(41)
        expect(chosen[0]).toBe(chosen.length === 1 ? pairs.length : pairs.filter(([words]) => words < binWidth).length)
        expect(longerWins).toEqual({
          wins: pairs.filter(([x, y]) => x > y).length,
          n: pairs.filter(([x, y]) => x !== y).length,
        })
      }),
    )
    expect(createLengths().finish()).toEqual({
      binWidth: 1,
      chosen: [],
      rejected: [],
      medianChosen: null,
      medianRejected: null,
      longerWins: { wins: 0, n: 0 },
    })
  })
})

describe('shared runs', () => {
  it('give everybody an answer that began after the question, in at most two runs', async () => {
    let state = 0
    let runs = 0
    const read = shareRuns(async () => {
      runs += 1
      const seen = state
      await new Promise((resolve) => setTimeout(resolve, 5))
      return seen
    })
    const before = read('x')
    state = 1
    const after = [read('x'), read('x'), read('x')]
    expect(await before).toBe(0)
    expect(await Promise.all(after)).toEqual([1, 1, 1])
    expect(runs).toBe(2)
    state = 2
    expect(await read('x')).toBe(2)
  })

  it('go on after one that failed', async () => {
    let fails = true
    const read = shareRuns(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2))
      if (fails) throw new Error('no')
      return 1
    })
    const first = read('x')
    const second = read('x')
    await expect(first).rejects.toThrow('no')
    fails = false
    expect(await second).toBe(1)
  })
})
