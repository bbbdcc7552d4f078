import { closeSync, fsyncSync, ftruncateSync, fstatSync, openSync, readSync } from 'node:fs'
import { trainerEvent, type TrainerEvent } from './protocol.ts'
import { diskError } from './run-file.ts'
import { isErrno } from '../files/system-error.ts'
import { runPaths } from './paths.ts'
import { writeFully } from '../files/durable.ts'

/** What an event is before the log gives it a number and a time. */
export type EventBody = TrainerEvent extends infer E
  ? E extends TrainerEvent
    ? Omit<E, 'seq' | 'atMs'>
    : never
  : never

export interface EventLog {
  /** One line, one write. `durable` waits until it is on the disk. Returns the event's number. */
  append(body: EventBody, durable?: boolean): number
  sync(): void
  readonly lastSeq: number
  close(): void
}

const NEWLINE = 10
const READ_BYTES = 1024 * 1024

/**
 * Opens the log for its one writer. A half line that an earlier process left at the end is cut off, because the
 * next line would otherwise run into it; numbering goes on after the last whole event.
 */
export function openEventLog(folder: string): EventLog {
  const file = runPaths(folder).events
  const descriptor = openSync(file, 'a+')
  let size = fstatSync(descriptor).size
  const whole = endOfLastLine(descriptor, size)
  if (whole < size) {
    ftruncateSync(descriptor, whole)
    size = whole
  }
  let lastSeq = lastNumber(file)
  return {
    append(body, durable = false) {
      const seq = lastSeq + 1
      const line = Buffer.from(`${JSON.stringify({ seq, atMs: Date.now(), ...body })}\n`)
      try {
        writeFully(descriptor, line)
      } catch (error) {
        ftruncateSync(descriptor, size) // a full disk may have taken half of the line
        throw diskError(error, file)
      }
      size += line.length
      lastSeq = seq
      if (durable) fsyncSync(descriptor)
      return seq
    },
    sync: () => fsyncSync(descriptor),
    get lastSeq() {
      return lastSeq
    },
    close: () => closeSync(descriptor),
  }
}

/** Bytes up to and with the last newline before `end`. */
function endOfLastLine(descriptor: number, end: number): number {
  const buffer = Buffer.alloc(Math.min(READ_BYTES, Math.max(end, 1)))
  for (let upTo = end; upTo > 0;) {
    const from = Math.max(0, upTo - buffer.length)
    const read = readSync(descriptor, buffer, 0, upTo - from, from)
    const found = buffer.subarray(0, read).lastIndexOf(NEWLINE)
    if (found >= 0) return from + found + 1
    upTo = from
  }
  return 0
}

function lastNumber(file: string): number {
  let last = 0
  for (let offset = 0; ;) {
    const batch = readEvents(file, offset)
    for (const event of batch.events) last = Math.max(last, event.seq)
    if (batch.offset === offset) return last
    offset = batch.offset
  }
}

export interface EventBatch {
  readonly events: readonly TrainerEvent[]
  /** Where to read on: always the start of a line. */
  readonly offset: number
  /** Whole lines that are no events: a damaged disk, or a version that knows more. */
  readonly damagedLines: number
}

/**
 * The whole lines after `offset`, about a megabyte of them at most; an unchanged offset means there are none now.
 * A half line at the end is left for the next call: its writer may not have finished.
 */
export function readEvents(file: string, offset: number, maxBytes = READ_BYTES): EventBatch {
  const bytes = readWholeLines(file, offset, maxBytes)
  const events: TrainerEvent[] = []
  let damagedLines = 0
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start)
    const event = parseLine(bytes.toString('utf8', start, end))
    if (event === null) damagedLines += 1
    else events.push(event)
    start = end + 1
  }
  return { events, offset: offset + bytes.length, damagedLines }
}

/** Used again by every reading: a new megabyte for each costs the collector more than the parsing. */
let window: Buffer | null = null

function windowOf(length: number): Buffer {
  if (length > READ_BYTES) return Buffer.allocUnsafe(length)
  window ??= Buffer.allocUnsafe(READ_BYTES)
  return window
}

/** Grows the window until it holds a newline: one line may be longer than `maxBytes`. @returns bytes that hold until the next call */
function readWholeLines(file: string, offset: number, maxBytes: number): Buffer {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return Buffer.alloc(0)
    throw error
  }
  try {
    const available = fstatSync(descriptor).size - offset
    for (let length = Math.min(maxBytes, available); length > 0; length = Math.min(length * 4, available)) {
      const buffer = windowOf(length)
      const read = readSync(descriptor, buffer, 0, length, offset)
      const end = buffer.subarray(0, read).lastIndexOf(NEWLINE)
      if (end >= 0) return buffer.subarray(0, end + 1)
      if (length === available) break
    }
    return Buffer.alloc(0)
  } finally {
    closeSync(descriptor)
  }
}

function parseLine(line: string): TrainerEvent | null {
  let raw: unknown
  try {
    raw = JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  const parsed = trainerEvent.safeParse(raw)
  return parsed.success ? parsed.data : null
}
