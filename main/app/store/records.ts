// The records of a data set as they lie in its file, read where the index says.
import { closeSync, openSync, readSync } from 'node:fs'
import type { z } from 'zod'
import {
  itemRecord,
  responsePair,
  unpairedData,
  type ItemRecord,
  type ResponsePair,
} from '../../../shared/data-kinds.ts'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { invariant } from '../../../shared/assert.ts'
import type { ItemEntry } from '../../core/formats/item-entry.ts'
import { recordsPath } from './datasets-folder.ts'

/** Reads records by position: one open file, one read a record. Close it. */
export interface RecordReader {
  read(item: Pick<ItemEntry, 'byteOffset' | 'byteLength' | 'index'>): ResponsePair
  /** The line as it stands. */
  readLine(item: Pick<ItemEntry, 'byteOffset' | 'byteLength' | 'index'>): string
  close(): void
}

/** @throws AppError `file-not-found`; its `read` throws `dataset-invalid` where the file no longer holds the record. */
export function openRecords(dataFolder: string, datasetId: string): RecordReader {
  const file = recordsPath(dataFolder, datasetId)
  const handle = openForReading(file)
  // One buffer for all: a new one for each of a million records costs the collector a tenth of a second at a time.
  let bytes = Buffer.allocUnsafe(16 * 1024)
  function readLine({ byteOffset, byteLength }: Pick<ItemEntry, 'byteOffset' | 'byteLength'>): string {
    if (byteLength > bytes.length) bytes = Buffer.allocUnsafe(byteLength)
    let filled = 0
    while (filled < byteLength) {
      const count = readSync(handle, bytes, filled, byteLength - filled, byteOffset + filled)
      if (count === 0) break
      filled += count
    }
    return bytes.toString('utf8', 0, filled)
  }
  return {
    readLine,
    read(pair) {
      const record = parseRecord(readLine(pair))
      if (typeof record !== 'string' && record.index === pair.index) return record
      throw new AppError({
        code: 'dataset-invalid',
        message: `${file} does not hold pair ${pair.index} where it was written${typeof record === 'string' ? `: ${record}` : ''}.`,
        hint: 'The file was changed after the import. Put a copy back, or import the source file again.',
      })
    },
    close() {
      closeSync(handle)
    },
  }
}

function openForReading(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    throw new AppError({
      code: 'file-not-found',
      message: `${file} is missing.`,
      hint: 'Put a copy back, or import the source file again.',
      cause: error,
    })
  }
}

/** A line of records.jsonl, or what is wrong with it. */
export function parseRecord(line: string): ResponsePair | string {
  return parseLine(line, responsePair)
}

/** The same of a data set of another kind. */
export function parseItem(line: string): ItemRecord | string {
  return parseLine(line, itemRecord)
}

function parseLine<T>(line: string, schema: z.ZodType<T>): T | string {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    invariant(error instanceof SyntaxError, 'JSON.parse throws SyntaxError only')
    return error.message
  }
  const parsed = schema.safeParse(value)
  return parsed.success ? parsed.data : describeIssues(parsed.error)
}

/** An answer that stands alone, as stored, with where it lies. @throws AppError `dataset-invalid` */
export function readUnpaired(records: RecordReader, entry: ItemEntry): UnpairedRecord {
  const item = parseUnpaired(records.readLine(entry))
  if (typeof item !== 'string' && item.index === entry.index) return item
  throw new AppError({
    code: 'dataset-invalid',
    message: `Answer ${entry.index + 1} of this data set cannot be read${typeof item === 'string' ? `: ${item}` : ''}.`,
    hint: 'The file was changed after the import. Put a copy back, or import the source file again.',
  })
}

/** A line that holds such an answer, or what is wrong with it. */
export function parseUnpaired(line: string): UnpairedRecord | string {
  return parseLine(line, unpairedRecord)
}

const unpairedRecord = itemRecord.extend({ data: unpairedData })
type UnpairedRecord = z.infer<typeof unpairedRecord>

/** One record, for a single look. Several at once go through `openRecords`. */
export function readRecord(
  dataFolder: string,
  datasetId: string,
  pair: Pick<ItemEntry, 'byteOffset' | 'byteLength' | 'index'>,
): ResponsePair {
  const reader = openRecords(dataFolder, datasetId)
  try {
    return reader.read(pair)
  } finally {
    reader.close()
  }
}
