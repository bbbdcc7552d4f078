import type { RowProblem } from '../../../shared/contract/import-mapping.ts'

/** A record longer than this is reported and left out: one broken file must not take the app's memory. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024

/** One record as bytes, or the reason why there is none. */
export type RawRecord =
  | { readonly line: number; readonly bytes: Buffer; readonly problem: null }
  | { readonly line: number; readonly bytes: null; readonly problem: RowProblem }

/**
 * Cuts a stream of chunks into records, whatever the boundaries of the chunks. The memory of a chunk is used again, so
 * records must be read before the next `push`, and what a scanner keeps it copies.
 */
export interface Scanner {
  push(chunk: Buffer): RawRecord[]
  end(): RawRecord[]
}

export function tooLong(line: number, maxBytes: number): RawRecord {
  const size = maxBytes >= 1024 * 1024 ? `${Math.floor(maxBytes / 1024 / 1024)} MiB` : `${maxBytes} bytes`
  return {
    line,
    bytes: null,
    problem: {
      line,
      severity: 'error',
      code: 'row-too-long',
      reason: `The row is longer than ${size}.`,
      hint: 'Check whether a line break or a closing quote is missing near this row.',
    },
  }
}

const NEWLINE = 0x0a
const RETURN = 0x0d

/** Lines ending in LF or CRLF; the last one may end without. Blank lines are counted, not returned. */
export function createLineScanner(maxBytes = MAX_RECORD_BYTES): Scanner {
  let line = 1
  let pending: Buffer[] = []
  let pendingBytes = 0
  let overflow = false

  function take(rest: Buffer): RawRecord | null {
    const number = line
    line += 1
    const long = overflow || pendingBytes + rest.length > maxBytes
    const bytes = long ? null : pending.length === 0 ? rest : Buffer.concat([...pending, rest])
    pending = []
    pendingBytes = 0
    overflow = false
    if (bytes === null) return tooLong(number, maxBytes)
    const trimmed = bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes
    return isBlank(trimmed) ? null : { line: number, bytes: trimmed, problem: null }
  }

  return {
    push(chunk) {
      const records: RawRecord[] = []
      let start = 0
      for (let at = chunk.indexOf(NEWLINE, start); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
        const record = take(chunk.subarray(start, at))
        if (record !== null) records.push(record)
        start = at + 1
      }
      const rest = chunk.subarray(start)
      pendingBytes += rest.length
      if (pendingBytes > maxBytes) {
        overflow = true
        pending = []
      } else if (rest.length > 0) pending.push(Buffer.from(rest))
      return records
    },
    end() {
      if (pendingBytes === 0) return []
      const record = take(Buffer.alloc(0))
      return record === null ? [] : [record]
    },
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== RETURN) return false
  return true
}
