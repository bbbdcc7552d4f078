import type { LabelScale } from '../../../shared/contract/import-mapping.ts'
import type { Verdict } from './label-words.ts'

/**
 * Who wins by a number on a scale, and how far: thirds of the way from the middle to the end are slightly, clearly and
 * far, so that −3…3 keeps its three strengths. A scale of single steps (−1, 0, 1) has no strengths. Null outside.
 */
export function readScale(value: number, { low, high, lowIs }: LabelScale): Verdict | null {
  if (value < low || value > high) return null
  const middle = (low + high) / 2
  if (value === middle) return { outcome: 'tie', strength: null }
  const half = (high - low) / 2
  const share = Math.abs(value - middle) / half
  const single = half <= 1 && Number.isInteger(value) && Number.isInteger(low)
  const strength = single ? null : share <= 1 / 3 + 1e-9 ? 'slightly' : share <= 2 / 3 + 1e-9 ? 'clearly' : 'far'
  const lowSide = lowIs === 'first' ? 'a' : 'b'
  return { outcome: value < middle ? lowSide : lowSide === 'a' ? 'b' : 'a', strength }
}
