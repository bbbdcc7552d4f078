import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alignLines, type AlignedRow, type Cell } from '../../renderer/label/align.ts'
import { countWords, isEmpty, toLines } from '../../renderer/label/content.ts'
import { contentVersion } from '../../renderer/label/version.ts'

const text = (cell: Cell | null): string | null =>
  cell === null ? null : cell.pieces.map((piece) => piece.text).join('')
const side = (rows: readonly AlignedRow[], which: 'left' | 'right'): string =>
  rows.flatMap((row) => (row[which] === null ? [] : [text(row[which])])).join('\n')
const changed = (cell: Cell | null): readonly string[] =>
  cell?.pieces.filter((piece) => piece.changed).map((piece) => piece.text) ?? []

describe('aligning two answers', () => {
  test('sets like lines beside each other and leaves a gap for a line that only one side has', () => {
    const { rows } = alignLines(
      toLines('1. Heat the oven.\n2. Add the eggs and mix well.\n3. Bake for 10 minutes.'),
      toLines('1. Heat the oven.\n2. Bake for 18 minutes.'),
    )
    expect(rows.map((row) => [text(row.left), text(row.right)])).toEqual([
      ['1. Heat the oven.', '1. Heat the oven.'],
      ['2. Add the eggs and mix well.', null],
      ['3. Bake for 10 minutes.', '2. Bake for 18 minutes.'],
    ])
    expect(rows[1]?.left?.alone).toBe(true)
    // The number of a step is not what the step says.
    expect(changed(rows[2]?.left ?? null)).toEqual(['10'])
    expect(changed(rows[2]?.right ?? null)).toEqual(['18'])
  })

  test('joins changed words that stand together, without their outer spaces', () => {
    const { rows } = alignLines(
      toLines('In a large bowl, mix together the flour and salt.'),
      toLines('In a large bowl, combine well the flour and salt.'),
    )
    expect(changed(rows[0]?.left ?? null)).toEqual(['mix together'])
    expect(changed(rows[0]?.right ?? null)).toEqual(['combine well'])
  })

  test('does not mark texts that have nothing in common, and keeps them beside each other', () => {
    const aligned = alignLines(
      toLines('Once upon a time there was a fox.'),
      toLines('Stocks fell sharply on Monday.\nBonds rose.'),
    )
    expect(aligned.marks).toBe('too-different')
    expect(aligned.rows.map((row) => [row.left !== null, row.right !== null])).toEqual([
      [true, true],
      [false, true],
    ])
  })

  test('loses and changes no character of either side', () => {
    const line = fc.constantFrom(
      '',
      'a b c',
      'a b d',
      'the same line',
      'another line entirely',
      '  - item',
      '3. a b d  e',
      'x',
    )
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.array(line, { minLength: 1, maxLength: 12 }),
        (left, right) => {
          const { rows } = alignLines(toLines(left.join('\n')), toLines(right.join('\n')))
          expect(side(rows, 'left')).toBe(left.join('\n'))
          expect(side(rows, 'right')).toBe(right.join('\n'))
        },
      ),
    )
  })

  test('names the turns of a conversation and never pairs different roles', () => {
    const { rows } = alignLines(
      toLines([{ role: 'user', content: 'hello there' }]),
      toLines([{ role: 'assistant', content: 'hello there' }]),
    )
    expect(rows.map((row) => [row.left?.role, row.right?.role])).toEqual([['user', 'assistant']])
  })

  test('aligns two very long texts without keeping the hand waiting', () => {
    const long = (odd: (at: number) => string): string =>
      Array.from({ length: 2000 }, (_, at) => `line ${at} and some more text to read${odd(at)}`).join('\n')
    const startMs = performance.now()
    const near = alignLines(toLines(long(() => '')), toLines(long((at) => (at % 100 === 50 ? ' aloud' : ''))))
    expect(near.marks).toBe('shown')
    expect(near.rows).toHaveLength(2000)
    expect(changed(near.rows[50]?.right ?? null)).toEqual(['aloud'])
    const far = alignLines(toLines(long(() => '')), toLines(long(() => ' aloud')))
    expect(far.marks).toBe('too-long')
    expect(far.rows).toHaveLength(2000)
    expect(performance.now() - startMs).toBeLessThan(500)
  })

  test('counts words and sees emptiness in both forms of text', () => {
    expect(countWords(' two  words ')).toBe(2)
    expect(isEmpty([{ role: 'assistant', content: ' \n' }])).toBe(true)
    expect(isEmpty('x')).toBe(false)
  })

  test('the version of a guideline follows from its words', () => {
    expect(contentVersion('Be kind.')).toBe(contentVersion('Be kind.'))
    expect(contentVersion('Be kind.')).not.toBe(contentVersion('Be kind'))
    expect(contentVersion('')).toMatch(/^[0-9a-f]{4}$/)
  })
})
