import type { RowProblem } from '../../../shared/contract/import-mapping.ts'
import { MAX_RECORD_BYTES, tooLong, type RawRecord, type Scanner } from '../../base/files/lines.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const NEWLINE = 0x0a

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09
}

type Place = 'start' | 'between' | 'element' | 'after' | 'ended'

/**
 * Elements of a top-level JSON array, or values written one after the other (pretty-printed objects), cut out by
 * following only strings and brackets; what stands inside is left to JSON.parse. `line` of a record is the number
 * of the element, from 1; problems name the line of the file too, because that is where an editor can go.
 */
export function createJsonScanner(maxBytes = MAX_RECORD_BYTES): Scanner {
  let place: Place = 'start'
  let isArray = false
  let element = 0
  let fileLine = 1
  let elementLine = 1
  let depth = 0
  let inString = false
  let escaped = false
  let pending: Buffer[] = []
  let pendingBytes = 0
  let overflow = false

  function problem(code: string, reason: string, hint: string): RawRecord {
    const line = Math.max(1, element)
    return { line, bytes: null, problem: { line, severity: 'error', code, reason, hint } satisfies RowProblem }
  }

  function keep(bytes: Buffer): void {
    pendingBytes += bytes.length
    if (pendingBytes > maxBytes) {
      overflow = true
      pending = []
    } else if (bytes.length > 0) pending.push(bytes)
  }

  function finish(bytes: Buffer, records: RawRecord[]): void {
    keep(bytes)
    if (overflow) records.push(tooLong(element, maxBytes))
    else
      records.push({
        line: element,
        bytes: pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending),
        problem: null,
      })
    pending = []
    pendingBytes = 0
    overflow = false
    place = 'between'
  }

  /** Moves over the bytes of an element; returns the index after its last byte, or -1 if the chunk ends first. */
  function elementEnd(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at]
      if (byte === NEWLINE) fileLine += 1
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
        continue
      }
      if (byte === QUOTE) inString = true
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        // After a bare value it closes the array; alone it is an element of its own, and a broken one.
        if (depth === 0) return at === from && pendingBytes === 0 ? at + 1 : at
        depth -= 1
        if (depth === 0) return at + 1
      } else if (
        depth === 0 &&
        !(at === from && pendingBytes === 0) &&
        (byte === COMMA || (byte !== undefined && isSpace(byte)))
      ) {
        if (byte === NEWLINE) fileLine -= 1 // the caller counts it again
        return at
      }
    }
    return -1
  }

  function push(chunk: Buffer): RawRecord[] {
    const records: RawRecord[] = []
    let at = 0
    while (at < chunk.length && place !== 'ended') {
      if (place === 'element') {
        const end = elementEnd(chunk, at)
        if (end === -1) {
          keep(Buffer.from(chunk.subarray(at)))
          return records
        }
        finish(chunk.subarray(at, end), records)
        at = end
        continue
      }
      const byte = chunk[at] ?? 0
      if (byte === NEWLINE) fileLine += 1
      if (isSpace(byte) || (byte === COMMA && place === 'between')) at += 1
      else if (place === 'start' && byte === OPEN_LIST) {
        isArray = true
        place = 'between'
        at += 1
      } else if (place === 'between' && isArray && byte === CLOSE_LIST) {
        place = 'after'
        at += 1
      } else if (place === 'after') {
        records.push(
          problem(
            'json-after-end',
            `Line ${fileLine} has text after the end of the array; it was not read.`,
            'Check whether two files were joined; keep one array per file, or use JSONL.',
          ),
        )
        place = 'ended' // said once
      } else {
        place = 'element'
        element += 1
        elementLine = fileLine
        depth = 0
        inString = false
        escaped = false
      }
    }
    return records
  }

  return {
    push,
    end() {
      const records: RawRecord[] = []
      if (place === 'element' && depth === 0 && !inString && !isArray) finish(Buffer.alloc(0), records)
      else if (place === 'element')
        records.push(
          problem(
            'json-cut-off',
            `The file ends inside element ${element}, which began on line ${elementLine}.`,
            'The file was cut off, or a quote or bracket is missing in this element.',
          ),
        )
      else if (place === 'between' && isArray)
        records.push(
          problem(
            'json-cut-off',
            `The file ends after element ${element} without the closing bracket.`,
            'The file was probably cut off; check whether it is complete.',
          ),
        )
      return records
    },
  }
}
