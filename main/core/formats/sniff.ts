import { AppError } from '../../../shared/errors.ts'
import { splitCells } from './readers-csv.ts'
import type { FileFormat } from './readers.ts'

/** Enough for the first rows of any real file; a longer first row is taken for JSONL. */
export const SNIFF_BYTES = 1024 * 1024

/**
 * Tells the format by what the file holds, never by its name: OpenAI's `.json` is JSONL, STS-B's `.csv` has tabs.
 * @param head first bytes, decompressed, without byte order mark
 * @param whole true if the head is all there is
 * @throws AppError format-unknown
 */
export function sniffFormat(head: Buffer, whole: boolean, path: string): FileFormat {
  const text = head.toString('utf8').trimStart()
  if (text === '')
    throw new AppError({
      code: 'dataset-invalid',
      message: whole ? `${path} is empty.` : `${path} begins with ${SNIFF_BYTES} blanks.`,
      hint: 'Choose a file with at least one row.',
    })
  if (text.startsWith('[')) return isJsonLine(firstLine(text)) && !isArrayOfObjects(text) ? 'jsonl' : 'json'
  if (text.startsWith('{')) return sniffObjects(text, whole)
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '')
  const header = lines[0] ?? ''
  if (header.includes('\t')) return 'tsv'
  if (
    splitCells(header, { delimiter: ',', quoted: true }).length > 1 ||
    splitCells(header, { delimiter: ';', quoted: true }).length > 1
  )
    return 'csv'
  throw new AppError({
    code: 'format-unknown',
    message: `${path} is neither JSON nor a table: its first line is "${header.slice(0, 60)}".`,
    hint: 'Preference pairs are read from JSONL, JSON, CSV, TSV or Parquet with a header line, optionally compressed with gzip.',
  })
}

function firstLine(text: string): string {
  const end = text.indexOf('\n')
  return end === -1 ? text : text.slice(0, end)
}

/** One broken row must not turn a JSONL file into something else: any line that stands on its own decides. */
function sniffObjects(text: string, whole: boolean): FileFormat {
  const end = text.indexOf('\n')
  if (end === -1 && !whole) return 'jsonl'
  const lines = text.split('\n', 50).filter((line) => line.trim() !== '')
  return lines.some((line) => line.startsWith('{') && isJsonLine(line)) || lines.every((line) => line.startsWith('{'))
    ? 'jsonl'
    : 'json'
}

function isJsonLine(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** `[{…` is an array of rows even when it stands on one line; `[1, 2]` a line is ColBERT's triples. */
function isArrayOfObjects(text: string): boolean {
  return /^\[\s*(\{|\]|$)/.test(text)
}
