import type { ImportMapping, LabelScale } from '../../../shared/contract/datasets.ts'
import type { Outcome } from '../../../shared/data-kinds.ts'
import type { LabelTally } from './label-tally.ts'
import { isNumber, orderOfSides, readWord, sideNumbers, type Numbering, type SideNames } from './label-words.ts'

export type LabelValues = NonNullable<ImportMapping['labelValues']>

/** One way in which the values of label columns can be meant. */
export interface LabelReading {
  readonly values: LabelValues
  readonly scale: LabelScale | null
  /** "0 means response_0, 1 means response_1" */
  readonly title: string
}

/** What is known about label columns besides their values. */
export interface LabelContext {
  readonly columns: readonly string[]
  readonly sides: SideNames | null
}

/** Everything that the values can mean: one reading is the answer, several are a question, none is a question without proposals. */
export interface LabelReadings {
  readonly readings: readonly LabelReading[]
  /** Why it cannot be decided; empty where there is one reading. */
  readonly doubt: string
}

export const NO_VALUES: LabelValues = { a: [], b: [], tie: [], bothBad: [], skip: [] }

/** A value that nothing stands for is a mistake of its row; more of them are a meaning that is not known. */
export const UNREAD_SHARE = 0.1

/** The one place where values of label columns get their meaning, whichever way the columns were found. */
export function readingsOf(tally: LabelTally, context: LabelContext): LabelReadings {
  const seen = [...tally.values.keys()]
  const numbers = seen
    .filter(isNumber)
    .map(Number)
    .sort((x, y) => x - y)
  const booleans: string[] = seen.filter((value) => value === 'true' || value === 'false')
  const words = seen.filter((value) => !isNumber(value) && !booleans.includes(value))
  const numbering = numberingOfWords(words, context.sides)
  const spoken = words.flatMap((word) => (readWord(word, context.sides, numbering) === null ? [] : [word]))
  const strange = words.filter((word) => !spoken.includes(word))
  const count = (values: readonly string[]): number =>
    values.reduce((sum, value) => sum + (tally.values.get(value)?.count ?? 0), 0)
  const numbered = spoken.filter((word) => sideNumbers(word).length > 0 && readWord(word, context.sides, null) === null)
  const values = addWords(NO_VALUES, numbered, context.sides, numbering)
  if (count(strange) > UNREAD_SHARE * tally.total) return strangeWords(strange, spoken, context, values)
  if (booleans.length > 0) return combine(booleanReadings(context), values)
  if (numbers.length > 0) return combine(numberReadings(numbers, context), values)
  const title =
    context.sides === null ? 'the values name the sides' : `the values name ${context.sides.a} and ${context.sides.b}`
  return { readings: [{ values, scale: null, title }], doubt: '' }
}

function combine(found: LabelReadings, values: LabelValues): LabelReadings {
  return {
    ...found,
    readings: found.readings.map((reading) => ({ ...reading, values: merge(reading.values, values) })),
  }
}

function merge(x: LabelValues, y: LabelValues): LabelValues {
  return {
    a: [...x.a, ...y.a],
    b: [...x.b, ...y.b],
    tie: [...x.tie, ...y.tie],
    bothBad: [...x.bothBad, ...y.bothBad],
    skip: [...x.skip, ...y.skip],
  }
}

const FIELD = { a: 'a', b: 'b', tie: 'tie', 'both-bad': 'bothBad', skip: 'skip' } as const satisfies Record<
  Outcome,
  keyof LabelValues
>

/** `values` with more entries. */
export function withOutcomes(values: LabelValues, entries: readonly (readonly [string, Outcome])[]): LabelValues {
  const added = {
    a: [...values.a],
    b: [...values.b],
    tie: [...values.tie],
    bothBad: [...values.bothBad],
    skip: [...values.skip],
  }
  for (const [value, outcome] of entries) added[FIELD[outcome]].push(value)
  return added
}

function addWords(
  values: LabelValues,
  words: readonly string[],
  sides: SideNames | null,
  numbering: Numbering,
): LabelValues {
  return withOutcomes(
    values,
    words.flatMap((word) => {
      const verdict = readWord(word, sides, numbering)
      return verdict === null ? [] : [[word, verdict.outcome] as const]
    }),
  )
}

/** `response_1` alone says nothing about where counting begins; with `response_2` or `response_0` beside it, it does. */
export function numberingOfWords(words: readonly string[], sides: SideNames | null): Numbering {
  const own = orderOfSides(sides).numbering
  if (own !== null) return own
  const numbers = new Set(words.flatMap(sideNumbers))
  return numbers.has(0) && !numbers.has(2) ? 0 : numbers.has(2) && !numbers.has(0) ? 1 : null
}

/** The same of values that were settled before. */
export function numberingOfValues(values: LabelValues, sides: SideNames | null): Numbering {
  return numberingOfWords(
    [...values.a, ...values.b].filter((value) => !isNumber(value)),
    sides,
  )
}

function strangeWords(
  strange: readonly string[],
  spoken: readonly string[],
  { sides }: LabelContext,
  values: LabelValues,
): LabelReadings {
  const shown = strange
    .slice(0, 6)
    .map((word) => `"${word.slice(0, 40)}"`)
    .join(', ')
  const doubt = `what ${shown}${strange.length > 6 ? ` and ${strange.length - 6} more values` : ''} ${strange.length === 1 ? 'means' : 'mean'} is not known`
  const [first, second] = strange
  if (
    strange.length !== 2 ||
    spoken.some((word) => ['a', 'b'].includes(readWord(word, sides, null)?.outcome ?? '')) ||
    first === undefined ||
    second === undefined
  )
    return { readings: [], doubt }
  const reading = (a: string, b: string): LabelReading => ({
    values: withOutcomes(values, [
      [a, 'a'],
      [b, 'b'],
    ]),
    scale: null,
    title: says(
      [
        [a, 'a'],
        [b, 'b'],
      ],
      sides,
    ),
  })
  return { readings: [reading(first, second), reading(second, first)], doubt }
}

/** Sides as the file calls them. */
export function sideWords(sides: SideNames | null): { readonly a: string; readonly b: string } {
  return { a: sides?.a ?? 'the first answer', b: sides?.b ?? 'the second answer' }
}

function says(entries: readonly (readonly [string, Outcome])[], sides: SideNames | null): string {
  const names = sideWords(sides)
  const meaning = { ...names, tie: 'a tie', 'both-bad': 'both bad', skip: 'skipped' }
  return entries.map(([value, outcome]) => `${value} means ${meaning[outcome]}`).join(', ')
}

function fixed(entries: readonly (readonly [string, Outcome])[], sides: SideNames | null, why = ''): LabelReading {
  return { values: withOutcomes(NO_VALUES, entries), scale: null, title: `${says(entries, sides)}${why}` }
}

function one(reading: LabelReading): LabelReadings {
  return { readings: [reading], doubt: '' }
}

/** A column like `a_is_better` or `response_1_wins` says whom true and 1 mean. */
export function sideNamedBy(column: string, sides: SideNames | null): 'a' | 'b' | 'tie' | null {
  const words = column
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[\s_.-]+/g, ' ')
    .trim()
  if (/\b(tie|tied|equal|draw|both)\b/.test(words)) return 'tie'
  if (!/\b(better|best|win|wins|won|winner|prefer|prefers|preferred|chosen|selected|safer|correct)\b/.test(words))
    return null
  const rest = words.replace(/^(is|was|does|has) /, '')
  const named = readWord(
    rest
      .replace(/\b(winner|preferred|chosen|selected|safer|correct)\b/g, '$1')
      .replace(/\b(safer|correct)\b/g, 'better'),
    sides,
    numberingOfWords([rest], sides),
  )
  return named?.outcome === 'a' || named?.outcome === 'b' ? named.outcome : null
}

function booleanReadings({ columns, sides }: LabelContext): LabelReadings {
  const named = new Set(columns.map((column) => sideNamedBy(column, sides)))
  const [side] = named
  if (named.size === 1 && (side === 'a' || side === 'b'))
    return one(
      fixed(
        [
          ['true', side],
          ['false', side === 'a' ? 'b' : 'a'],
        ],
        sides,
        `, as ${columns.join(' and ')} says`,
      ),
    )
  if (named.has('tie')) return { readings: [], doubt: 'it says whether there is a tie, not who wins' }
  return {
    readings: [
      fixed(
        [
          ['true', 'a'],
          ['false', 'b'],
        ],
        sides,
      ),
      fixed(
        [
          ['true', 'b'],
          ['false', 'a'],
        ],
        sides,
      ),
    ],
    doubt: 'which answer true means is not said',
  }
}

function numberReadings(numbers: readonly number[], context: LabelContext): LabelReadings {
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
