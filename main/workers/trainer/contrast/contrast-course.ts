import { measureSimilarity, measureTriples } from '../../../core/learn/embed/embed-metrics.ts'
import { sizeOfShape } from '../../../core/learn/models/parameters.ts'
import type { Checkpoint } from '../../../core/models/checkpoint-files.ts'
import { textItems, textsOfSide, tripleItems, type ContrastSide, type Triple } from './contrast-data.ts'
import { methodContext, openContrastSession, type ContrastSession } from './contrast-session.ts'
import { updateOn } from './contrast-updates.ts'
import type { ItemOutcome } from '../../../base/run-folder/held-out-items.ts'
import type { Course, Evaluation } from '../course.ts'
import { choiceOf, heldOutOf, measureHeldOut, type SideNumbers } from '../held-out.ts'
import { withMean, withShare } from '../intervals.ts'
import { finiteOrNull } from '../metric-buffer.ts'
import type { SampleItem } from '../../../../shared/contract/runs.ts'
import { restoreDecoder } from '../origin.ts'
import type { RunContext } from '../run-context.ts'
import { createSaver } from '../text/save-session.ts'

/** Decoders that embed texts, that write about them first, or that learn their language. */
export async function openContrastCourse(context: RunContext, from: Checkpoint | null): Promise<Course> {
  const session = await openContrastSession(context, from)
  const { method, plan, decoder, optimizer, items, lengths, sides } = session
  const { validation, test } = sides
  const heldOut = heldOutOf(validation, test, validation.triples.length + validation.texts.length === 0)
  let work = 0
  return {
    algorithm: method,
    plan,
    rateName: 'tokens_per_sec',
    parameterCount: decoder.parameterCount,
    optimizerCount: Object.values(optimizer.shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0),
    heaviest: lengths
      .map((_length, index) => index)
      .sort((a, b) => lengths[b]! - lengths[a]!)
      .slice(0, context.spec.training.batchSize), // indices of items
    async update(chosen, step) {
      const done = await updateOn(
        session,
        chosen.map((index) => items[index]!),
        step,
      ) // indices of the plan
      work = done.tokens
      return done
    },
    work: () => work,
    async evaluate(_step, extent): Promise<Evaluation> {
      const { metrics, items } = await measureHeldOut(heldOut, extent, (side, prefix, part) =>
        measureSide(session, side, prefix, part),
      )
      if (extent === 'choice' || extent === 'test') return { metrics, items, samples: null }
      const beganAtMs = performance.now()
      const samples = await written(session, heldOut.side)
      return { metrics, items, samples, samplingMs: performance.now() - beganAtMs }
    },
    choiceBy: () =>
      choiceOf(
        heldOut,
        Math.max(validation.triples.length, validation.scored.length, textsOfSide(validation).length),
        context.spec.training.evalPairs,
      ),
    restore: (checkpoint) => restoreDecoder(decoder, checkpoint),
    save: createSaver(session),
  }
}

/** Scored pairs are looked at from every side but the one that is trained on, since nothing is chosen by them. */
async function measureSide(
  session: ContrastSession,
  side: ContrastSide,
  prefix: string,
  part: boolean,
): Promise<SideNumbers> {
  const { context, method } = session
  const limit = part ? context.spec.training.evalPairs : Infinity
  const triples = side.triples.slice(0, limit)
  const scored = side.scored.slice(0, limit)
  const texts = [
    ...triples.flatMap((one) => [one.query, one.positive, ...one.negatives]),
    ...scored.flatMap((one) => [one.first, one.second]),
  ]
  const metrics: Record<string, number> = { [`${prefix}/pairs`]: triples.length }
  const items: Record<string, ItemOutcome[]> = {}
  const distinct = [...new Set(texts)]
  const given = {
    ...methodContext(session),
    async breathe(done?: number) {
      if (done !== undefined) context.progress(done, distinct.length)
      await context.breathe()
    },
  }
  for (const [name, value] of Object.entries((await method.measure?.(given, textsOfSide(side).slice(0, limit))) ?? {}))
    metrics[`${prefix}/${name}`] = value
  const vectors = new Map((await method.embed(given, distinct)).map((vector, at) => [distinct[at]!, vector])) // one each
  const of = (text: string): Float32Array => vectors.get(text)! // embedded above
  if (triples.length > 0) {
    const { margins, ndcg, wins, judged } = measureTriples(triples, of)
    items['embed/ndcg'] = outcomesOf(triples, ndcg)
    Object.assign(metrics, withMean(`${prefix}/embed/ndcg`, ndcg))
    if (margins.length > 0) {
      items['embed/margin'] = outcomesOf(judged, margins)
      items['embed/wins'] = outcomesOf(judged, wins)
      Object.assign(
        metrics,
        withMean(`${prefix}/embed/margin`, margins),
        withShare(`${prefix}/embed/wins`, items['embed/wins']),
      )
    }
  }
  const correlation = measureSimilarity(
    scored.map((one) => ({ first: of(one.first), second: of(one.second), score: one.score })),
  )
  if (correlation !== null) metrics[`${prefix}/embed/spearman`] = correlation
  return { metrics, items }
}

/** Triples of a query go together. */
function outcomesOf(triples: readonly Triple[], values: readonly number[]): ItemOutcome[] {
  return triples.map(({ id, query }, at) => ({ item: id, cluster: query, weight: 1, value: values[at]! })) // one each
}

/** What a method that writes has to say about the first held-out items, each with its reward by parts. */
async function written(session: ContrastSession, side: ContrastSide): Promise<readonly SampleItem[] | null> {
  const { context, method, config, tokenizer } = session
  const all =
    method.learnsFrom(config) === 'texts'
      ? textItems(side)
      : tripleItems(side.triples, session.items[0]?.negatives.length ?? 0)
  const items = all.slice(0, context.spec.training.samplePrompts)
  if (method.write === undefined || items.length === 0) return null
  return (await method.write(methodContext(session), items)).map(({ item, tokens, reward, parts }, at): SampleItem => ({
    promptIndex: at,
    pairId: item.id,
    prompt: item.positive ?? item.query,
    completion: tokenizer.decode(tokens),
    tokens: tokens.length,
    reward: finiteOrNull(reward),
    logRatio: null,
    parts: Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, finiteOrNull(value)])),
  }))
}
