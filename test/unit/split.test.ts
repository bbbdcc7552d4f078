import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assignSplits } from '../../main/app/data/split.ts'

const promptsArbitrary = fc.array(
  fc.integer({ min: 0, max: 40 }).map((n) => `prompt-${n}`),
  { minLength: 1, maxLength: 200 },
)
const specArbitrary = fc.record({
  seed: fc.nat(),
  validation: fc.double({ min: 0, max: 0.45, noNaN: true }),
  test: fc.double({ min: 0, max: 0.45, noNaN: true }),
})

describe('assignSplits', () => {
  test('keeps every prompt on one side, whatever the order of its pairs', () => {
    fc.assert(
      fc.property(promptsArbitrary, specArbitrary, (prompts, spec) => {
        const sides = assignSplits(prompts, spec)
        const byPrompt = new Map<string, Set<string>>()
        prompts.forEach((prompt, index) =>
          byPrompt.set(prompt, (byPrompt.get(prompt) ?? new Set()).add(sides[index] ?? 'none')),
        )
        expect([...byPrompt.values()].every((set) => set.size === 1 && !set.has('none'))).toBe(true)
        expect(assignSplits([...prompts].reverse(), spec)).toEqual([...sides].reverse())
      }),
    )
  })

  test('meets the shares to within the pairs of one prompt', () => {
    const prompts = Array.from({ length: 3000 }, (_, index) => `p${Math.floor(index / 3)}`)
    const sides = assignSplits(prompts, { seed: 5, validation: 0.1, test: 0.25 })
    const count = (side: string): number => sides.filter((each) => each === side).length
    expect(Math.abs(count('test') - 750)).toBeLessThanOrEqual(3)
    expect(Math.abs(count('validation') - 300)).toBeLessThanOrEqual(3)
  })

  test('draws another division from another seed', () => {
    const prompts = Array.from({ length: 200 }, (_, index) => `p${index}`)
    const [first, again, other] = [1, 1, 2].map((seed) => assignSplits(prompts, { seed, validation: 0.2, test: 0.2 }))
    expect(first).toEqual(again)
    expect(first).not.toEqual(other)
  })

  test('puts nothing on a side without a share, and never empties training', () => {
    expect(assignSplits(['a', 'b', 'c'], { seed: 0, validation: 0, test: 0 })).toEqual(['train', 'train', 'train'])
    expect(assignSplits(['only'], { seed: 0, validation: 0.5, test: 0.4 })).toEqual(['train'])
    expect(new Set(assignSplits(['a', 'b', 'c'], { seed: 0, validation: 0.01, test: 0.01 }))).toEqual(
      new Set(['train', 'validation', 'test']),
    )
  })
})
