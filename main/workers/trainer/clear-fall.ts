type Measured = Readonly<Record<string, number>>

/** Share of a value by which it must get worse where no interval is known. */
const CLEAR_FALL = 0.1

/** Whether the intervals of the two lie apart, the wrong way round; without intervals, whether a tenth of the value is lost. */
export function fellBelow(before: Measured, now: Measured, name: string, goal: 'min' | 'max' | 'none'): boolean {
  const [first, later] = [before[name], now[name]]
  if (goal === 'none' || first === undefined || later === undefined) return false
  const sign = goal === 'min' ? -1 : 1
  const worst = goal === 'min' ? before[`${name}_high`] : before[`${name}_low`]
  const best = goal === 'min' ? now[`${name}_low`] : now[`${name}_high`]
  if (worst !== undefined && best !== undefined) return sign * best < sign * worst
  return sign * later < sign * first - CLEAR_FALL * Math.abs(first)
}
