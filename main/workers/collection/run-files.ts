// The order that a run gave to a query, in a TREC run file.
import { open, stat } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface RankedByRun {
  readonly docIds: readonly string[]
  readonly scores: readonly number[]
}

interface Places {
  readonly mark: string
  /** Query → where its lines begin and end. */
  readonly of: ReadonlyMap<string, readonly [number, number]>
}

const READ_BYTES = 1024 * 1024
const NEWLINE = 10
const SPACE = 32

/** Files that were looked through are not looked through again, unless they changed. */
export function createRunFiles(): {
  /** Null where the file is not there or does not rank the query. Lines of a query stand together. */
  read(path: string, queryId: string, tell: (done: number, total: number) => void): Promise<RankedByRun | null>
} {
  const known = new Map<string, Places>()
  return {
    async read(path, queryId, tell) {
      const found = await stat(path).catch(() => null)
      if (found === null || !found.isFile()) return null
      const mark = `${found.size} ${found.mtimeMs}`
      const places = known.get(path)?.mark === mark ? known.get(path)! : { mark, of: await findPlaces(path, tell) }
      known.set(path, places)
      const place = places.of.get(queryId)
      return place === undefined ? null : readLines(path, place)
    },
  }
}

async function findPlaces(
  path: string,
  tell: (done: number, total: number) => void,
): Promise<Map<string, readonly [number, number]>> {
  const places = new Map<string, readonly [number, number]>()
  const file = await open(path)
  try {
    const { size } = await file.stat()
    let rest = Buffer.alloc(0)
    let current = ''
    let began = 0
    for (let position = 0; position < size;) {
      const buffer = Buffer.allocUnsafe(READ_BYTES)
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, position)
      if (bytesRead === 0) break
      const whole = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
      const first = position - rest.length
      position += bytesRead
      let from = 0
      for (let end = whole.indexOf(NEWLINE); end >= 0; end = whole.indexOf(NEWLINE, from)) {
        const space = whole.indexOf(SPACE, from)
        const queryId = space > from && space < end ? whole.toString('utf8', from, space) : current
        if (queryId !== current) {
          if (current !== '') places.set(current, [began, first + from])
          current = queryId
          began = first + from
        }
        from = end + 1
      }
      rest = whole.subarray(from)
      tell(position, size)
      await nextTurn()
    }
    if (current !== '') places.set(current, [began, size])
    return places
  } finally {
    await file.close()
  }
}

/** `query Q0 document rank score tag`; ids of documents may hold spaces in files of ours, so the ends are counted from the right. */
async function readLines(path: string, [from, to]: readonly [number, number]): Promise<RankedByRun> {
  const file = await open(path)
  try {
    const bytes = Buffer.allocUnsafe(to - from)
    await file.read(bytes, 0, bytes.length, from)
    const rows = bytes
      .toString('utf8')
      .split('\n')
      .flatMap((line) => {
        const parts = line.split(' ')
        const score = Number(parts.at(-2))
        return parts.length < 6 || !Number.isFinite(score) ? [] : [{ docId: parts.slice(2, -3).join(' '), score }]
      })
    return { docIds: rows.map(({ docId }) => docId), scores: rows.map(({ score }) => score) }
  } finally {
    await file.close()
  }
}
