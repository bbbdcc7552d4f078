import { describe, expect, it } from 'vitest'
import { csvCell, csvText } from '../../shared/csv.ts'

describe('a CSV cell', () => {
  it.each([
    '=1+1',
    '+1+1',
    '-1+1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '\u00A0=1',
    '\u200B=1',
    '\uFEFF=1',
    '＝1+1',
    '＋1',
    '－1+1',
    '＠A1',
    '\u22121+1',
    '=HYPERLINK("http://x","y")',
    '-Infinity',
    '-0x10',
    '- 5',
    '"=1',
    '\tplain',
  ])('shields %j', (text) => {
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/)
  })
  it.each(['-0.5', '+3', '-1e-7', '.5', '-.5', '12', 'DPO', 'a=b', 'x-y', '1-2', 'a\u0301'])(
    'leaves %j alone',
    (text) => {
      expect(csvCell(text)).toBe(text)
    },
  )
  it('writes numbers in full, and nothing for what is none', () => {
    expect([
      csvCell(-0.5),
      csvCell(1e-9),
      csvCell(Number.NaN),
      csvCell(Number.NEGATIVE_INFINITY),
      csvCell(null),
      csvCell(undefined),
    ]).toEqual(['-0.5', '1e-9', '', '', '', ''])
  })
  it('quotes what separates', () => {
    expect(
      csvText([
        ['a,b', 'c"d', 'e\nf', 'g;h'],
        [1, '=x,y'],
      ]),
    ).toBe('"a,b","c""d","e\nf","g;h"\r\n1,"\'=x,y"\r\n')
  })
})
