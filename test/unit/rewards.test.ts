import { describe, expect, it } from 'vitest'
import type { PreferenceRow } from '../../shared/data-kinds.ts'
import {
  compilePattern,
  rewardScale,
  rewardsOfRow,
  scoreCompletion,
  standardise,
} from '../../main/core/learn/rewards.ts'

const row: PreferenceRow = {
  pairId: 'p',
  split: 'train',
  prompt: 'q',
  a: 'a cat',
  b: 'no',
  preferenceA: 1,
  strength: 1,
  weight: 1,
  rewardA: 3,
  rewardB: null,
  labelCount: 1,
}

describe('scoreCompletion', () => {
  it('measures length in characters as read, keywords whatever their case, patterns as 0 or 1', () => {
    expect(scoreCompletion({ kind: 'length', target: 4 }, '👋👋')).toBe(-0.5)
    expect(scoreCompletion({ kind: 'length', target: 2 }, '👋👋')).toBe(0)
    expect(scoreCompletion({ kind: 'keyword', words: ['Cat', 'dog'] }, 'the CAT sat')).toBe(0.5)
    expect([
      scoreCompletion({ kind: 'regex', pattern: '^\\p{L}+$' }, 'été'),
      scoreCompletion({ kind: 'regex', pattern: '\\d' }, 'été'),
    ]).toEqual([1, 0])
    expect(scoreCompletion({ kind: 'label' }, 'x')).toBeNull()
  })
  it('refuses patterns that cannot be read or could run for ever', () => {
    for (const pattern of ['(', '(a+)+$', '(?:x*y)*', '((a|b)*c)+', 'a'.repeat(501)])
      expect(() => compilePattern(pattern), pattern).toThrow(expect.objectContaining({ code: 'spec-invalid' }))
    for (const pattern of ['(ab)+', '[(a+)+]*', '\\(a+\\)+', '(a+)?', 'x{2,5}'])
      expect(compilePattern(pattern)).toBeInstanceOf(RegExp)
  })
})

describe('rewardsOfRow', () => {
  it('gives ±½ from a label, less for a weak or divided one, nothing for a tie', () => {
    expect(rewardsOfRow(row, { kind: 'label' })).toEqual({ a: 0.5, b: -0.5 })
    expect(rewardsOfRow({ ...row, preferenceA: 0.25, strength: 0.5 }, { kind: 'label' })).toEqual({
      a: -0.125,
      b: 0.125,
    })
    expect(rewardsOfRow({ ...row, preferenceA: 0.5 }, { kind: 'label' })).toEqual({ a: 0, b: 0 })
  })
  it('reads columns, scores text, and leaves reward models to the trainer', () => {
    expect(() => rewardsOfRow(row, { kind: 'column' })).toThrow('Pair p has no reward for its second completion.')
    expect(rewardsOfRow({ ...row, rewardB: -1 }, { kind: 'column' })).toEqual({ a: 3, b: -1 })
    expect(rewardsOfRow(row, { kind: 'keyword', words: ['cat'] })).toEqual({ a: 1, b: 0 })
  })
})

describe('rewardScale', () => {
  it('standardizes once, leaves labels alone, and does not blow up equal rewards', () => {
    expect(standardise([1, 2, 3])).toEqual({ mean: 2, sd: 1 })
    expect(rewardScale([10, 20, 30], { kind: 'column' }, true)).toEqual({ mean: 20, sd: 10 })
    expect(rewardScale([10, 20, 30], { kind: 'column' }, false)).toEqual({ mean: 0, sd: 1 })
    expect(rewardScale([10, 20, 30], { kind: 'label' }, true)).toEqual({ mean: 0, sd: 1 })
    expect(rewardScale([0.1, 0.1, 0.1], { kind: 'column' }, true).sd).toBe(1)
    expect(standardise([])).toEqual({ mean: 0, sd: 0 })
  })
})
