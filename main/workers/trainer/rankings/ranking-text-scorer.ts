import { AppError } from '../../../../shared/errors.ts'
import { textTokens } from '../../../core/learn/embed/embed-texts.ts'
import { PADDING } from '../../../core/learn/algorithms/plackett-luce.ts'
import { gatherRows } from '../../../core/learn/models/fused.ts'
import { piecesOf } from '../../../core/learn/models/pieces.ts'
import { normalizeRows } from '../../../core/learn/ops.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { tf } from '../../../core/learn/tf.ts'
import { requireStorage } from '../origin.ts'
import type { RankingData, RankingQuery } from './ranking-data.ts'
import { openRanker } from './open-ranker.ts'
import { EVALUATION_TOKENS, type RankingScores } from '../../../core/learn/ranking/ranking.ts'
import { paddedScores, type Picked, type RankingScorer, type StagedScores } from './ranking-scorer.ts'
import type { RunContext } from '../run-context.ts'

export interface TextScorerSettings {
  readonly scorer: 'bi-encoder' | 'cross-encoder'
  readonly similarity: 'cosine' | 'dot'
  readonly temperature: number
}

const HEAD = 'ranking_head.weight'

/**
 * A text encoder that scores documents: query and document apart (the similarity of their vectors), or read together (a
 * linear head on the pair's vector). All of it trains, all but the embeddings, or adapters and the head.
 * @throws AppError `spec-invalid` on data without texts, `model-unsupported`
 */
export async function openTextScorer(
  context: RunContext,
  data: RankingData,
  settings: TextScorerSettings,
): Promise<RankingScorer> {
  if (data.featureCount !== null)
    throw new AppError({
      code: 'spec-invalid',
      message: 'This data set holds features, not texts.',
      hint: 'Give "networks" as the model.',
    })
  requireStorage(context)
  const { embedder, tokenizer, config, maxTokens, base } = await openRanker(context, data)
  const limit = Math.min(context.spec.training.maxLength, maxTokens ?? Number.POSITIVE_INFINITY)
  const encoded = new Map<string, readonly number[]>()
  const idsOf = (text: string): readonly number[] => {
    const known = encoded.get(text) ?? tokenizer.encode(text, limit).ids
    encoded.set(text, known)
    return known.length > 0 ? known : [tokenizer.padId]
  }
  const textOf = (query: RankingQuery, position: number): string => {
    const document = data.documents[query.list.documents[position]!]!
    return document.title === '' || document.text.startsWith(document.title)
      ? document.text
      : `${document.title} ${document.text}`
  }
  const cross = settings.scorer === 'cross-encoder'
  const head = cross ? newHead(embedder.dim, context.spec.seed) : null
  const variables = head === null ? embedder.variables : { ...embedder.variables, [HEAD]: head }

  /** Query first, the document's own frame opened once. */
  function pairIds(query: RankingQuery, position: number): readonly number[] {
    if (tokenizer.frameSize === 0) return tokenizer.encode(`${query.text}\n${textOf(query, position)}`, limit).ids
    return [...idsOf(query.text), ...idsOf(textOf(query, position)).slice(1)].slice(0, limit)
  }
  const trained = Object.values(embedder.variables)
  const embedRows = (rows: readonly (readonly number[])[]): tf.Tensor2D =>
    embedder.embed(textTokens(rows, tokenizer.padId))
  const compared = (vectors: tf.Tensor2D): tf.Tensor2D =>
    !cross && settings.similarity === 'cosine' ? normalizeRows(vectors) : vectors
  const embed = (rows: readonly (readonly number[])[]): tf.Tensor2D => tf.tidy(() => compared(embedRows(rows)))

  /** Texts of the lists, each once, and where each list's are. */
  function textsOf(lists: readonly Picked[]): { readonly texts: readonly string[]; readonly columns: number[][] } {
    const texts = [
      ...new Set(lists.flatMap(({ query, positions }) => positions.map((position) => textOf(query, position)))),
    ]
    const at = new Map(texts.map((text, index) => [text, index]))
    return {
      texts,
      columns: lists.map(({ query, positions }) => positions.map((position) => at.get(textOf(query, position))!)),
    }
  }

  function stage(lists: readonly Picked[]): StagedScores {
    const { texts, columns } = cross ? { texts: [], columns: [] } : textsOf(lists)
    const rows = cross
      ? lists.flatMap(({ query, positions }) => positions.map((position) => pairIds(query, position)))
      : [...lists.map(({ query }) => idsOf(query.text)), ...texts.map(idsOf)]
    return {
      rows: {
        pieces: piecesOf(rows, (row) => row.length, embedder.shapes),
        embed: embedRows,
        variables: trained,
        breathe: () => context.breathe(),
      },
      more: head === null ? [] : [head],
      score(vectors, across) {
        if (head !== null) {
          const scores = (): tf.Tensor1D =>
            tf.reshape(tf.matMul(vectors, head as unknown as tf.Tensor2D), [rows.length])
          return { own: tf.tidy(() => tf.div(paddedScores(scores(), lists), settings.temperature)), all: null }
        }
        const tableOf = (): tf.Tensor2D =>
          tf.div(
            tf.matMul(
              compared(tf.slice(vectors, [0, 0], [lists.length, -1])),
              compared(tf.slice(vectors, [lists.length, 0], [texts.length, -1])),
              false,
              true,
            ),
            settings.temperature,
          ) // [list, text]
        const table = tf.tidy(tableOf)
        const own = tf.tidy(() => ownScores(table, columns))
        const all = across ? tf.tidy(() => allScores(table, columns)) : null
        table.dispose()
        return { own, all }
      },
    }
  }

  /** Of the whole at once: few lists, and no gradient. */
  function score(lists: readonly Picked[], across: boolean): RankingScores {
    const staged = stage(lists)
    const vectors = tf.tidy(() =>
      tf.concat(
        staged.rows.pieces.map((piece) => embedRows(piece)),
        0,
      ),
    )
    try {
      return staged.score(vectors, across)
    } finally {
      vectors.dispose()
    }
  }

  /** @param progress told how many are done */
  async function vectorsOf(texts: readonly string[], progress: (done: number) => void): Promise<Float32Array> {
    const rows = texts.map(idsOf)
    const order = [...rows.keys()].sort((a, b) => rows[b]!.length - rows[a]!.length || a - b)
    const vectors = new Float32Array(texts.length * embedder.dim)
    for (let start = 0; start < order.length;) {
      const batch = order.slice(start, start + Math.max(1, Math.floor(EVALUATION_TOKENS / rows[order[start]!]!.length)))
      const found = embed(batch.map((at) => rows[at]!))
      const values = await found.data<'float32'>()
      found.dispose()
      batch.forEach((at, row) =>
        vectors.set(values.subarray(row * embedder.dim, (row + 1) * embedder.dim), at * embedder.dim),
      )
      start += batch.length
      progress(start)
      await context.breathe()
    }
    return vectors
  }

  /** Every document once, however many queries it is a candidate of. */
  async function rank(
    lists: readonly Picked[],
    progress: (share: number) => void = () => undefined,
  ): Promise<number[][]> {
    if (cross) return rankPairs(lists, progress)
    const { texts, columns } = textsOf(lists)
    const all = lists.length + texts.length
    const queries = await vectorsOf(
      lists.map(({ query }) => query.text),
      (done) => progress(done / all),
    )
    const documents = await vectorsOf(texts, (done) => progress((lists.length + done) / all))
    return columns.map((own, list) =>
      own.map((column) => {
        let sum = 0
        for (let index = 0; index < embedder.dim; index += 1)
          sum += queries[list * embedder.dim + index]! * documents[column * embedder.dim + index]!
        return sum / settings.temperature
      }),
    )
  }
  async function rankPairs(lists: readonly Picked[], progress: (share: number) => void): Promise<number[][]> {
    const result: number[][] = []
    for (const { query, positions } of lists) {
      const scores: number[] = []
      const longest = positions.reduce((most, position) => Math.max(most, pairIds(query, position).length), 1)
      const step = Math.max(1, Math.floor(EVALUATION_TOKENS / longest))
      for (let start = 0; start < positions.length; start += step) {
        const { own } = score([{ query, positions: positions.slice(start, start + step) }], false)
        scores.push(...(await own.data<'float32'>()))
        own.dispose()
        await context.breathe()
      }
      result.push(scores)
      progress(result.length / lists.length)
    }
    return result
  }

  return {
    variables,
    parameterCount: embedder.parameterCount + (head?.size ?? 0),
    weightBytes: embedder.weightBytes + 4 * (head?.size ?? 0),
    base,
    score,
    stage,
    rank,
    files: { config, tokenizer: tokenizer.json },
    shapes: { ...embedder.shapes, ...(head === null ? {} : { [HEAD]: head.shape }) },
    read: async (name) =>
      name === HEAD && head !== null
        ? { shape: head.shape, data: (await head.data<'float32'>()).slice() }
        : embedder.read(name),
    load(source) {
      embedder.fromTensors(Object.fromEntries(Object.keys(embedder.variables).map((name) => [name, source.read(name)])))
      if (head !== null) tf.tidy(() => head.assign(tf.tensor(source.read(HEAD).data.slice(), head.shape)))
    },
  }
}

/** Of a table of every query and every text, each list's own. [list, text] → [list, longest list] */
function ownScores(table: tf.Tensor2D, columns: readonly (readonly number[])[]): tf.Tensor2D {
  const [lists, texts] = table.shape
  const longest = Math.max(...columns.map((row) => row.length))
  const places = Array.from({ length: longest }, (_none, place) => place)
  const picked = Int32Array.from(
    columns.flatMap((row, list) => places.map((place) => list * texts + (row[place] ?? 0))),
  )
  const padding = Float32Array.from(columns.flatMap((row) => places.map((place) => (place < row.length ? 0 : PADDING))))
  const flat = tf.reshape(table, [lists * texts, 1]) as tf.Tensor2D
  return tf.add(
    tf.reshape(gatherRows(flat, picked), [lists, longest]),
    tf.tensor2d(padding, [lists, longest]),
  ) as tf.Tensor2D
}

/** Every query against every list's documents. [list, text] → [list, documents] */
function allScores(table: tf.Tensor2D, columns: readonly (readonly number[])[]): tf.Tensor2D {
  return tf.transpose(gatherRows(tf.transpose(table), Int32Array.from(columns.flat())))
}

function newHead(dim: number, seed: number): tf.Variable {
  const random = createRandom(seed).fork('ranking head')
  return tf.tidy(() =>
    tf.variable(
      tf.tensor2d(
        Float32Array.from({ length: dim }, () => random.normal() / Math.sqrt(dim)),
        [dim, 1],
      ),
    ),
  )
}
