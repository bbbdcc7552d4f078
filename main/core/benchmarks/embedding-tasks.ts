// Tasks of the Massive Text Embedding Benchmark (Muennighoff et al., 2210.07316) in their own folders, known by the columns of their
// tables, and measured under the names of its results.
import { z } from 'zod'
import { pearson, spearman } from '../../../shared/statistics/correlation.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import { AppError } from '../../../shared/errors.ts'
import { cosine } from '../learn/embed/embed-metrics.ts'
import { createRandom } from '../learn/random.ts'
import { measureRanking, rankAsTrecEval } from '../learn/ranking/ranking-metrics.ts'
import { kMeans, vMeasure } from './clustering.ts'
import { anyId, anyNumber, rowAs, type Table } from './tables.ts'

export type Scores = Readonly<Record<string, number>>
export type VectorOf = (text: string) => Float32Array

export interface EmbeddingTask {
  readonly type: 'STS' | 'PairClassification' | 'Retrieval' | 'Reranking' | 'Clustering'
  /** `test`, or what the file is called. */
  readonly split: string
  /** Each once. */
  readonly texts: readonly string[]
  /** The main score's name is `main_score`. */
  measure(vectorOf: VectorOf): Scores
}

/** The split that a file is named after; null for one to train on. */
function splitOf(name: string): string | null {
  if (/(?:^|[/_.-])train/i.test(name)) return null
  if (/(?:^|[/_.-])(?:dev|validation|val)(?=[/_.-]|$)/i.test(name)) return 'validation'
  return 'test'
}

/**
 * What can be measured in the tables of one data set: the test side where there is one.
 * @throws AppError `dataset-invalid` where no table is of a known layout
 */
export function embeddingTasks(tables: readonly Table[]): EmbeddingTask[] {
  const judged = retrievalTask(tables)
  if (judged !== null) return [judged]
  const bySplit = new Map<string, Table[]>()
  for (const table of tables) {
    const split = splitOf(table.name)
    if (split !== null && table.rows.length > 0) bySplit.set(split, [...(bySplit.get(split) ?? []), table])
  }
  const chosen = bySplit.has('test') ? ['test'] : [...bySplit.keys()]
  const tasks = chosen.flatMap((split) => taskOf(bySplit.get(split)!, split) ?? [])
  if (tasks.length === 0)
    throw new AppError({
      code: 'dataset-invalid',
      message: `No table has the columns of a known task; there are: ${tables.map(({ name, rows }) => `${name} (${Object.keys(rows[0] ?? {}).join(', ')})`).join('; ') || 'none'}.`,
      hint: 'STS: sentence1, sentence2, score. Pairs: sentence1, sentence2, labels. Retrieval: corpus, queries, and judgments with query-id, corpus-id, score. Reranking: query, positive, negative. Clustering: sentences, labels.',
    })
  return tasks
}

function taskOf(tables: readonly Table[], split: string): EmbeddingTask | null {
  const first = tables[0]!.rows[0]!
  const has = (...names: readonly string[]): boolean => names.every((name) => name in first)
  if (has('sentence1', 'sentence2', 'score')) return stsTask(tables, split)
  if (has('query', 'positive', 'negative')) return rerankingTask(tables, split)
  if (has('sentences', 'labels')) return clusteringTask(tables, split)
  if (has('sentence1', 'sentence2', 'labels') || has('sent1', 'sent2', 'labels')) return pairTask(tables, split)
  return null
}

function distinct(texts: Iterable<string>): string[] {
  return [...new Set(texts)]
}

const stsRow = z.looseObject({ sentence1: z.string(), sentence2: z.string(), score: anyNumber })

function stsTask(tables: readonly Table[], split: string): EmbeddingTask {
  const rows = tables.flatMap(({ name, rows: all }) => all.map((row, at) => rowAs(stsRow, row, name, at)))
  return {
    type: 'STS',
    split,
    texts: distinct(rows.flatMap((row) => [row.sentence1, row.sentence2])),
    measure(vectorOf) {
      const told = rows.map(({ score }) => score)
      const found = rows.map((row) => cosine(vectorOf(row.sentence1), vectorOf(row.sentence2)))
      const cosineSpearman = spearman(found, told)
      return { cosine_spearman: cosineSpearman, cosine_pearson: pearson(found, told), main_score: cosineSpearman }
    },
  }
}

const list = <T extends z.ZodType>(of: T): z.ZodType<z.output<T>[]> =>
  z.union([z.array(of), of.transform((one) => [one])]) as unknown as z.ZodType<z.output<T>[]> // one is a list of one

const texts = list(z.string())
const pairRow = z
  .looseObject({
    sentence1: texts.optional(),
    sentence2: texts.optional(),
    sent1: texts.optional(),
    sent2: texts.optional(),
    labels: list(anyNumber),
  })
  .transform(({ sentence1, sentence2, sent1, sent2, labels }) => ({
    first: sentence1 ?? sent1 ?? [],
    second: sentence2 ?? sent2 ?? [],
    labels,
  }))

/** A row of the older layout holds all pairs as lists. */
function pairTask(tables: readonly Table[], split: string): EmbeddingTask {
  const pairs = tables.flatMap(({ name, rows }) =>
    rows.flatMap((row, at) => {
      const { first, second, labels } = rowAs(pairRow as unknown as z.ZodType<z.output<typeof pairRow>>, row, name, at)
      return labels.map((label, one) => ({ first: first[one] ?? '', second: second[one] ?? '', right: label > 0 }))
    }),
  )
  return {
    type: 'PairClassification',
    split,
    texts: distinct(pairs.flatMap((pair) => [pair.first, pair.second])),
    measure(vectorOf) {
      const scores = pairs.map((pair) => cosine(vectorOf(pair.first), vectorOf(pair.second)))
      const { ap, accuracy, f1 } = separation(
        scores,
        pairs.map(({ right }) => right),
      )
      return { cosine_ap: ap, cosine_accuracy: accuracy, cosine_f1: f1, main_score: ap }
    },
  }
}

/** Average precision, and accuracy and F1 at the threshold that is best for each; equal scores stand or fall together. */
export function separation(
  scores: readonly number[],
  right: readonly boolean[],
): { readonly ap: number; readonly accuracy: number; readonly f1: number } {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!)
  const positives = right.filter(Boolean).length
  let [hits, ap, f1] = [0, 0, 0]
  let accuracy = (scores.length - positives) / scores.length // nothing is called right
  for (let from = 0; from < order.length;) {
    let to = from
    let fresh = 0
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to += 1)
      fresh += right[order[to]!] === true ? 1 : 0
    hits += fresh
    ap += positives === 0 ? 0 : (fresh / positives) * (hits / to)
    f1 = Math.max(f1, (2 * hits) / (to + positives))
    accuracy = Math.max(accuracy, (hits + (scores.length - positives - (to - hits))) / scores.length)
    from = to
  }
  return { ap, accuracy, f1 }
}

const rerankingRow = z.looseObject({ query: list(z.string()), positive: texts, negative: texts })

function rerankingTask(tables: readonly Table[], split: string): EmbeddingTask {
  const all = tables.flatMap(({ name, rows }) => rows.map((row, at) => rowAs(rerankingRow, row, name, at)))
  const rows = all.filter(({ positive, negative }) => positive.length > 0 && negative.length > 0)
  return {
    type: 'Reranking',
    split,
    texts: distinct(rows.flatMap((row) => [...row.query, ...row.positive, ...row.negative])),
    measure(vectorOf) {
      const found = rows.map(({ query, positive, negative }) => {
        const documents = [...positive, ...negative]
        // Several ways to say a query: the nearest of them counts.
        const scores = documents.map((text) => Math.max(...query.map((one) => cosine(vectorOf(one), vectorOf(text)))))
        const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!)
        return measureRanking(
          order.map((at) => (at < positive.length ? 1 : 0)),
          [],
          order.length,
        )
      })
      const map = mean(found.map((one) => one.map))
      return { map, mrr: mean(found.map((one) => one.mrr)), main_score: map }
    },
  }
}

const clusteringRow = z.looseObject({ sentences: texts, labels: list(anyId) })
/** What k-means begins with. */
const SEED = 42

/** Each row a set of its own; rows of a single text, as later layouts have them, are one set. */
function clusteringTask(tables: readonly Table[], split: string): EmbeddingTask {
  const rows = tables.flatMap(({ name, rows: all }) => all.map((row, at) => rowAs(clusteringRow, row, name, at)))
  const sets = rows.every(({ sentences }) => sentences.length === 1)
    ? [{ sentences: rows.flatMap((row) => row.sentences), labels: rows.flatMap((row) => row.labels) }]
    : rows
  return {
    type: 'Clustering',
    split,
    texts: distinct(sets.flatMap(({ sentences }) => sentences)),
    measure(vectorOf) {
      const values = sets.map(({ sentences, labels }, at) => {
        const random = createRandom(SEED).fork(`set ${at}`)
        return vMeasure(labels, kMeans(sentences.map(vectorOf), new Set(labels).size, random))
      })
      return { v_measure: mean(values), main_score: mean(values) }
    },
  }
}

const textRow = z.looseObject({
  _id: anyId.optional(),
  id: anyId.optional(),
  title: z.string().nullish(),
  text: z.string(),
})
const judgmentRow = z.looseObject({ 'query-id': anyId, 'corpus-id': anyId, score: anyNumber })
const CUTOFFS = [1, 3, 5, 10, 20, 100] as const

function retrievalTask(tables: readonly Table[]): EmbeddingTask | null {
  const part = (name: RegExp): Table[] => tables.filter((table) => name.test(table.name) && table.rows.length > 0)
  const [corpus, queries] = [part(/corpus/i), part(/quer(?:y|ies)/i)]
  const judged = tables.filter(({ rows }) => rows[0] !== undefined && 'query-id' in rows[0] && 'corpus-id' in rows[0])
  if (corpus.length === 0 || queries.length === 0 || judged.length === 0) return null
  const sides = Map.groupBy(judged, ({ name }) => splitOf(name) ?? 'train')
  const split = ['test', 'validation', 'train'].find((side) => sides.has(side))! // one has it
  const read = (all: readonly Table[]): Map<string, string> =>
    new Map(
      all.flatMap(({ name, rows }) =>
        rows.map((row, at) => {
          const { _id, id, title, text } = rowAs(textRow, row, name, at)
          return [_id ?? id ?? String(at), `${title ?? ''} ${text}`.trim()] as const
        }),
      ),
    )
  const [documents, questions] = [read(corpus), read(queries)]
  const relevance = new Map<string, Map<string, number>>()
  for (const { name, rows } of sides.get(split)!)
    rows.forEach((row, at) => {
      const { 'query-id': query, 'corpus-id': document, score } = rowAs(judgmentRow, row, name, at)
      const own = relevance.get(query) ?? new Map<string, number>()
      relevance.set(query, own.set(document, score))
    })
  const asked = [...relevance].filter(
    ([query, own]) => questions.has(query) && [...own.values()].some((grade) => grade > 0),
  )
  return {
    type: 'Retrieval',
    split,
    texts: distinct([...documents.values(), ...asked.map(([query]) => questions.get(query)!)]), // only those
    measure(vectorOf) {
      const ids = [...documents.keys()]
      const vectors = ids.map((id) => vectorOf(documents.get(id)!)) // of its own keys
      const found = asked.map(([query, own]) => {
        const vector = vectorOf(questions.get(query)!)
        const order = rankAsTrecEval(
          vectors.map((other) => cosine(vector, other)),
          ids,
        )
        // A document that is the query itself is no answer to it.
        const ranked = order.filter((at) => ids[at] !== query).map((at) => own.get(ids[at]!) ?? 0)
        const missing = [...own].flatMap(([id, grade]) => (documents.has(id) ? [] : [grade]))
        return new Map(CUTOFFS.map((k) => [k, measureRanking(ranked, missing, k)]))
      })
      const over = (k: (typeof CUTOFFS)[number], name: 'ndcgLinear' | 'map' | 'recall' | 'precision' | 'mrr'): number =>
        mean(found.map((one) => one.get(k)![name])) // of every cut-off
      const scores: Record<string, number> = {}
      for (const [name, measure] of [
        ['ndcg', 'ndcgLinear'],
        ['map', 'map'],
        ['recall', 'recall'],
        ['precision', 'precision'],
        ['mrr', 'mrr'],
      ] as const)
        for (const k of CUTOFFS) scores[`${name}_at_${k}`] = over(k, measure)
      return { ...scores, main_score: scores['ndcg_at_10']! }
    },
  }
}
