import { measureSimilarity, measureTriples } from '../../../core/learn/embed/embed-metrics.ts'
import { graceRound } from '../../../core/learn/embed/grace-rollouts.ts'
import { sizeOfShape } from '../../../core/learn/models/parameters.ts'
import { createRandom } from '../../../core/learn/random.ts'
import { embedSpanValues, spanOf } from '../../../core/learn/embed/rationale.ts'
import { sampleCompletions } from '../../../core/learn/sampling/sample.ts'
import type { Checkpoint } from '../../../core/models/checkpoint-files.ts'
import { textsOfSide, type ContrastSide, type Triple } from './contrast-data.ts'
import { openContrastSession, type ContrastItem, type ContrastSession } from './contrast-session.ts'
import { createUpdater, graceOptions, instancesFrom, promptMaker, textLoss, type GraceSettings } from './contrast-updates.ts'
import type { Course, Evaluation, Extent } from '../course.ts'
import { meanInterval, wilson } from '../intervals.ts'
import { finiteOrNull } from '../metric-buffer.ts'
import type { SampleItem } from '../../../../shared/contract/runs.ts'
import type { RunContext } from '../run-context.ts'
import { createSaver } from '../text/save-session.ts'

/** Decoders that embed texts, that write about them first, or that learn their language. */
export async function openContrastCourse(context: RunContext, from: Checkpoint | null): Promise<Course> {
  const session = await openContrastSession(context, from)
  const { method, plan, decoder, optimizer, items, lengths, sides } = session
  const update = createUpdater(session)
  const heldOut = sides.validation.triples.length + sides.validation.texts.length > 0 ? sides.validation : sides.test
  let work = 0
  return {
    algorithm: method,
    plan,
    rateName: 'tokens_per_sec',
    parameterCount: decoder.parameterCount,
    optimizerCount: Object.values(optimizer.shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0),
    heaviest: lengths.map((_length, index) => index).sort((a, b) => lengths[b]! - lengths[a]!).slice(0, context.spec.training.batchSize), // indices of items
    async update(chosen, step) {
      const done = await update(chosen.map((index) => items[index]!), step) // indices of the plan
      work = done.tokens
      return done
    },
    work: () => work,
    async evaluate(_step, extent): Promise<Evaluation> {
      const metrics = await measureSide(session, heldOut, 'eval', extent)
      if (extent === 'end' && heldOut !== sides.test) Object.assign(metrics, await measureSide(session, sides.test, 'test', extent))
      return { metrics, samples: method.learns === 'rationales' ? await rationales(session, heldOut) : null }
    },
    save: createSaver(session),
  }
}

/** Scored pairs are looked at from every side but the one that is trained on, since nothing is chosen by them. */
async function measureSide(session: ContrastSession, side: ContrastSide, prefix: string, extent: Extent): Promise<Record<string, number>> {
  const { context, method } = session
  const limit = extent === 'part' ? context.spec.training.evalPairs : Infinity
  const triples = side.triples.slice(0, limit)
  const scored = side.scored.slice(0, limit)
  const texts = [...triples.flatMap((one) => [one.query, one.positive, ...one.negatives]), ...scored.flatMap((one) => [one.first, one.second])]
  const metrics: Record<string, number> = { [`${prefix}/pairs`]: triples.length }
  if (method.learns === 'text') metrics[`${prefix}/loss`] = await textLoss(session, textsOfSide(side).slice(0, limit))
  const vectors = await vectorsOf(session, texts)
  if (context.hurried()) return metrics
  const of = (text: string): Float32Array => vectors.get(text)! // embedded above
  if (triples.length > 0) {
    const { margins, ndcg, wins } = measureTriples(triples.map((one) => ({ query: of(one.query), positive: of(one.positive), negatives: one.negatives.map(of) })))
    Object.assign(metrics, interval(`${prefix}/embed/ndcg`, meanInterval(ndcg)))
    if (margins.length > 0) {
      const share = wins.reduce((sum, win) => sum + win, 0) / wins.length
      Object.assign(metrics, interval(`${prefix}/embed/margin`, meanInterval(margins)), interval(`${prefix}/embed/wins`, { mean: share, ...wilson(share, wins.length) }))
    }
  }
  const correlation = measureSimilarity(scored.map((one) => ({ first: of(one.first), second: of(one.second), score: one.score })))
  if (correlation !== null) metrics[`${prefix}/embed/spearman`] = correlation
  return metrics
}

/** The vector of each text, with a rationale where the method writes one; always with the same random numbers. */
async function vectorsOf(session: ContrastSession, texts: readonly string[]): Promise<Map<string, Float32Array>> {
  const { context, decoder, tokenizer, method } = session
  const distinct = [...new Set(texts)]
  const prompts = distinct.map(promptMaker(session))
  const breathe = (): Promise<void> => context.breathe()
  if (method.learns !== 'rationales') return new Map((await embedSpanValues(decoder, prompts.map((prompt) => spanOf(prompt, [], 'after-system')), breathe)).map((vector, at) => [distinct[at]!, vector]))
  const settings = session.config as GraceSettings // the method's own schema
  const random = createRandom(context.spec.seed).fork('held-out rationales')
  const written = await sampleCompletions(decoder, prompts.map((prompt) => prompt.ids), (row) => random.fork(String(row)), { maxTokens: settings.rolloutTokens, temperature: settings.rolloutTemperature, endId: tokenizer.endId }, breathe)
  const vectors = await embedSpanValues(decoder, prompts.map((prompt, at) => spanOf(prompt, written[at]!.ids, settings.span)), breathe)
  return new Map(vectors.map((vector, at) => [distinct[at]!, vector]))
}

/** Rollouts of the first held-out instances, each with its reward by parts. */
async function rationales(session: ContrastSession, side: ContrastSide): Promise<readonly SampleItem[] | null> {
  const { context, decoder, tokenizer } = session
  const { samplePrompts } = context.spec.training
  const settings = session.config as GraceSettings & { readonly supervision: 'triples' | 'none' } // the method's own schema
  const items = (settings.supervision === 'none' ? textsOfSide(side).map((text, at): ContrastItem => ({ id: `text-${at}`, query: text, positive: null, negatives: [] })) : triplesAlike(side.triples, session.items[0]?.negatives.length ?? 0)).slice(0, samplePrompts)
  if (items.length === 0) return null
  const round = await graceRound(decoder, instancesFrom(items, promptMaker(session)), graceOptions(settings), tokenizer.endId, createRandom(context.spec.seed).fork('samples'), () => context.breathe())
  return round.rollouts.flatMap((row, at) => row.map((one, k): SampleItem => ({
    promptIndex: at * row.length + k,
    pairId: items[at]!.id,
    prompt: items[at]!.positive ?? items[at]!.query,
    completion: tokenizer.decode(one.row.completion),
    tokens: one.row.completion.length,
    reward: finiteOrNull(one.reward),
    logRatio: null,
    parts: { contrast: finiteOrNull(one.terms.contrast), consistency: finiteOrNull(one.terms.consistency), hard: finiteOrNull(one.terms.hard), advantage: finiteOrNull(one.advantage) },
  })))
}

/** Those with at least as many negatives as training takes. */
function triplesAlike(triples: readonly Triple[], negatives: number): ContrastItem[] {
  return triples.filter((one) => one.negatives.length >= negatives).map((one) => ({ id: one.id, query: one.query, positive: one.positive, negatives: one.negatives.slice(0, negatives) }))
}

function interval(name: string, { mean, low, high }: { readonly mean: number; readonly low: number; readonly high: number }): Record<string, number> {
  return { [name]: mean, [`${name}_low`]: low, [`${name}_high`]: high }
}
