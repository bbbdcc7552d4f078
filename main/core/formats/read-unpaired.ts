// Answers that stand alone: TRL's unpaired preferences, {"prompt": …, "completion": …, "label": true}, as JSONL, JSON, CSV or TSV.
import { AppError } from '../../../shared/errors.ts'
import { readTextHead } from './text-of.ts'
import { createIdSet } from './import-ids.ts'
import type { NewPart } from './parsed-rows.ts'
import { openRows, type FileFormat } from './readers.ts'
import { SNIFF_BYTES, sniffFormat } from './sniff.ts'
import { readSplitName } from './source-split.ts'
import { findUnpairedColumns, mayJudge, type UnpairedColumns } from './unpaired-columns.ts'
import { surveyUnpaired, type UnpairedSurvey } from './unpaired-labels.ts'
import { partsOf } from './unpaired-rows.ts'

/**
 * Items and problems of a file, in its order.
 * @throws AppError when the file cannot be read, has no such columns, or labels that are neither good nor bad
 */
export async function* readUnpaired(path: string): AsyncGenerator<NewPart> {
  const head = await readTextHead(path, SNIFF_BYTES)
  const format = sniffFormat(head, head.length < SNIFF_BYTES, path)
  const columns = await surveyFile(path, format)
  const ids = createIdSet()
  const source = await openRows(path, { format })
  for await (const rows of source.batches())
    for (const { line, values, problem } of rows) {
      if (problem === null) yield* partsOf(line, values, columns, ids)
      else yield { problem }
    }
}

/** Once through the file: names that only later rows have count too, and no label is believed before all were seen. */
async function surveyFile(path: string, format: FileFormat): Promise<UnpairedColumns> {
  const names = new Set<string>()
  const surveys = new Map<string, UnpairedSurvey>()
  const sides = new Set<string>()
  const source = await openRows(path, { format })
  for await (const rows of source.batches())
    for (const { values } of rows) {
      if (values === null) continue
      for (const name of Object.keys(values)) {
        if (!names.has(name) && mayJudge(name)) surveys.set(name, surveyUnpaired())
        names.add(name)
      }
      for (const [column, survey] of surveys) survey.add(values[column])
      const side = readSplitName(values['split'])
      if (side !== null) sides.add(side)
    }
  const columns = findUnpairedColumns([...names])
  if (columns === null)
    throw new AppError({
      code: 'input-invalid',
      message: `${path} has no columns for a prompt and an answer to it; it has ${[...names].slice(0, 20).join(', ') || 'none'}.`,
      hint: 'A row needs prompt and completion (or response, answer, output), and may have label: true or false.',
    })
  for (const { column } of columns.labels) surveys.get(column)?.finish(path, column)
  // A source that names one side alone holds nothing out: the sides are drawn.
  return sides.size < 2 ? { ...columns, split: null } : columns
}
