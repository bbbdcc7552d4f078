import { describe, expect, it } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatInterval,
  formatNumber,
  formatPercent,
  formatRelative,
} from '../../shared/units.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

describe('durations', () => {
  it.each([
    [0, '0.0 s'],
    [850, '0.9 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [34_000, '34 s'],
    [59_499, '59 s'],
    [59_600, '1 min 00 s'],
    [170 * SECOND, '2 min 50 s'],
    [3_599_700, '1 h 00 min'],
    [3 * HOUR + 40 * MINUTE, '3 h 40 min'],
    [50 * HOUR, '2 d 2 h'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('says nothing where nothing is known', () => {
    expect([null, undefined, Number.NaN, Infinity].map(formatDuration)).toEqual(['–', '–', '–', '–'])
  })
})

describe('sizes and counts', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1_800_000_000, '1.8 GB'],
    [99_960, '100 kB'],
    [999_600, '1.0 MB'],
    [2.5e13, '25.0 TB'],
  ])('%d bytes is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  it('groups digits', () => {
    expect([formatCount(1234567), formatCount(0), formatCount(null)]).toEqual(['1,234,567', '0', '–'])
  })

  it('writes shares', () => {
    expect([formatPercent(0.125), formatPercent(0.125, 1), formatPercent(null)]).toEqual(['13 %', '12.5 %', '–'])
  })
})

describe('numbers', () => {
  it.each([
    [0, '0'],
    [3, '3'],
    [0.7132, '0.713'],
    [1.5, '1.50'],
    [12.345, '12.3'],
    [1234.5, '1,235'],
    [-0.25, '−0.250'],
    [0.0000012, '1.2e−6'],
    [2.5e9, '2.5e+9'],
    [Number.NaN, '–'],
    [Infinity, '∞'],
    [-Infinity, '−∞'],
  ])('%d is %s', (value, text) => expect(formatNumber(value)).toBe(text))
})

describe('a mean with its interval', () => {
  it.each([
    [0.464, 0.231, '0.46 ± 0.23'],
    [0.7132, 0.031, '0.713 ± 0.031'],
    [0.7132, 0.012, '0.713 ± 0.012'],
    [0.7132, 0.0096, '0.7132 ± 0.0096'],
    [12.34, 3.2, '12.3 ± 3.2'],
    [12.34, 1.5, '12.3 ± 1.5'],
    [-1.27, 0.5, '−1.27 ± 0.50'],
    [1234, 210, '1234 ± 210'],
    [0.0001234, 0.00002, '0.000123 ± 0.000020'],
  ])('%d within %d is %s', (mean, half, text) => expect(formatInterval(mean, half)).toBe(text))

  it('stands alone without an interval, and is a dash without a mean', () => {
    expect([
      formatInterval(0.7132, null),
      formatInterval(0.7132, 0),
      formatInterval(0.7132, Number.NaN),
      formatInterval(null, 0.1),
    ]).toEqual(['0.713', '0.713', '0.713', '–'])
  })
})

describe('how long ago', () => {
  const now = Date.UTC(2026, 10, 23, 12)
  it.each([
    [3 * SECOND, 'just now'],
    [45 * SECOND, '45 s ago'],
    [90 * SECOND, '1 min ago'],
    [5 * HOUR, '5 h ago'],
    [30 * HOUR, 'yesterday'],
  ])('%d ms before now is %s', (beforeMs, text) => expect(formatRelative(now - beforeMs, now)).toBe(text))

  it('gives the day beyond yesterday', () => {
    expect(formatRelative(now - 96 * HOUR, now)).toBe('19 Nov 2026')
  })
})
