// Texts made from a bundled collection: each query with the documents that its judges call most relevant.
import type { ContrastData } from '../../../shared/data-kinds.ts'
import { rankingDocument, rankingItem } from '../../../shared/rankings.ts'
import type { NewItem, NewPart } from '../../core/formats/parsed-rows.ts'

/** @param collection as the reader gives it: queries, then documents. It is small: all of it is kept until it is read */
export async function* pairTexts(collection: AsyncIterable<readonly NewPart[]>): AsyncGenerator<NewPart> {
  const queries: NewItem[] = []
  const texts = new Map<string, string>()
  for await (const parts of collection) {
    for (const part of parts) {
      if ('item' in part) queries.push(part.item)
      else if ('extra' in part) {
        const document = rankingDocument.parse(part.extra.data)
        texts.set(document.docId, document.text)
      } else yield part
    }
  }
  for (const query of queries) {
    const data = rankingItem.parse(query.data)
    if (data.kind !== 'query') continue
    const best = Math.max(...data.judgments.map(([, grade]) => grade))
    for (const [docId, grade] of data.judgments) {
      const positive = texts.get(docId)?.trim() ?? ''
      if (grade < best || positive === '') continue
      const pair: ContrastData = { form: 'triple', query: data.text, positive, negatives: [], source: null }
      yield { item: { ...query, pairId: `${query.pairId}-${docId}`, data: pair } }
    }
  }
}
