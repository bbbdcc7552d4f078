// Training a reranker on Cranfield: contrastive steps with in-batch negatives, and PG-RANK on first-stage lists.
import { diagonalCrossEntropy } from '../../core/learn/algorithms/infonce.ts'
import { estimatedLosses, estimateList } from '../../core/learn/algorithms/pg-rank.ts'
import type { FeatureScorer } from '../../core/learn/models/scorers.ts'
import type { Random } from '../../core/learn/random.ts'
import { tf } from '../../core/learn/tf.ts'
import { CUTOFF, ndcgOf, type Cranfield } from './cranfield-data.ts'
import { fit } from './fit.ts'

export interface CranfieldTraining {
  readonly titleSteps: number
  readonly judgedSteps: number
  readonly contrastBatch: number
  readonly contrastRate: number
  readonly pgSteps: number
  readonly pgRate: number
  readonly pgBatch: number
  readonly samples: number
}

/** Scores of rows of features in one pass. [row, column] */
function scoreGrid(scorer: FeatureScorer, rows: readonly (readonly Float32Array[])[]): tf.Tensor2D {
  const columns = rows[0]!.length
  const size = rows[0]![0]!.length
  const values = new Float32Array(rows.length * columns * size)
  let at = 0
  for (const row of rows) for (const features of row) values.set(features, at++ * size)
  return tf.reshape(scorer.score(tf.tensor2d(values, [rows.length * columns, size])), [rows.length, columns])
}

/** InfoNCE: each title against the bodies of the batch. No judgment is used. */
export function trainOnTitles(
  scorer: FeatureScorer,
  { titles }: Cranfield,
  { titleSteps, contrastBatch, contrastRate }: CranfieldTraining,
  random: Random,
): Promise<void> {
  const order = Array.from({ length: titles.count }, (_none, at) => at)
  return fit({ variables: scorer.variables, steps: titleSteps, learningRate: contrastRate, finalRatio: 0.1 }, () => {
    const chosen = random.shuffle([...order]).slice(0, contrastBatch)
    return tf.mean(
      diagonalCrossEntropy(
        scoreGrid(
          scorer,
          chosen.map((title) => chosen.map((body) => titles.featuresOf(title, body))),
        ),
      ),
    )
  })
}

/** InfoNCE: each query against a relevant document of its own and those of the batch's other queries; known relevant ones are no negatives. */
export function trainOnJudged(
  scorer: FeatureScorer,
  data: Cranfield,
  queries: readonly number[],
  { contrastBatch, contrastRate }: CranfieldTraining,
  steps: number,
  random: Random,
): Promise<void> {
  const pairs = queries.flatMap((query) =>
    Array.from(data.queries[query]!.grades.entries()).flatMap(([document, grade]) =>
      grade > 0 ? [{ query, document }] : [],
    ),
  )
  return fit({ variables: scorer.variables, steps, learningRate: contrastRate, finalRatio: 0.1 }, () => {
    const chosen = Array.from({ length: contrastBatch }, () => pairs[random.int(pairs.length)]!)
    const logits = scoreGrid(
      scorer,
      chosen.map(({ query }) => chosen.map(({ document }) => data.featuresOf(query, document))),
    )
    const excluded = chosen.map(({ query }, row) =>
      chosen.map(({ document }, column) => (row !== column && data.queries[query]!.grades[document]! > 0 ? -1e9 : 0)),
    )
    return tf.mean(diagonalCrossEntropy(tf.add(logits, tf.tensor2d(excluded))))
  })
}

/** PG-RANK on the candidates of the queries: reward-to-go of nDCG@10 with linear gain. Queries without a relevant candidate have no gradient and are left out. */
export function trainByUtility(
  scorer: FeatureScorer,
  data: Cranfield,
  queries: readonly number[],
  { pgSteps, pgRate, pgBatch, samples }: CranfieldTraining,
  random: Random,
): Promise<void> {
  const lists = queries
    .map((query) => listOf(data, query))
    .filter(({ relevance }) => relevance.some((grade) => grade > 0))
  return fit({ variables: scorer.variables, steps: pgSteps, learningRate: pgRate, finalRatio: 0.1 }, () => {
    const chosen = Array.from({ length: pgBatch }, () => lists[random.int(lists.length)]!)
    const scores = scoreGrid(
      scorer,
      chosen.map((list) => list.features),
    )
    const values = scores.arraySync()
    const estimates = chosen.map((list, at) =>
      estimateList(
        values[at]!,
        list,
        samples,
        { k: CUTOFF, utility: 'ndcg-linear', estimator: 'reward-to-go', entropy: 0 },
        random,
      ),
    )
    return tf.mean(estimatedLosses(scores, estimates, values))
  })
}

interface CandidateList {
  readonly features: readonly Float32Array[]
  readonly relevance: readonly number[]
  readonly unlisted: readonly number[]
}

function listOf({ queries, featuresOf }: Cranfield, query: number): CandidateList {
  const { candidates, grades } = queries[query]!
  const listed = new Set(candidates)
  return {
    features: candidates.map((document) => featuresOf(query, document)),
    relevance: candidates.map((document) => grades[document]!),
    unlisted: Array.from(grades).filter((grade, document) => grade > 0 && !listed.has(document)),
  }
}

/** nDCG@10 of each query after its candidates are put in order by the scorer. */
export function rerankedNdcg(scorer: FeatureScorer, data: Cranfield, queries: readonly number[]): number[] {
  const lists = queries.map((query) =>
    data.queries[query]!.candidates.map((document) => data.featuresOf(query, document)),
  )
  const scores = tf.tidy(() => scoreGrid(scorer, lists).arraySync())
  return queries.map((query, at) => ndcgOf(data, query, data.queries[query]!.candidates, scores[at]!))
}
