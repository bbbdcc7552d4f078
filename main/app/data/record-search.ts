import { statSync } from 'node:fs'
import type { Content, ItemRecord, ResponsePair, UnpairedData } from '../../../shared/data-kinds.ts'
import { AppError } from '../../../shared/errors.ts'
import { recordsPath } from '../store/datasets-folder.ts'
import { parseItem, parseRecord, parseUnpaired } from '../store/records.ts'
import { streamLines } from './export.ts'

/** Search in the records themselves. */
export interface RecordSearch {
  /**
   * Places of the pairs that hold the text, whatever its case, in order.
   * @throws AppError `cancelled` when a newer search of the same data set overtook this one
   */
  find(datasetId: string, text: string): Promise<readonly number[]>
}

/** @param textsOf what of a pair, or of an answer that stands alone, is searched */
export function createRecordSearch(
  dataFolder: string,
  textsOf: (record: SearchedRecord) => readonly string[],
): RecordSearch {
  return createLineSearch(dataFolder, (line) => {
    const record = parseSearched(line)
    return record === null ? null : { index: record.index, texts: textsOf(record) }
  })
}

/** The same of items of another kind. */
export function createItemSearch(dataFolder: string, textsOf: (item: ItemRecord) => readonly string[]): RecordSearch {
  return createLineSearch(dataFolder, (line) => {
    const item = parseItem(line)
    return typeof item === 'string' ? null : { index: item.index, texts: textsOf(item) }
  })
}

/** What is searched of a line, and which item it is; null for a line that is none. */
type LineReader = (line: string) => { readonly index: number; readonly texts: readonly string[] } | null

/** Records of one length are the same records, so what a search found stays found; only the last one of each data set is kept. */
function createLineSearch(dataFolder: string, readLine: LineReader): RecordSearch {
  const found = new Map<
    string,
    { readonly text: string; readonly sizeBytes: number; readonly indexes: readonly number[] }
  >()
  const searching = new Map<
    string,
    { readonly text: string; readonly abort: AbortController; readonly result: Promise<readonly number[]> }
  >()
  return {
    async find(datasetId, given) {
      const text = given.toLowerCase()
      const sizeBytes = statSync(recordsPath(dataFolder, datasetId), { throwIfNoEntry: false })?.size ?? 0
      const known = found.get(datasetId)
      if (known?.text === text && known.sizeBytes === sizeBytes) return known.indexes
      const current = searching.get(datasetId)
      if (current?.text === text) return current.result
      current?.abort.abort(
        new AppError({
          code: 'cancelled',
          message: 'Another search was started.',
          hint: 'Nothing to do; the newer one answers.',
        }),
      )
      const abort = new AbortController()
      const result = searchFile(recordsPath(dataFolder, datasetId), text, readLine, abort.signal)
      searching.set(datasetId, { text, abort, result })
      try {
        const indexes = await result
        found.set(datasetId, { text, sizeBytes, indexes })
        return indexes
      } finally {
        if (searching.get(datasetId)?.abort === abort) searching.delete(datasetId)
      }
    },
  }
}

/** A pair, or an answer that stands alone. */
export type SearchedRecord = Pick<ResponsePair, 'pairId' | 'index'> & (ResponsePair | UnpairedData)

/** What a person sees of a record when labeling. */
export function shownTexts(record: SearchedRecord): string[] {
  return ('a' in record ? [record.prompt, record.a, record.b] : [record.prompt, record.completion]).map(readableText)
}

function parseSearched(line: string): SearchedRecord | null {
  const pair = parseRecord(line)
  if (typeof pair !== 'string') return pair
  const answer = parseUnpaired(line)
  if (typeof answer === 'string') return null
  const { pairId, index, data } = answer
  return { pairId, index, ...data }
}

/** The turns' text without their roles. */
function readableText(content: Content): string {
  return typeof content === 'string' ? content : content.map((turn) => turn.content).join('\n')
}

/** How a line begins that is no item, as Pairlab writes it. */
const EXTRA = '{"extra":'

async function searchFile(file: string, text: string, readLine: LineReader, signal: AbortSignal): Promise<number[]> {
  const indexes: number[] = []
  // As the text stands inside a JSON string: lines without it need not be parsed.
  const escaped = JSON.stringify(text).slice(1, -1).toLowerCase()
  for await (const line of streamLines(file, signal)) {
    if (line.startsWith(EXTRA)) break // what items refer to follows them all, and may be much longer
    if (!line.toLowerCase().includes(escaped)) continue
    const found = readLine(line)
    if (found !== null && found.texts.some((candidate) => candidate.toLowerCase().includes(text)))
      indexes.push(found.index)
  }
  return indexes
}
