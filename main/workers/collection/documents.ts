// The documents of a collection where they lie in the file: their ids and places in memory, their texts on the disk.
import { open, type FileHandle } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { extraRecord } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { rankingDocument, type RankingDocument } from '../../../shared/rankings.ts'

export interface Documents {
  /** [document] */
  readonly ids: readonly string[]
  readonly numberOf: ReadonlyMap<string, number>
  /** @throws AppError `dataset-invalid` where the file no longer holds it there */
  read(document: number): Promise<RankingDocument>
  /** Every document in order. @param tell bytes so far and in all */
  each(tell: (done: number, total: number) => void): AsyncGenerator<RankingDocument>
}

const READ_BYTES = 1024 * 1024
const NEWLINE = 10

/** @param tell bytes so far and in all   @throws AppError `dataset-invalid` */
export async function openDocuments(
  path: string,
  start: number,
  tell: (done: number, total: number) => void,
): Promise<Documents> {
  const file = await open(path)
  const ids: string[] = []
  const numberOf = new Map<string, number>()
  const offsets: number[] = []
  const lengths: number[] = []
  for await (const { line, offset } of linesOf(file, start, tell)) {
    const docId = idOf(line)
    if (docId === null) continue // another kind of line
    numberOf.set(docId, ids.length)
    ids.push(docId)
    offsets.push(offset)
    lengths.push(line.length)
  }
  return {
    ids,
    numberOf,
    async read(document) {
      const bytes = Buffer.allocUnsafe(lengths[document] ?? 0)
      await file.read(bytes, 0, bytes.length, offsets[document] ?? 0)
      const found = parseDocument(bytes)
      if (found === null) throw changedFile(path)
      return found
    },
    async *each(tellEach) {
      for await (const { line } of linesOf(file, start, tellEach)) {
        if (idOf(line) === null) continue
        const document = parseDocument(line)
        if (document === null) throw changedFile(path)
        yield document
      }
    },
  }
}

function changedFile(path: string): AppError {
  return new AppError({
    code: 'dataset-invalid',
    message: `${path} does not hold a document where it was written.`,
    hint: 'The file was changed after it was written. Put a copy back, or import it again.',
  })
}

/** Lines as bytes, which are used again: read each before the next. */
async function* linesOf(
  file: FileHandle,
  start: number,
  tell: (done: number, total: number) => void,
): AsyncGenerator<{ readonly line: Buffer; readonly offset: number }> {
  const { size } = await file.stat()
  const total = Math.max(0, size - start)
  let rest = Buffer.alloc(0)
  for (let position = start; position < size;) {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, size - position))
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
    if (bytesRead === 0) break
    const whole =
      rest.length === 0 ? buffer.subarray(0, bytesRead) : Buffer.concat([rest, buffer.subarray(0, bytesRead)])
    const first = position - rest.length
    position += bytesRead
    let from = 0
    for (let end = whole.indexOf(NEWLINE); end >= 0; end = whole.indexOf(NEWLINE, from)) {
      yield { line: whole.subarray(from, end), offset: first + from }
      from = end + 1
    }
    rest = whole.subarray(from)
    tell(position - start, total)
    await nextTurn() // other questions are answered meanwhile
  }
  if (rest.length > 0) yield { line: rest, offset: size - rest.length }
}

/** As Pairlab writes it; what else begins like it is parsed. */
const BEGINNING = Buffer.from('{"extra":"document","data":{"docId":"')
const QUOTE = 34
const BACKSLASH = 92

function idOf(line: Buffer): string | null {
  if (line.subarray(0, BEGINNING.length).equals(BEGINNING)) {
    let end = BEGINNING.length
    while (end < line.length && line[end] !== QUOTE) end += line[end] === BACKSLASH ? 2 : 1
    try {
      return JSON.parse(line.toString('utf8', BEGINNING.length - 1, end + 1)) as string // between its quotes
    } catch {
      return null
    }
  }
  return parseDocument(line)?.docId ?? null
}

function parseDocument(line: Buffer): RankingDocument | null {
  try {
    const extra = extraRecord.safeParse(JSON.parse(line.toString('utf8')))
    const document =
      extra.success && extra.data.extra === 'document' ? rankingDocument.safeParse(extra.data.data) : null
    return document?.success === true ? document.data : null
  } catch {
    return null
  }
}
