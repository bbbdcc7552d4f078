// A row of a file of single answers as an item of a data set, or as a preview.
import type { Inspection, RowProblem } from '../../../shared/contract/import-mapping.ts'
import { toText, type Content, type UnpairedData } from '../../../shared/data-kinds.ts'
import type { IdSet } from './import-ids.ts'
import { titleOf } from './item-entry.ts'
import { isEmptyContent, readContent } from './layouts-content.ts'
import { FILE_ANNOTATOR, type NewItem, type NewPart } from './parsed-rows.ts'
import type { RowValues, SourceRow } from './readers.ts'
import { readSplitName } from './source-split.ts'
import { findUnpairedColumns, type UnpairedColumns } from './unpaired-columns.ts'
import { readUnpairedLabel } from './unpaired-labels.ts'

/** What an export says of the labels in sum: true of them then, not of what people say later. */
const SUMMARIES = ['good_share', 'label_count']

const JUDGED = { a: 'good', b: 'bad', skip: 'skipped' } as const

/** How the head of a file would be read; null where its columns hold no single answers. Labels were not surveyed yet. */
export function previewUnpaired(rows: readonly SourceRow[], names: readonly string[]): Inspection['unpaired'] {
  const columns = findUnpairedColumns(names)
  if (columns === null) return null
  return {
    prompt: columns.prompt,
    completion: columns.completion,
    labels: columns.labels.map(({ column }) => column),
    rows: rows.flatMap(({ line, values }) => {
      const texts = values === null ? null : readTexts(line, values, columns)
      if (values === null || texts === null || 'problems' in texts) return []
      const outcome = columns.labels.map(({ column }) => readUnpairedLabel(values[column])).find((one) => one !== null)
      return [{ line, ...texts, judged: outcome == null ? null : JUDGED[outcome] }]
    }),
  }
}

type Texts = { readonly prompt: Content; readonly completion: Content }

function readTexts(
  line: number,
  values: RowValues,
  columns: UnpairedColumns,
): Texts | { readonly problems: readonly RowProblem[] } {
  const problems: RowProblem[] = []
  const take = (column: string, noun: 'prompt' | 'answer'): Content | null => {
    const read = readContent(values[column], column, noun)
    if (read.problem !== null) problems.push({ line, severity: 'error', ...read.problem })
    return read.content
  }
  const [prompt, completion] = [take(columns.prompt, 'prompt'), take(columns.completion, 'answer')]
  if (prompt === null || completion === null) return { problems }
  // Turns before a plain answer: the answer becomes a turn, so that a conversation stays one.
  return {
    prompt,
    completion:
      typeof prompt !== 'string' && typeof completion === 'string'
        ? [{ role: 'assistant', content: completion }]
        : completion,
  }
}

/** The item of a row, or what is wrong with it. */
export function* partsOf(line: number, values: RowValues, columns: UnpairedColumns, ids: IdSet): Generator<NewPart> {
  const texts = readTexts(line, values, columns)
  if ('problems' in texts) {
    for (const problem of texts.problems) yield { problem }
    return
  }
  if (isEmptyContent(texts.completion))
    yield {
      problem: {
        line,
        severity: 'warning',
        code: 'answer-empty',
        reason: `${columns.completion} is empty.`,
        hint: 'The answer is kept; an empty one can be a real one.',
      },
    }
  yield { item: itemOf(line, values, columns, { ...texts, metadata: restOf(values, columns) }, ids) }
}

function itemOf(
  line: number,
  values: RowValues,
  { labels, id, annotator, split }: UnpairedColumns,
  data: UnpairedData,
  ids: IdSet,
): NewItem {
  const own = id === null ? null : values[id]
  const wanted =
    typeof own === 'string' && own.trim() !== '' ? own : typeof own === 'number' ? String(own) : `row-${line}`
  let pairId = wanted
  for (let copy = 2; !ids.add(pairId); copy += 1) pairId = `${wanted}.${copy}`
  const person = annotator === null ? null : values[annotator]
  const named = typeof person === 'string' && person.trim() !== '' ? person.trim() : FILE_ANNOTATOR
  return {
    pairId,
    line,
    group: toText(data.prompt),
    title: titleOf(data.prompt),
    split: split === null ? null : readSplitName(values[split]),
    labels: labels.flatMap(({ column, annotator: whose }) => {
      const outcome = readUnpairedLabel(values[column])
      return outcome === null ? [] : [{ annotator: whose ?? named, outcome, strength: null }]
    }),
    data,
  }
}

function restOf(
  values: RowValues,
  { prompt, completion, labels, id, annotator, split }: UnpairedColumns,
): UnpairedData['metadata'] {
  const used = new Set([prompt, completion, id, annotator, split, ...labels.map(({ column }) => column), ...SUMMARIES])
  return Object.fromEntries(Object.entries(values).filter(([name]) => !used.has(name))) as UnpairedData['metadata'] // parsed from JSON, so it is JSON
}
