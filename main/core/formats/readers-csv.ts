import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import { MAX_RECORD_BYTES, tooLong, type RawRecord, type Scanner } from '../../base/files/lines.ts'

const QUOTE = 0x22
const NEWLINE = 0x0a
const RETURN = 0x0d

/** How a table's text is cut into cells. */
export interface CsvDialect {
  readonly delimiter: ',' | '\t' | ';'
  /** False where a `"` is a letter (MS MARCO's and STS-B's TSV). */
  readonly quoted: boolean
}

/** At how many quotes that never close a file is given up; each costs one more pass over what it swallowed. */
const MAX_REOPENED = 16

/**
 * Cuts CSV or TSV into records (RFC 4180, and lone CR as a line end). A quote counts only at the start of a cell, so
 * that `5" pipe` stays text. A quote that is never closed would swallow the rest of the file: its first line is then
 * reported and the rest is read again.
 */
export function createCsvScanner(dialect: CsvDialect, maxBytes = MAX_RECORD_BYTES): Scanner {
  const delimiter = dialect.delimiter.charCodeAt(0)
  let line = 1
  let startLine = 1
  let inQuotes = false
  let cellStart = true
  let closing = false
  let swallowNewline = false
  let pending: Buffer[] = []
  let pendingBytes = 0
  let overflow = false
  let reopened = 0

  function finish(bytes: Buffer, records: RawRecord[]): void {
    keep(bytes)
    const whole = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending)
    if (overflow) records.push(tooLong(startLine, maxBytes))
    else if (whole.some((byte) => byte !== 0x20 && byte !== 0x09))
      records.push({ line: startLine, bytes: whole, problem: null })
    reset()
  }

  function reset(): void {
    pending = []
    pendingBytes = 0
    overflow = false
    inQuotes = false
    closing = false
    cellStart = true
    startLine = line
  }

  function keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    pendingBytes += bytes.length
    if (pendingBytes > maxBytes && !inQuotes) {
      overflow = true
      pending = []
    } else if (!overflow) pending.push(bytes)
  }

  /** Reports the line whose quote never closes and reads on after it. */
  function reopen(records: RawRecord[]): void {
    const swallowed = Buffer.concat(pending)
    const problem: RowProblem = {
      line: startLine,
      severity: 'error',
      code: 'csv-quote-open',
      reason: 'A quote opened in this row is never closed.',
      hint: 'Close the quote, or double the quotes that belong to the text.',
    }
    records.push({ line: startLine, bytes: null, problem })
    const cut = swallowed.indexOf(NEWLINE)
    line = startLine + 1
    reset()
    reopened += 1
    if (cut !== -1 && reopened <= MAX_REOPENED) scan(swallowed.subarray(cut + 1), records)
  }

  function scan(chunk: Buffer, records: RawRecord[]): void {
    let start = 0
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]
      if (swallowNewline) {
        swallowNewline = false
        if (byte === NEWLINE) {
          start = at + 1
          continue
        }
      }
      if (inQuotes) {
        if (byte === NEWLINE) line += 1
        if (closing) {
          closing = false
          // Two quotes are one; anything else ends the quoted part of the cell.
          if (byte === QUOTE) continue
          inQuotes = false
          if (byte === NEWLINE) line -= 1 // counted again below
        } else {
          if (byte === QUOTE) closing = true
          continue
        }
      }
      if (byte === NEWLINE || byte === RETURN) {
        line += 1
        swallowNewline = byte === RETURN
        finish(chunk.subarray(start, at), records)
        start = at + 1
      } else if (byte === delimiter) cellStart = true
      else {
        if (byte === QUOTE && cellStart && dialect.quoted) inQuotes = true
        cellStart = false
      }
    }
    keep(Buffer.from(chunk.subarray(start)))
  }

  return {
    push(chunk) {
      const records: RawRecord[] = []
      scan(chunk, records)
      if (pendingBytes > maxBytes && inQuotes) reopen(records)
      return records
    },
    end() {
      const records: RawRecord[] = []
      while (inQuotes && !closing && pendingBytes > 0) reopen(records)
      if (pendingBytes > 0) finish(Buffer.alloc(0), records)
      return records
    },
  }
}

/** The cells of one record. */
export function splitCells(text: string, dialect: CsvDialect): string[] {
  if (!dialect.quoted || !text.includes('"')) return text.split(dialect.delimiter)
  const cells: string[] = []
  let at = 0
  for (;;) {
    let cell = ''
    if (text[at] === '"') {
      at += 1
      for (;;) {
        const quote = text.indexOf('"', at)
        if (quote === -1) {
          cell += text.slice(at)
          at = text.length
          break
        }
        cell += text.slice(at, quote)
        at = quote + 1
        if (text[at] !== '"') break
        cell += '"'
        at += 1
      }
    }
    const next = text.indexOf(dialect.delimiter, at)
    cell += text.slice(at, next === -1 ? undefined : next)
    cells.push(cell)
    if (next === -1) return cells
    at = next + 1
  }
}

/** Column names of the header: empty ones are numbered, repeated ones told apart. */
export function headerNames(cells: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return cells.map((cell, index) => {
    const name = cell.trim() === '' ? `column ${index + 1}` : cell.trim()
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name} (${count})`
  })
}

/**
 * Finds delimiter and quoting from the head of the file. Tabs win where the first line has any. A TSV is read as
 * quoted only if that makes its rows as wide as the header while plain splitting does not.
 */
export function guessDialect(head: Buffer, isTsv: boolean): CsvDialect {
  const firstLine = head.toString('utf8', 0, lineEnd(head, 0))
  if (!isTsv) return { delimiter: count(firstLine, ';') > count(firstLine, ',') ? ';' : ',', quoted: true }
  const plain = widthsAgree(head, { delimiter: '\t', quoted: false })
  return { delimiter: '\t', quoted: !plain && widthsAgree(head, { delimiter: '\t', quoted: true }) }
}

function lineEnd(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from)
  return end === -1 ? bytes.length : end
}

function widthsAgree(head: Buffer, dialect: CsvDialect): boolean {
  const records = createCsvScanner(dialect).push(head)
  const widths = records.map((record) =>
    record.bytes === null ? 0 : splitCells(record.bytes.toString('utf8'), dialect).length,
  )
  return widths.every((width) => width === widths[0])
}

/** Outside quotes: a header may quote a name that holds a comma. */
function count(line: string, sign: string): number {
  let quoted = false
  let found = 0
  for (const char of line) {
    if (char === '"') quoted = !quoted
    else if (char === sign && !quoted) found += 1
  }
  return found
}
