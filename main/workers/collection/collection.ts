// Answers questions about one collection. What takes long is read once, in turns with other questions.
import { AppError } from '../../../shared/errors.ts'
import type { RankingDocument } from '../../../shared/rankings.ts'
import type { ShownDocument } from '../../../shared/contract/rankings.ts'
import type {
  CollectionAnswer,
  CollectionAsk,
  CollectionProgress,
  CollectionQuestion,
  CollectionStart,
} from '../../base/processes/collection-protocol.ts'
import { openDocuments, type Documents } from './documents.ts'
import { createOrders } from './orders.ts'
import { readQueries } from './queries.ts'

/** Characters of a text that lists show. */
const SHOWN_LENGTH = 400

export type CollectionAnswers = {
  readonly [N in CollectionQuestion]: (asked: CollectionAsk<N>) => Promise<CollectionAnswer<N>>
}

/** @param tell what is being read, and how far it is */
export function createCollection(
  { records, queriesEnd }: Pick<CollectionStart, 'records' | 'queriesEnd'>,
  tell: (progress: CollectionProgress) => void,
): CollectionAnswers {
  let opened: Promise<Documents> | null = null
  const documents = (): Promise<Documents> =>
    (opened ??= openDocuments(records, queriesEnd, (done, total) => tell({ doing: 'documents', done, total })).catch(
      (error: unknown) => {
        opened = null // the file may be put back
        throw error
      },
    ))
  const orders = createOrders({ records, queriesEnd }, documents, showAll, (doing, done, total) =>
    tell({ doing, done, total }),
  )
  /** Of the search that was made last. */
  let found: { readonly search: string; readonly at: Promise<readonly number[]> } | null = null

  async function showAll(docIds: readonly string[]): Promise<ShownDocument[]> {
    const { numberOf, read } = await documents()
    const known = docIds.flatMap((docId) => numberOf.get(docId) ?? [])
    return (await Promise.all(known.map(read))).map(shownOf)
  }

  async function search(text: string): Promise<readonly number[]> {
    const { each } = await documents()
    const places: number[] = []
    let at = 0
    for await (const document of each((done, total) => tell({ doing: 'search', done, total }))) {
      if (found?.search !== text)
        throw new AppError({
          code: 'cancelled',
          message: 'Another search was started.',
          hint: 'Nothing to do; the newer one answers.',
        })
      if ([document.docId, document.title, document.text].some((one) => one.toLowerCase().includes(text)))
        places.push(at)
      at += 1
    }
    return places
  }

  return {
    size: async () => ({ documents: (await documents()).ids.length }),
    documents: async ({ docIds }) => showAll(docIds),
    async document({ docId }) {
      const { numberOf, read } = await documents()
      const number = numberOf.get(docId)
      if (number === undefined) return null
      const judgedFor: NonNullable<CollectionAnswer<'document'>>['judgedFor'] = []
      for await (const query of readQueries(records, queriesEnd, JSON.stringify(docId))) {
        const grade = query.judgments.find(([judged]) => judged === docId)?.[1]
        if (grade !== undefined) judgedFor.push({ index: query.index, queryId: query.queryId, text: query.text, grade })
      }
      return { ...(await read(number)), judgedFor }
    },
    async find({ search: given, offset, limit }) {
      const text = given.trim().toLowerCase()
      const { ids, read } = await documents()
      if (text !== '' && found?.search !== text) found = { search: text, at: search(text) }
      const places = text === '' ? null : await found!.at
      const page =
        places?.slice(offset, offset + limit) ??
        Array.from({ length: Math.max(0, Math.min(limit, ids.length - offset)) }, (_none, at) => offset + at)
      return { total: places?.length ?? ids.length, rows: (await Promise.all(page.map(read))).map(shownOf) }
    },
    orders: (asked) => orders.order(asked),
  }
}

function shownOf({ docId, title, text }: RankingDocument): ShownDocument {
  const letters = [...text.slice(0, 2 * SHOWN_LENGTH)].slice(0, SHOWN_LENGTH).join('')
  return { docId, title, text: letters, cut: letters.length < text.length }
}
