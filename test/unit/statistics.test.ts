import { describe, expect, it } from 'vitest'
import { cohenKappa, krippendorffAlpha } from '../../shared/statistics/agreement.ts'
import {
  bootstrapMean,
  pairedDifference,
  resampleIndices,
  unpairedDifference,
} from '../../shared/statistics/bootstrap.ts'
import { quantileSorted, signTest, standardDeviation, wilsonInterval } from '../../shared/statistics/intervals.ts'
import { normalCdf, normalQuantile } from '../../shared/statistics/normal.ts'

describe('normal distribution', () => {
  it('matches tabled values to the last digits, also far out', () => {
    expect(normalCdf(1)).toBeCloseTo(0.841344746068543, 14)
    expect(normalCdf(-5) / 2.866515718791939e-7).toBeCloseTo(1, 12)
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13)
  })
  it('inverts itself and takes its ends to infinity', () => {
    for (const p of [1e-9, 0.01, 0.3, 0.5, 0.9, 0.9999]) expect(normalCdf(normalQuantile(p)) / p).toBeCloseTo(1, 11)
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(2)]).toEqual([-Infinity, Infinity, NaN])
  })
})

describe('bootstrap', () => {
  it('draws the same positions for a seed, others for another, all of them inside', () => {
    const indices = resampleIndices(5, 50, 7)
    expect(indices).toEqual(resampleIndices(5, 50, 7))
    expect(indices).not.toEqual(resampleIndices(5, 50, 8))
    expect(new Set(indices.flat())).toEqual(new Set([0, 1, 2, 3, 4]))
  })
  it('has no interval for one value', () => {
    expect([bootstrapMean([0.7]), unpairedDifference([1], [1, 2])]).toEqual([null, null])
  })
  it('narrows when the members are paired', () => {
    const a = [1, 5, 9, 13]
    const b = [0.9, 4.8, 8.9, 12.8]
    const paired = pairedDifference(a, b).bounds
    const unpaired = unpairedDifference(a, b)
    expect(paired!.high - paired!.low).toBeLessThan(0.2)
    expect(unpaired!.high - unpaired!.low).toBeGreaterThan(5)
    expect(() => pairedDifference([1], [1, 2])).toThrow(RangeError)
  })
})

describe('intervals', () => {
  it('keeps shares inside 0 and 1 and says NaN where there is nothing', () => {
    expect(wilsonInterval(0, 3).low).toBeCloseTo(0, 15)
    expect(wilsonInterval(3, 3).high).toBeLessThanOrEqual(1)
    expect([wilsonInterval(0, 0).low, standardDeviation([1]), quantileSorted([], 0.5)]).toEqual([NaN, NaN, NaN])
  })
  it('calls an even split no evidence', () => {
    expect([signTest(0, 0), signTest(7, 7)]).toEqual([1, 1])
    expect(signTest(60, 40)).toBeCloseTo(0.0568879, 6)
  })
})

describe('agreement', () => {
  it('does not depend on which annotator comes first', () => {
    const a = [0, 1, 2, 1, 0, 2, 2]
    const b = [0, 2, 2, 1, 1, 2, 0]
    for (const weights of ['none', 'linear', 'quadratic'] as const)
      expect(cohenKappa(a, b, [0, 1, 2], weights)).toBeCloseTo(cohenKappa(b, a, [0, 1, 2], weights), 14)
    expect(krippendorffAlpha([a, b])).toBeCloseTo(krippendorffAlpha([b, a]), 14)
  })
  it('refuses lists that do not fit', () => {
    expect(() => cohenKappa([0], [0, 1], [0, 1])).toThrow(RangeError)
    expect(() => cohenKappa([3], [0], [0, 1])).toThrow('outside the categories')
  })
})
