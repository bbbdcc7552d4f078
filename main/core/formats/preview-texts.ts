// The head of a file of texts, as an import would read it.
import type { TextPreview } from '../../../shared/contract/imports.ts'
import { findColumns } from './contrast-columns.ts'
import { findContrastForm, type ContrastForm } from './contrast-form.ts'
import { partsOf, surveyScores, type ContrastOptions } from './contrast-reader.ts'
import { readContrastRows } from './contrast-rows.ts'
import { parseScale } from './contrast-scores.ts'

/** Rows whose scores are looked at for their scale: the import looks at all. */
const SURVEYED_ROWS = 50_000

/** @param limit rows   @throws AppError when the file cannot be read, or could be read in two ways */
export async function previewTexts(
  path: string,
  { as = null, scale = null }: ContrastOptions,
  limit: number,
): Promise<TextPreview> {
  const form = await findContrastForm(path, as)
  const known = scale === null ? await surveyScores(path, form, SURVEYED_ROWS) : parseScale(scale)
  const rows: TextPreview['rows'] = []
  const problems: TextPreview['problems'] = []
  let rowsRead = 0
  for await (const row of readContrastRows(path, form)) {
    rowsRead += 1
    for (const part of partsOf(row, known)) {
      if ('problem' in part) problems.push(part.problem)
      else if ('item' in part)
        rows.push({
          line: part.item.line,
          split: part.item.split,
          data: part.item.data as TextPreview['rows'][number]['data'], // the reader checked it
        })
    }
    if (rowsRead >= limit) break
  }
  const isScored = rows.some(({ data }) => data.form === 'scored-pair')
  return {
    kind: 'contrast-groups',
    form: form.kind,
    scale: isScored ? known : null,
    rowsRead,
    rows: rows.slice(0, limit),
    problems,
  }
}

/** Which columns say what the texts are, in words; null where none does. */
export function describeTextColumns(names: readonly string[]): string | null {
  const { query, positive, negatives, score, label, text, list } = findColumns(names)
  if (query !== null && positive !== null) return listed([query, positive, ...negatives.slice(0, 2), score ?? label])
  return list ?? text
}

function listed(names: readonly (string | null)[]): string {
  const known = names.filter((name) => name !== null)
  return known.length < 2 ? known.join('') : `${known.slice(0, -1).join(', ')} and ${known.at(-1)}`
}

export type TextForm = ContrastForm['kind']
