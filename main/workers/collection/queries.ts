// The queries of a collection, which stand before its documents in the file.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { itemRecord } from '../../../shared/data-kinds.ts'
import { rankingItem } from '../../../shared/rankings.ts'

export interface StoredQuery {
  readonly index: number
  readonly queryId: string
  readonly text: string
  readonly judgments: readonly (readonly [string, number])[]
}

/** @param holding only lines with this text in them, as it stands in the file; '': all. @param end bytes that hold queries */
export async function* readQueries(path: string, end: number, holding: string): AsyncGenerator<StoredQuery> {
  if (end <= 0) return
  const stream = createReadStream(path, { end: end - 1 })
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      if (!line.includes(holding)) continue
      const query = parseQuery(line)
      if (query !== null) yield query
    }
  } finally {
    stream.destroy()
  }
}

function parseQuery(line: string): StoredQuery | null {
  try {
    const item = itemRecord.safeParse(JSON.parse(line))
    const data = item.success ? rankingItem.safeParse(item.data.data) : null
    if (!item.success || data?.success !== true || data.data.kind !== 'query') return null
    const { text, judgments } = data.data
    return { index: item.data.index, queryId: item.data.pairId, text, judgments }
  } catch {
    return null
  }
}
