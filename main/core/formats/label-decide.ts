import type { ImportMapping, LabelAnswer, LabelQuestion, LabelScale } from '../../../shared/contract/import-mapping.ts'
import type { Outcome } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { knownReading } from './known-layouts.ts'
import { readingsOf, UNREAD_SHARE } from './label-readings.ts'
import { boundsOf, scaleTitle } from './label-numbers.ts'
import {
  NO_VALUES,
  sideWords,
  withOutcomes,
  type LabelReading,
  type LabelReadings,
  type LabelValues,
} from './label-reading.ts'
import { createLabelTally, type LabelTally } from './label-tally.ts'
import { canonicalValue, isNoLabel, isNumber, type SideNames } from './label-words.ts'
import { readLabelValue, readNamed } from './layouts-labels.ts'
import { cellOf, compileMapping, type CompiledMapping } from './mapping-compile.ts'
import type { RowValues, SourceRow } from './readers.ts'

export interface LabelDecision {
  readonly mapping: ImportMapping
  /** Null where the meaning of the values is known. */
  readonly question: LabelQuestion | null
}

/** Counts what the label columns of some rows hold; values that a row itself explains (the name of its model) do not count. */
export function tallyRow(tally: LabelTally, values: RowValues, line: number, mapping: CompiledMapping): void {
  for (const { column } of mapping.labels) {
    const value = cellOf(values, column)
    if (!isNoLabel(value) && readNamed(value, values, mapping) === null) tally.add(value, line)
  }
}

/**
 * Settles what the label values of a file mean: as somebody said, else as the file's columns and values show. Where
 * they can be meant in several ways the mapping stays open and the question says so.
 * @throws AppError `input-invalid` when what was said does not fit the file
 */
export function decideLabels(
  mapping: ImportMapping,
  rows: readonly SourceRow[],
  said: LabelAnswer | null,
): LabelDecision {
  const compiled = compileMapping(mapping)
  if (compiled.labels.length === 0 || compiled.flags !== null) {
    if (said !== null)
      throw new AppError({
        code: 'input-invalid',
        message: 'No column holds labels, so there are no values to give a meaning.',
        hint: 'Name the column: --map column=label.',
      })
    return {
      mapping: { ...mapping, labelValues: null, labelScale: null, labelsSaidBy: 'file', labelWords: '' },
      question: null,
    }
  }
  const tally = createLabelTally()
  for (const row of rows) if (row.values !== null) tallyRow(tally, row.values, row.line, compiled)
  if (said === null && mapping.labelsSaidBy === 'person' && compiled.labelsAreKnown)
    return askForRest({ ...mapping, labelWords: sayReading(mapping, compiled.sides) }, tally)
  const found = readingsFor(tally, compiled, rows)
  if (said !== null) {
    const followed = follow(said, found, { mapping, compiled, tally, rows })
    return followed.question === null ? askForRest(followed.mapping, tally) : followed
  }
  const [only] = found.readings
  if (found.doubt === '' && only !== undefined) return settle(mapping, only, 'file')
  return ask(mapping, compiled, found, tally, rows)
}

/** All meanings that a file's values can have, by its whole set of columns where that is a known one. */
export function readingsFor(tally: LabelTally, compiled: CompiledMapping, rows: readonly SourceRow[]): LabelReadings {
  const columns = [...new Set(rows.slice(0, 50).flatMap((row) => (row.values === null ? [] : Object.keys(row.values))))]
  const known = knownReading(columns, compiled, tally)
  if (known !== null) return { readings: [known], doubt: '' }
  const found = readingsOf(tally, { columns: compiled.labels.map(({ column }) => column), sides: compiled.sides })
  return doubtByScores(found, compiled, rows)
}

/** Scores that say the opposite of an index show that the numbers are meant otherwise. */
function doubtByScores(found: LabelReadings, compiled: CompiledMapping, rows: readonly SourceRow[]): LabelReadings {
  const [only] = found.readings
  const { rewardA, rewardB } = compiled
  if (
    only === undefined ||
    found.readings.length !== 1 ||
    rewardA === null ||
    rewardB === null ||
    ![...only.values.a, ...only.values.b].some(isNumber)
  )
    return found
  const as = { ...compiled, outcomes: outcomesOf(only.values), labelsAreKnown: true }
  let agreed = 0
  let against = 0
  for (const { values } of rows) {
    if (values === null) continue
    const difference = Number(cellOf(values, rewardA)) - Number(cellOf(values, rewardB))
    for (const { column } of compiled.labels) {
      const outcome = readLabelValue(cellOf(values, column), values, as)?.outcome
      if ((outcome !== 'a' && outcome !== 'b') || !(Math.abs(difference) > 0)) continue
      if ((outcome === 'a') === difference > 0) agreed += 1
      else against += 1
    }
  }
  if (against <= agreed) return found
  const swapped = { ...only, values: { ...only.values, a: only.values.b, b: only.values.a } }
  const named = (reading: LabelReading): LabelReading => ({
    ...reading,
    title: sayReading({ labelValues: reading.values, labelScale: null }, compiled.sides),
  })
  return {
    readings: [named(only), named(swapped)],
    doubt: `the obvious reading lets the answer with the lower score win in ${against} of ${agreed + against} rows (${rewardA}, ${rewardB})`,
  }
}

function outcomesOf(values: LabelValues): Map<string, Outcome> {
  return new Map([
    ...values.a.map((value) => [value, 'a'] as const),
    ...values.b.map((value) => [value, 'b'] as const),
    ...values.tie.map((value) => [value, 'tie'] as const),
    ...values.bothBad.map((value) => [value, 'both-bad'] as const),
    ...values.skip.map((value) => [value, 'skip'] as const),
  ])
}

function settle(mapping: ImportMapping, reading: LabelReading, by: ImportMapping['labelsSaidBy']): LabelDecision {
  return {
    mapping: {
      ...mapping,
      labelValues: reading.values,
      labelScale: reading.scale,
      labelsSaidBy: by,
      labelWords: reading.title,
    },
    question: null,
  }
}

/** What somebody said stands; where it leaves much unread, the rest of the values is still to be said. */
function askForRest(mapping: ImportMapping, tally: LabelTally): LabelDecision {
  const compiled = compileMapping(mapping)
  const unread = [...tally.values].filter(([value]) => readLabelValue(value, {}, compiled) === null)
  const rows = unread.reduce((sum, [, { count }]) => sum + count, 0)
  if (rows <= UNREAD_SHARE * tally.total) return { mapping, question: null }
  const shown = unread
    .slice(0, 8)
    .map(([, { text }]) => `"${text}"`)
    .join(', ')
  return {
    mapping,
    question: {
      columns: compiled.labels.map(({ column }) => column),
      reason: `What ${shown}${unread.length > 8 ? ' …' : ''} ${unread.length === 1 ? 'means' : 'mean'} is still to be said: ${rows} of ${tally.total} labels.`,
      readings: [],
    },
  }
}

interface Looked {
  readonly mapping: ImportMapping
  readonly compiled: CompiledMapping
  readonly tally: LabelTally
  readonly rows: readonly SourceRow[]
}

/** What was said narrows the readings; if only some of them fit, the question stays. */
function follow(said: LabelAnswer, found: LabelReadings, { mapping, compiled, tally, rows }: Looked): LabelDecision {
  const values = Object.entries(said.values).map(
    ([value, outcome]) => [canonicalValue(value) ?? value, outcome] as const,
  )
  const spoken = withOutcomes(NO_VALUES, values)
  if (said.scale !== null || said.lowIs !== null) {
    const scales = scalesSaid(said, tally, compiled.sides).map((scale) => ({
      values: spoken,
      scale,
      title: sayReading({ labelValues: spoken, labelScale: scale }, compiled.sides),
    }))
    const [scale] = scales
    if (scales.length === 1 && scale !== undefined) return settle(mapping, scale, 'person')
    return ask(
      mapping,
      compiled,
      {
        readings: scales,
        doubt:
          said.lowIs === null
            ? 'which answer the low end of the scale prefers is not said'
            : 'several scales hold these numbers',
      },
      tally,
      rows,
    )
  }
  const given = new Map(values)
  const fitting = found.readings.filter((reading) =>
    values.every(([value, outcome]) => (meaningIn(reading, value) ?? outcome) === outcome),
  )
  const [only] = fitting
  const covered = [...tally.values.keys()].every(
    (value) => given.has(value) || readLabelValue(value, {}, { ...compiled, labelsAreKnown: true }) !== null,
  )
  if (!covered && fitting.length === 1 && only !== undefined) {
    const rest = values.filter(([value]) => meaningIn(only, value) === undefined)
    const merged = withOutcomes(only.values, rest)
    return settle(
      mapping,
      {
        values: merged,
        scale: only.scale,
        title: sayReading({ labelValues: merged, labelScale: only.scale }, compiled.sides),
      },
      'person',
    )
  }
  if (!covered && fitting.length > 1)
    return ask(mapping, compiled, { readings: fitting, doubt: found.doubt }, tally, rows)
  return settle(
    mapping,
    { values: spoken, scale: null, title: sayReading({ labelValues: spoken, labelScale: null }, compiled.sides) },
    'person',
  )
}

function meaningIn({ values }: LabelReading, value: string): Outcome | undefined {
  return outcomesOf(values).get(value)
}

/** The scales that fit what was said of their ends and direction. @throws AppError `input-invalid` */
function scalesSaid(said: LabelAnswer, tally: LabelTally, sides: SideNames | null): LabelScale[] {
  const numbers = [...tally.values.keys()]
    .filter(isNumber)
    .map(Number)
    .sort((x, y) => x - y)
  if (said.scale !== null && said.scale.low >= said.scale.high)
    throw new AppError({
      code: 'input-invalid',
      message: `A scale from ${said.scale.low} to ${said.scale.high} has no length.`,
      hint: 'For example: --scale 1..7.',
    })
  if (numbers.length === 0)
    throw new AppError({
      code: 'input-invalid',
      message: 'The label column holds no numbers, so it has no scale and no direction.',
      hint: `Say what its values mean: --values "…=a,…=b" (${sideWords(sides).a}, ${sideWords(sides).b}).`,
    })
  const ends = said.scale === null ? boundsOf(numbers) : [[said.scale.low, said.scale.high] as const]
  const ways = said.lowIs === null ? (['first', 'second'] as const) : [said.lowIs]
  return ends.flatMap(([low, high]) => ways.map((lowIs) => ({ low, high, lowIs })))
}

/** How settled labels are read, in words; empty where nothing is settled. */
export function sayReading(
  { labelValues, labelScale }: Pick<ImportMapping, 'labelValues' | 'labelScale'>,
  sides: SideNames | null,
): string {
  const names = sideWords(sides)
  const fields = [
    [labelValues?.a, names.a],
    [labelValues?.b, names.b],
    [labelValues?.tie, 'a tie'],
    [labelValues?.bothBad, 'both bad'],
    [labelValues?.skip, 'skipped'],
  ] as const
  const parts = fields.flatMap(([values, meaning]) =>
    (values?.length ?? 0) === 0
      ? []
      : [`${values?.slice(0, 8).join(', ') ?? ''} ${values?.length === 1 ? 'means' : 'mean'} ${meaning}`],
  )
  return [...(labelScale === null ? [] : [scaleTitle(labelScale, sides)]), ...parts].join('; ')
}

const EXAMPLES = 3

function ask(
  mapping: ImportMapping,
  compiled: CompiledMapping,
  found: LabelReadings,
  tally: LabelTally,
  rows: readonly SourceRow[],
): LabelDecision {
  const open: ImportMapping = { ...mapping, labelValues: null, labelScale: null, labelsSaidBy: 'file', labelWords: '' }
  const columns = compiled.labels.map(({ column }) => column)
  const readings = found.readings.map((reading) => {
    const as = compileMapping({ ...mapping, labelValues: reading.values, labelScale: reading.scale })
    return {
      title: reading.title,
      option: optionOf(reading),
      labelValues: reading.values,
      labelScale: reading.scale,
      examples: examplesOf(tally, rows, as),
    }
  })
  const shown = [...tally.values.values()]
    .slice(0, 8)
    .map(({ text }) => text)
    .join(', ')
  return {
    mapping: open,
    question: {
      columns,
      reason: `${columns.join(', ')} ${columns.length === 1 ? 'holds' : 'hold'} ${shown}${tally.values.size > 8 ? ' …' : ''}: ${found.doubt}.`,
      readings,
    },
  }
}

function optionOf({ values, scale }: LabelReading): string {
  if (scale !== null)
    return scale.low === -scale.high
      ? `--direction negative-is-${scale.lowIs}`
      : `--scale ${scale.low}..${scale.high} --direction low-is-${scale.lowIs}`
  const entries = [
    ...values.a.map((value) => `${value}=a`),
    ...values.b.map((value) => `${value}=b`),
    ...values.tie.map((value) => `${value}=tie`),
    ...values.bothBad.map((value) => `${value}=both-bad`),
  ]
  return `--values "${entries.join(',')}"`
}

/** One row for each of the first values that tell readings apart, and what it would mean. */
function examplesOf(
  tally: LabelTally,
  rows: readonly SourceRow[],
  as: CompiledMapping,
): LabelQuestion['readings'][number]['examples'] {
  const names = { ...sideWords(as.sides), tie: '', 'both-bad': '', skip: '' }
  const meaning = (outcome: Outcome | undefined, strength: string): string =>
    outcome === undefined
      ? 'not read, the row is left out'
      : outcome === 'tie'
        ? 'a tie'
        : outcome === 'both-bad'
          ? 'both are bad'
          : outcome === 'skip'
            ? 'skipped'
            : `${names[outcome]} wins${strength}`
  const values = [...tally.values].sort(([x], [y]) => Number(isMiddle(x, as)) - Number(isMiddle(y, as)))
  return values.slice(0, EXAMPLES).map(([canonical, { line, text }]) => {
    const row = rows.find((one) => one.line === line)?.values ?? {}
    const verdict = readLabelValue(canonical, row, as)
    return {
      line,
      value: text,
      meaning: meaning(verdict?.outcome, verdict?.strength === null || verdict === null ? '' : `, ${verdict.strength}`),
    }
  })
}

function isMiddle(canonical: string, as: CompiledMapping): boolean {
  return readLabelValue(canonical, {}, as)?.outcome === 'tie'
}
