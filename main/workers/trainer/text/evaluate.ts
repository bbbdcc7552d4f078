import type { BatchTotals, Network, TokenBatch } from '../../../core/learn/define.ts'
import { comparesAny } from '../../../core/learn/judged-sides.ts'
import { likelihoodAccuracy } from '../../../core/learn/pair-metrics.ts'
import { tf } from '../../../core/learn/tf.ts'
import { disposeBatch } from '../../../core/learn/batches.ts'
import type { ItemOutcome } from '../../../base/run-folder/held-out-items.ts'
import { chunked } from '../../../core/learn/batch-totals.ts'
import { NOTHING, type SideNumbers } from '../held-out.ts'
import { withClusteredMean, withShare } from '../intervals.ts'
import { withBefore } from '../minimize.ts'
import type { Session } from './text-session.ts'
import { countCharacters, toText, type Content } from '../../../../shared/data-kinds.ts'
import type { EncodedAnswer, EncodedRowPair } from '../../../core/learn/tokens/encode-rows.ts'
import { scoredItems, sizeOf, type PairSet } from './training-data.ts'

/**
 * The method's own loss and metrics on held-out pairs, dropout off, and for every policy how often the preferred
 * completion is the likelier one: the number by which methods can be told apart. What compares the two sides of a pair
 * leaves out those in which each was judged by itself. Shares of outcomes have an interval that knows which pairs are of one
 * prompt. Weights are not touched.
 * @param prefix `eval` or `test`
 */
export async function scorePairs(session: Session, set: PairSet, prefix: string): Promise<SideNumbers> {
  const { algorithm, config, decoder, tokenizer, referenceRows, context } = session
  if (sizeOf(set) === 0) return NOTHING
  const items = scoredItems({
    set,
    algorithm,
    config,
    microBatchSize: context.spec.training.microBatchSize,
    padId: tokenizer.padId,
    referenceOf: referenceRows?.of ?? null,
  })
  // By length, so that little is padded.
  const order = items.lengths
    .map((_length, index) => index)
    .sort((a, b) => items.lengths[a]! - items.lengths[b]! || a - b) // indices of items
  await referenceRows?.prepare(items.rows(order))
  const parts = await withBefore(algorithm, decoder, config, items.parts(order))
  const chunks = chunked(order, context.spec.training.microBatchSize)
  const itemOf = (index: number): EncodedAnswer | EncodedRowPair => (set.answers[index] ?? set.pairs[index])! // indices of items
  const outcomes = new Map<string, Told>()
  const sums: Record<string, number> = {}
  let measured = 0
  for (let part = 0; part < parts.count; part += 1) {
    const batch = parts.make(part)
    const found: Record<string, tf.Scalar> = {}
    const told: (Pick<Told, 'kind'> & {
      readonly name: string
      readonly values: tf.Tensor1D
      readonly weights: tf.Tensor1D
    })[] = []
    const tell: BatchTotals['tell'] = (name, kind, values, weights) =>
      told.push({ name, kind, values: tf.keep(tf.clone(values)), weights: tf.keep(tf.clone(weights)) })
    const totals = { ...parts.totals, tell }
    tf.tidy(() => {
      const watched = watchLogProbs(decoder)
      const { metrics } = algorithm.loss({
        network: watched.network,
        batch,
        totals,
        config,
        evaluating: true,
      })
      const logProbs = watched.last()
      const more =
        logProbs !== null && batch.kind === 'pairs' && metrics['logps/accuracies'] === undefined && comparesAny(totals)
          ? { 'logps/accuracies': likelihoodAccuracy(batch, totals, logProbs) }
          : {}
      for (const [name, value] of Object.entries({ ...metrics, ...more })) found[name] = tf.keep(value)
    })
    for (const [name, value] of Object.entries(found)) {
      sums[name] = (sums[name] ?? 0) + (await value.data<'float32'>())[0]!
      value.dispose()
    }
    const chunk = chunks[part] ?? []
    for (const { name, kind, values, weights } of told) {
      const [value, weight] = [await values.data<'float32'>(), await weights.data<'float32'>()]
      const { all }: Pick<Told, 'all'> = outcomes.get(name) ?? { all: [] }
      outcomes.set(name, { kind, all })
      value.forEach((one, row) => {
        if (weight[row]! === 0) return
        const { pairId, promptText } = itemOf(chunk[row % chunk.length]!)
        // Rows of answers that were judged by themselves are one side's, then the other's.
        const item = row < chunk.length ? pairId : `${pairId} (other side)`
        all.push({ value: one, weight: weight[row]!, item, cluster: promptText })
      })
      tf.dispose([values, weights])
    }
    disposeBatch(batch)
    measured += chunk.length
    context.progress(measured, order.length)
    await context.breathe()
  }
  return withIntervals(sums, outcomes, set, prefix)
}

/** What is behind a mean or a share. */
interface Told {
  readonly kind: 'share' | 'mean'
  readonly all: ItemOutcome[]
}

/** Keeps the log-probs that a loss asks for, so that another metric need not compute them again. */
function watchLogProbs(decoder: Network): { readonly network: Network; last(): tf.Tensor2D | null } {
  let last: tf.Tensor2D | null = null
  return {
    network: {
      tokenLogProbs(tokens: TokenBatch) {
        last = decoder.tokenLogProbs(tokens)
        return last
      },
      score: (tokens) => decoder.score(tokens),
    },
    last: () => last,
  }
}

function withIntervals(
  values: Readonly<Record<string, number>>,
  outcomes: ReadonlyMap<string, Told>,
  set: PairSet,
  prefix: string,
): SideNumbers {
  const compared = set.pairs.filter(({ judged }) => judged === undefined).length
  const counts = { pairs: compared, judged: 2 * (set.pairs.length - compared) + set.answers.length }
  const result: Record<string, number> = {
    ...(set.answers.length === 0 ? { [`${prefix}/pairs`]: compared } : {}),
    ...(counts.judged > 0 ? { [`${prefix}/judged`]: counts.judged } : {}),
  }
  for (const [name, sum] of Object.entries(values)) {
    const behind = outcomes.get(name)
    if (behind === undefined) result[`${prefix}/${name}`] = Math.fround(sum) // of shares in float32, of which three thirds come to 1.00000003
    else if (behind.all.length > 0)
      Object.assign(result, (behind.kind === 'share' ? withShare : withClusteredMean)(`${prefix}/${name}`, behind.all))
  }
  const items = Object.fromEntries([...outcomes].map(([name, { all }]) => [name, all]))
  return {
    metrics: result,
    items: items['rewards/margins'] === undefined ? items : { ...items, longer_by: longerBy(set) },
  }
}

/** Characters of the preferred side less those of the other: how far a judge only counts words. */
function longerBy({ pairs }: PairSet): ItemOutcome[] {
  const lengthOf = (content: Content): number => countCharacters(toText(content))
  return pairs.flatMap(({ pairId, promptText, contents, judged }) =>
    judged === undefined
      ? [
          {
            item: pairId,
            cluster: promptText,
            weight: 1,
            value: lengthOf(contents.chosen) - lengthOf(contents.rejected),
          },
        ]
      : [],
  )
}

/** The first `count` items: always the same ones, so that a curve compares like with like. */
export function firstPairs(set: PairSet, count: number): PairSet {
  return {
    pairs: set.pairs.slice(0, count),
    rewards: set.rewards?.slice(0, count) ?? null,
    answers: set.answers.slice(0, count),
  }
}
