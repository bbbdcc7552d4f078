import { embedTexts } from '../../core/learn/embed/embed-texts.ts'
import { openEmbedder } from '../../core/models/embedder-folder.ts'
import { ndcgOf, type Cranfield } from './cranfield-data.ts'

/** Names the folder of a sentence encoder, all-MiniLM-L6-v2 for example. */
export const ENCODER_VARIABLE = 'PAIRLAB_MINILM'

/**
 * nDCG@10 by query of a pre-trained sentence encoder without any training here, searching the whole collection; null where
 * none is at hand. Minutes of work for a processor: 1,400 abstracts of some 230 tokens.
 */
export async function encodeCranfield(
  data: Cranfield,
  queries: readonly number[],
  say: (text: string) => void,
): Promise<readonly number[] | null> {
  const folder = process.env[ENCODER_VARIABLE]
  if (folder === undefined || folder === '') return null
  const { embedder, tokenizer, maxTokens } = openEmbedder(folder)
  try {
    let toldAtMs = Date.now()
    const onProgress = (done: number, total: number): void => {
      if (Date.now() - toldAtMs < 10_000) return
      toldAtMs = Date.now()
      say(`${done} of ${total} texts embedded`)
    }
    say(`embedding the collection with ${folder}`)
    const documents = await embedTexts(
      embedder,
      tokenizer,
      data.documents.map((text) => text || ' '),
      { maxTokens, onProgress },
    )
    const asked = await embedTexts(
      embedder,
      tokenizer,
      queries.map((query) => data.queries[query]!.text),
      { maxTokens },
    )
    const all = data.docIds.map((_docId, at) => at)
    return queries.map((query, row) =>
      ndcgOf(
        data,
        query,
        all,
        all.map((document) => cosine(asked.vectors, row, documents.vectors, document, embedder.dim)),
      ),
    )
  } finally {
    embedder.dispose()
  }
}

function cosine(a: Float32Array, row: number, b: Float32Array, column: number, dim: number): number {
  let [product, first, second] = [0, 0, 0]
  for (let at = 0; at < dim; at += 1) {
    const [x, y] = [a[row * dim + at]!, b[column * dim + at]!]
    product += x * y
    first += x * x
    second += y * y
  }
  return product / Math.sqrt(Math.max(first * second, 1e-24))
}
