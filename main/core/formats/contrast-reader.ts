import { contrastData, type ContrastData, type SplitName } from '../../../shared/data-kinds.ts'
import type { NewPart } from './parsed-rows.ts'
import { findColumns, findScoredSet, type ContrastColumns } from './contrast-columns.ts'
import { findContrastForm, type ContrastForm, type ContrastFormat } from './contrast-form.ts'
import { problemAt, readContrastRows, type ContrastRow } from './contrast-rows.ts'
import { createScoreSurvey, parseScale, readScore, type ScoreScale } from './contrast-scores.ts'

// Texts to embed: GRACE's own files (query, positive, negative), sentence-transformers' triplets, n-tuples and pairs with
// scores, FlagEmbedding's lists, plain lines, and the forms in which STS-B goes round.

export interface ContrastOptions {
  /** Null where the file's first lines are to tell. */
  readonly as?: ContrastFormat | null
  /** Lowest and highest score, `0..5`; null where the file's scores are to tell. */
  readonly scale?: string | null
}

/**
 * Items and problems of a file, in its order. A row with several positives becomes an item for each, of one group.
 * @throws AppError when the file cannot be read, or could be read in two ways
 */
export async function* readContrastFile(
  path: string,
  { as = null, scale = null }: ContrastOptions = {},
): AsyncGenerator<NewPart> {
  const form = await findContrastForm(path, as)
  const known = scale === null ? await surveyScores(path, form) : parseScale(scale)
  for await (const row of readContrastRows(path, form)) yield* partsOf(row, known)
}

/**
 * Twice through the file: whether 1 is the same text or hardly alike shows only in all scores together.
 * @param most rows looked at, where a preview must not wait for all
 */
export async function surveyScores(path: string, form: ContrastForm, most = Infinity): Promise<ScoreScale> {
  if (form.kind === 'lines' || (form.kind === 'table' && scoreColumnOf(findColumns(form.names)) === null))
    return { low: 0, high: 1 }
  const survey = createScoreSurvey()
  let known: ReturnType<typeof findScoredSet> = null
  let rows = 0
  for await (const row of readContrastRows(path, form)) {
    if ((rows += 1) > most) break
    if (!('values' in row)) continue
    const columns = findColumns(Object.keys(row.values))
    const column = scoreColumnOf(columns)
    if (column === null) continue
    known ??= findScoredSet(Object.keys(row.values))
    survey.add(row.values[column], column === columns.score ? 'score' : 'label')
  }
  return survey.finish(path, known)
}

function scoreColumnOf({ query, list, score, label }: ContrastColumns): string | null {
  return query === null && list === null ? null : (score ?? label)
}

/** Items of a row, or what is wrong with it. */
export function partsOf(row: ContrastRow, scale: ScoreScale): readonly NewPart[] {
  if ('problem' in row) return [row]
  const { line } = row
  if ('text' in row) return [partOf(line, { form: 'text', text: row.text.trim() }, null)]
  if ('list' in row) return partsOfList(line, row.list)
  const { values } = row
  const columns = findColumns(Object.keys(values))
  const take = (column: string | null): unknown => (column === null ? undefined : values[column])
  const split = splitOf(take(columns.split))
  const listed = take(columns.list)
  const [query, positives] = Array.isArray(listed)
    ? [listed[0], listed.slice(1, 2)]
    : [take(columns.query), take(columns.positive)]
  const scoreColumn = scoreColumnOf(columns)
  const firstText = textsOf(query)[0]
  const positive = textsOf(positives)
  if (firstText === undefined && columns.query === null && !Array.isArray(listed)) {
    const text = textsOf(take(columns.text))[0]
    if (text !== undefined) return [partOf(line, { form: 'text', text }, split)]
  }
  if (firstText === undefined || positive.length === 0) {
    const missing = firstText === undefined ? 'query (or anchor)' : 'positive'
    return [
      {
        problem: problemAt(
          line,
          'column-missing',
          `The line has no text for ${missing}; its columns are ${Object.keys(values).join(', ')}.`,
          'A line needs query and positive, and may have negative, negatives or negative_1 …; or text alone.',
        ),
      },
    ]
  }
  if (scoreColumn !== null)
    return [scoredPart(line, firstText, positive[0]!, values[scoreColumn], scoreColumn, scale, split)]
  const negatives = Array.isArray(listed)
    ? textsOf(listed.slice(2))
    : columns.negatives.flatMap((column) => textsOf(values[column]))
  const source = take(columns.source)
  return positive.map((one, at) =>
    partOf(
      line,
      {
        form: 'triple',
        query: firstText,
        positive: one,
        negatives,
        source: typeof source === 'string' ? source : null,
      },
      split,
      at,
    ),
  )
}

/** As sentence-transformers reads rows without names: query, positive, negatives. */
function partsOfList(line: number, list: readonly unknown[]): readonly NewPart[] {
  const texts = textsOf(list)
  if (texts.length < list.length || texts.length < 2)
    return [
      {
        problem: problemAt(
          line,
          'list-not-texts',
          'The list does not hold two or more texts alone.',
          'A list is query, positive and negatives; a score needs names: {"sentence1": …, "sentence2": …, "score": …}.',
        ),
      },
    ]
  return [
    partOf(
      line,
      { form: 'triple', query: texts[0]!, positive: texts[1]!, negatives: texts.slice(2), source: null },
      null,
    ),
  ]
}

/** A row that has a column for a score is never a pair of like texts without one. */
function scoredPart(
  line: number,
  first: string,
  second: string,
  value: unknown,
  column: string,
  { low, high }: ScoreScale,
  split: SplitName | null,
): NewPart {
  const score = readScore(value)
  if (score === null)
    return {
      problem: problemAt(
        line,
        'not-a-number',
        `The ${column} is ${typeof value === 'string' ? `"${value.slice(0, 40)}"` : String(value)}, no finite number.`,
        'Give every row a score, or leave the column out.',
      ),
    }
  if (score < low || score > high)
    return {
      problem: problemAt(
        line,
        'score-outside',
        `The ${column} ${score} is outside of its scale, ${low} to ${high}.`,
        'Say with --scale between which numbers the scores run.',
      ),
    }
  return partOf(line, { form: 'scored-pair', first, second, score: (score - low) / (high - low) }, split)
}

function partOf(line: number, data: ContrastData, split: SplitName | null, at = 0): NewPart {
  const parsed = contrastData.safeParse(data)
  if (!parsed.success)
    return {
      problem: problemAt(
        line,
        'text-empty',
        'A text of the line is empty.',
        'Every text needs at least one character.',
      ),
    }
  const title = data.form === 'triple' ? data.query : data.form === 'text' ? data.text : data.first
  return {
    item: {
      pairId: at === 0 ? `line-${line}` : `line-${line}.${at + 1}`,
      line,
      group: title,
      title: title.slice(0, 200),
      split,
      data: parsed.data,
    },
  }
}

/** A text, or those of a list, that are not blank. */
function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter(
    (one): one is string => typeof one === 'string' && one.trim() !== '',
  )
}

function splitOf(value: unknown): SplitName | null {
  const name = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (name === 'train' || name === 'test' || name === 'validation') return name
  if (name === 'trial') return 'validation' // SICK
  return name === 'dev' || name === 'val' || name === 'valid' ? 'validation' : null
}
