import type { LabelTally } from './label-tally.ts'
import {
  isNumber,
  type Numbering,
  numberingOfWords,
  readWord,
  sideNamedBy,
  type SideNames,
  sideNumbers,
} from './label-words.ts'
import {
  fixed,
  type LabelContext,
  type LabelReading,
  type LabelReadings,
  type LabelValues,
  NO_VALUES,
  one,
  says,
  withOutcomes,
} from './label-reading.ts'
import { numberReadings } from './label-numbers.ts'

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
