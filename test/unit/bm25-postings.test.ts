import { expect, test } from 'vitest'
import { bm25Tokens, createBm25Index } from '../../main/core/learn/ranking/bm25.ts'
import { createPostings } from '../../main/core/learn/ranking/bm25-postings.ts'
import { firstPlaces, placesOf } from '../../main/core/learn/ranking/places.ts'
import { rankByScore } from '../../main/core/learn/ranking/ranking-metrics.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { atOnce } from '../../main/app/store/slices.ts'

const words = 'wing flow heat plate shock body layer edge the of in a'.split(' ')
const random = createRandom(3)
const word = (): string => words[Math.floor(words.length * random.uniform() ** 2)]!
const documents = Array.from({ length: 300 }, (_none, at) =>
  at === 7 ? '' : Array.from({ length: 1 + Math.floor(20 * random.uniform()) }, word).join(' '),
)
const ids = documents.map((_text, at) => `d${at % 7}-${at}`)

const builder = createPostings()
for (const text of documents) builder.add(bm25Tokens(text))
const postings = atOnce(builder.finish())
const index = createBm25Index(documents.map(bm25Tokens))

test.each(['wing flow', 'the the plate', 'nothing of this', '', 'shock body of a wing'])(
  'flat postings score “%s” as the index of words does',
  (query) => {
    for (const options of [
      { k1: 0.9, b: 0.4 },
      { k1: 1.2, b: 0.75, idf: 'robertson', scaled: false },
    ] as const)
      expect(postings.score(bm25Tokens(query), options)).toEqual(index.score(bm25Tokens(query), options))
    expect([postings.documentCount, postings.averageLength]).toEqual([300, index.averageLength])
  },
)

test('first places and the places of single documents are those of the sorted collection', () => {
  const scores = postings.score(bm25Tokens('wing plate'), { k1: 0.9, b: 0.4 })
  const order = rankByScore([...scores], ids)
  for (const left of [null, order[3]!, order[250]!]) {
    const without = order.filter((document) => document !== left)
    expect(firstPlaces(scores, ids, 25, left)).toEqual(without.slice(0, 25))
    const wanted = [order[0]!, order[3]!, order[4]!, order[250]!, order[299]!, order[4]!]
    const places = placesOf(wanted, scores, ids, left)
    for (const document of wanted)
      expect(places.get(document)).toBe(document === left ? undefined : without.indexOf(document) + 1)
  }
  expect(firstPlaces(new Float64Array(), [], 5, null)).toEqual([])
})
