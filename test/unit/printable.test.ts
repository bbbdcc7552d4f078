import { describe, expect, it } from 'vitest'
import { printable, printableJson, printableLine } from '../../shared/printable.ts'

/** No character that steers a terminal or turns the order of what is shown. */
const STEERING = /(?![\t\n])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

describe('text of strangers', () => {
  it.each([
    ['\u001b]52;c;ZXZpbA==\u0007', '␛]52;c;ZXZpbA==␇'],
    ['\u001b[2J\u001b[31m', '␛[2J␛[31m'],
    ['\u009b2J\u0085\u0090', '\\u009b2J\\u0085\\u0090'],
    ['a\u007f\u0000\b', 'a␡␀␈'],
    ['saved\rlost', 'saved␍lost'],
    ['\u202egnp.exe\u202c \u2066x\u2069', '\\u202egnp.exe\\u202c \\u2066x\\u2069'],
    ['one\u2028two', 'one\\u2028two'],
  ])('shows %j and sends none of it', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  it('leaves every alphabet, emoji, tabs and lines as they are', () => {
    const text = 'Ünï שלום سلام‌ها 漢字 👩‍👩‍👧 \u200f\n\ttab\r\nend'
    expect(printable(text)).toBe(text.replace('\r\n', '\n'))
  })

  it('keeps a name in its row', () => {
    expect(printableLine('a\nb\tc')).toBe('a␊b␉c')
  })

  it('is the same JSON with escapes', () => {
    const all = Array.from({ length: 0x2100 }, (_, code) => String.fromCharCode(code)).join('')
    const json = printableJson(JSON.stringify({ [all]: all }, null, 2))
    expect(json.replaceAll('\n', '')).not.toMatch(STEERING)
    expect(JSON.parse(json)).toEqual({ [all]: all })
  })
})
