import { expect, test } from 'vitest'
import { reduceLabels, type AnswerInForce } from '../../main/app/data/reduce-labels.ts'
import type { Outcome, Strength } from '../../shared/data-kinds.ts'

function answers(...given: readonly (Outcome | readonly [Outcome, Strength])[]): AnswerInForce[] {
  return given.map((entry, index) =>
    typeof entry === 'string'
      ? { annotatorId: `p${index}`, outcome: entry, strength: null }
      : { annotatorId: `p${index}`, outcome: entry[0], strength: entry[1] },
  )
}

test.each([
  ['one answer', answers('a'), 1, 1],
  ['two against one', answers('a', 'a', 'b'), 2 / 3, 1],
  ['a tie is half', answers('tie'), 0.5, 0.5],
  ['a tie beside an answer', answers('b', 'tie'), 0.25, 0.5],
  ['no side ahead', answers('a', 'b'), 0.5, 0.5],
  ['more ties than either side', answers('a', 'tie', 'tie'), 2 / 3, 0.5],
])('%s', (_, given, mean, majority) => {
  expect(reduceLabels(given, 'mean')).toMatchObject({ kind: 'preference', preferenceA: mean, labelCount: given.length })
  expect(reduceLabels(given, 'majority')).toMatchObject({ kind: 'preference', preferenceA: majority })
})

test('strength is the mean of what was said, and whole where nothing was', () => {
  expect(reduceLabels(answers(['a', 'slightly'], ['a', 'far']), 'mean')).toMatchObject({ strength: 2 / 3 })
  expect(reduceLabels(answers(['a', 'clearly'], 'b'), 'mean')).toMatchObject({ strength: expect.closeTo(5 / 6, 12) })
})

test('skips and "both bad" do not count; alone they leave no preference', () => {
  expect(reduceLabels(answers('skip', 'both-bad', 'a'), 'mean')).toEqual({
    kind: 'preference',
    preferenceA: 1,
    strength: 1,
    labelCount: 1,
  })
  expect(reduceLabels(answers('skip', 'both-bad'), 'mean')).toEqual({ kind: 'both-bad', labelCount: 1 })
  expect(reduceLabels(answers('skip'), 'mean')).toEqual({ kind: 'none' })
  expect(reduceLabels([], 'majority')).toEqual({ kind: 'none' })
})
