// What numbers in a label column may mean.
import type { LabelScale } from '../../../shared/contract/import-mapping.ts'
import { orderOfSides, type SideNames } from './label-words.ts'
import {
  fixed,
  type LabelContext,
  type LabelReading,
  type LabelReadings,
  NO_VALUES,
  one,
  sideWords,
} from './label-reading.ts'
import { sideNamedBy } from './label-words.ts'

export function numberReadings(numbers: readonly number[], context: LabelContext): LabelReadings {
  const { columns, sides } = context
  const [low, high] = [numbers[0] ?? 0, numbers.at(-1) ?? 0]
  const whole = numbers.every(Number.isInteger)
  if (whole && low >= 0 && high <= 1) {
    const named = new Set(columns.map((column) => sideNamedBy(column, sides)))
    const [side] = named
    if (named.size === 1 && (side === 'a' || side === 'b'))
      return one(
        fixed(
          [
            ['1', side],
            ['0', side === 'a' ? 'b' : 'a'],
          ],
          sides,
          `, as ${columns.join(' and ')} says`,
        ),
      )
    if (named.has('tie')) return { readings: [], doubt: 'it says whether there is a tie, not who wins' }
  }
  if (!whole || low < 0 || high > 3) return scaleReadings(numbers, context)
  return indexReadings(numbers, context)
}

/** Small whole numbers: the index of the winner, perhaps with a number for ties. */
function indexReadings(numbers: readonly number[], { sides }: LabelContext): LabelReadings {
  const { numbering, reversed } = orderOfSides(sides)
  const [first, second] = reversed ? (['b', 'a'] as const) : (['a', 'b'] as const)
  const fromZero = fixed(
    [
      ['0', first],
      ['1', second],
    ],
    sides,
  )
  const fromOne = fixed(
    [
      ['1', first],
      ['2', second],
    ],
    sides,
  )
  const tieZero = fixed(
    [
      ['1', first],
      ['2', second],
      ['0', 'tie'],
    ],
    sides,
  )
  const tieTwo = fixed(
    [
      ['0', first],
      ['1', second],
      ['2', 'tie'],
    ],
    sides,
  )
  const tieThree = fixed(
    [
      ['1', first],
      ['2', second],
      ['3', 'tie'],
    ],
    sides,
  )
  const has = (value: number): boolean => numbers.includes(value)
  const named = (reading: LabelReading): LabelReadings =>
    one({ ...reading, title: `${reading.title}: the sides are numbered so` })
  const unsaid = (readings: readonly LabelReading[], doubt: string): LabelReadings => ({ readings, doubt })
  const fourFromOne = fixed(
    [
      ['1', first],
      ['2', second],
      ['0', 'tie'],
      ['3', 'both-bad'],
    ],
    sides,
  )
  const fourFromZero = fixed(
    [
      ['0', first],
      ['1', second],
      ['2', 'tie'],
      ['3', 'both-bad'],
    ],
    sides,
  )
  if (has(3))
    return unsaid(
      [...(has(0) ? [fourFromOne, fourFromZero] : [tieThree]), ...scalesOver(numbers, sides)],
      'the numbers can be sides with a number for ties, or a scale',
    )
  if (numbers.length === 1) {
    const [only] = numbers
    if (numbering === 0)
      return only === 2
        ? unsaid([tieTwo, fromOne], `only ${only} occurs, and no side has that number`)
        : named(fromZero)
    if (numbering === 1)
      return only === 0
        ? unsaid([tieZero, fromZero], `only ${only} occurs, and no side has that number`)
        : named(fromOne)
    return unsaid(
      only === 0 ? [fromZero, tieZero] : only === 1 ? [fromOne, fromZero] : [fromOne, tieTwo],
      `only ${only ?? ''} occurs, so the values do not say where counting begins`,
    )
  }
  if (!has(2)) return one(fromZero)
  if (!has(0))
    return numbering === 0
      ? unsaid([tieTwo, fromOne], 'the sides are numbered from 0, but 1 and 2 occur')
      : one(fromOne)
  if (numbering === 0) return named(tieTwo)
  if (numbering === 1) return named(tieZero)
  return unsaid(
    [tieZero, tieTwo, ...scalesOver(numbers, sides)],
    '0, 1 and 2 can be a tie and two sides, or two sides and a tie',
  )
}

/** Ends of the scales that people use, those without a middle last. */
const SCALES: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [1, 3],
  [0, 3],
  [0, 4],
  [1, 5],
  [0, 6],
  [1, 7],
  [0, 8],
  [1, 9],
  [0, 10],
  [0, 100],
  [1, 100],
  [1, 4],
  [1, 6],
  [1, 10],
  [0, 5],
]

function scaleReadings(numbers: readonly number[], { sides }: LabelContext): LabelReadings {
  const shown = numbers.length > 8 ? `${numbers.slice(0, 3).join(', ')} … ${numbers.at(-1) ?? ''}` : numbers.join(', ')
  const low = numbers[0] ?? 0
  if (low < 0) {
    const readings = scalesOver(numbers, sides)
    const equalIsMinus =
      numbers.every((number) => [-1, 0, 1].includes(number)) && numbers.length > 1
        ? [
            fixed(
              [
                ['0', 'a'],
                ['1', 'b'],
                ['-1', 'tie'],
              ],
              sides,
            ),
          ]
        : []
    return {
      readings: [...readings, ...equalIsMinus],
      doubt: `which answer a negative number prefers is not said (${shown})`,
    }
  }
  return {
    readings: scalesOver(numbers, sides),
    doubt: `the numbers lie on a scale (${shown}), and which answer its low end prefers is not said`,
  }
}

/** Both directions of every scale that the numbers can lie on. */
function scalesOver(numbers: readonly number[], sides: SideNames | null): LabelReading[] {
  return boundsOf(numbers).flatMap(([low, high]) =>
    (['first', 'second'] as const).map((lowIs) => ({
      values: NO_VALUES,
      scale: { low, high, lowIs },
      title: scaleTitle({ low, high, lowIs }, sides),
    })),
  )
}

/** The ends that fit: those that are reached, else the nearest beyond; signed numbers lie around 0. */
export function boundsOf(numbers: readonly number[]): (readonly [number, number])[] {
  const [low, high] = [numbers[0] ?? 0, numbers.at(-1) ?? 0]
  if (low < 0) {
    const most = Math.max(-low, high)
    const end = most <= 1 ? 1 : most <= 3 ? 3 : Math.ceil(most)
    return [[-end, end]]
  }
  const fitting = SCALES.filter(([from, to]) => from <= low && high <= to)
  const reached = fitting.filter(([from, to]) => to === high && (low < 1 ? from === 0 : from === 1 || low > 1))
  const nearest = Math.min(...fitting.map(([, to]) => to))
  return reached.length > 0 ? reached : fitting.length > 0 ? fitting.filter(([, to]) => to === nearest) : [[0, high]]
}

export function scaleTitle({ low, high, lowIs }: LabelScale, sides: SideNames | null): string {
  const names = sideWords(sides)
  const [lower, upper] = lowIs === 'first' ? [names.a, names.b] : [names.b, names.a]
  if (low === -high) return `negative means ${lower}, positive means ${upper}, 0 a tie (${low} to ${high})`
  const middle = (low + high) / 2
  const whole = Number.isInteger(low) && Number.isInteger(high) && high - low > 1
  return `a scale from ${low} to ${high}: below ${middle} means ${lower}, above it ${upper}${whole && !Number.isInteger(middle) ? '' : `, ${middle} a tie`}`
}
