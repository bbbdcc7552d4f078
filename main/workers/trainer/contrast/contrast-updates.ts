import { contrastLogits, diagonalCrossEntropy } from '../../../core/learn/algorithms/infonce.ts'
import { sftLoss } from '../../../core/learn/algorithms/sft.ts'
import { chunked, groupsOfPart, groupTotals } from '../../../core/learn/batch-totals.ts'
import { groupBatch } from '../../../core/learn/batches.ts'
import type { EncodedCompletion } from '../../../core/learn/tokens/encode-rows.ts'
import { advantageGroups, graceRound, graceStepLoss, type GraceInstance, type GraceOptions, type GraceRound } from '../../../core/learn/embed/grace-rollouts.ts'
import { createRandom, type Random } from '../../../core/learn/random.ts'
import { embedSpans, plainPrompt, rationalePrompt, spanOf, type RationalePrompt } from '../../../core/learn/embed/rationale.ts'
import { tf } from '../../../core/learn/tf.ts'
import { tokenBatch } from '../../../core/learn/batches.ts'
import type { ContrastItem, ContrastSession } from './contrast-session.ts'
import { minimizeParts, minimizeWhole, type Update } from '../minimize.ts'

export interface ContrastUpdate extends Update {
  /** Tokens that went through the model. */
  readonly tokens: number
}

/** One update on these items, drawn from seed and step where anything is drawn. */
export type Updater = (items: readonly ContrastItem[], step: number) => Promise<ContrastUpdate>

export interface GraceSettings {
  readonly groupSize: number
  readonly consistency: number
  readonly hard: number
  readonly tau: number
  readonly hardTerm: 'instance' | 'rollout'
  readonly span: 'after-system' | 'rationale'
  readonly objective: 'clipped' | 'sum'
  readonly clipRatio: number
  readonly dualClip: number
  readonly unfinishedPenalty: boolean
  readonly rolloutTokens: number
  readonly rolloutTemperature: number
  readonly anchorTemperature: number
  readonly system: string
}

export function graceOptions(settings: GraceSettings): GraceOptions {
  return {
    rollouts: settings.groupSize,
    maxTokens: settings.rolloutTokens,
    temperature: settings.rolloutTemperature,
    anchorTemperature: settings.anchorTemperature,
    weights: { consistency: settings.consistency, hard: settings.hard, temperature: settings.tau },
    span: settings.span,
    hardTerm: settings.hardTerm,
    unfinishedReward: settings.unfinishedPenalty ? -1 : null,
  }
}

/** P(x), with room for the longest rationale. */
export function promptMaker({ tokenizer, context, config, method }: ContrastSession): (text: string) => RationalePrompt {
  const { maxLength } = context.spec.training
  if (method.learns !== 'rationales') return (text) => plainPrompt(tokenizer, text, maxLength)
  const { system, rolloutTokens } = config as GraceSettings // the method's own schema
  return (text) => rationalePrompt(tokenizer, system, text, Math.max(16, maxLength - rolloutTokens))
}

export function instancesFrom(items: readonly ContrastItem[], prompt: (text: string) => RationalePrompt): GraceInstance[] {
  return items.map((item) => ({ query: prompt(item.query), positive: item.positive === null ? null : prompt(item.positive), negatives: item.negatives.map(prompt) }))
}

export function createUpdater(session: ContrastSession): Updater {
  if (session.method.learns === 'rationales') return graceUpdater(session)
  return session.method.learns === 'embedding' ? embeddingUpdater(session) : textUpdater(session)
}

function graceUpdater(session: ContrastSession): Updater {
  const { context, decoder, optimizer, tokenizer } = session
  const { training, seed } = context.spec
  const settings = session.config as GraceSettings // the method's own schema
  const prompt = promptMaker(session)
  return async (items, step) => {
    const random = createRandom(seed).fork('rationales').fork(String(step))
    const round = await graceRound(decoder, instancesFrom(items, prompt), graceOptions(settings), tokenizer.endId, random, () => context.breathe())
    const groups = advantageGroups(round)
    const chunks = chunked(Array.from(groups.keys()), groupsOfPart(training.microBatchSize, settings.groupSize))
    const parts = { count: chunks.length, totals: groupTotals(groups), make: (part: number) => groupBatch((chunks[part] ?? []).map((index) => groups[index]!), settings.groupSize, tokenizer.padId, null) } // indices of groups
    const dropOut = dropOutAt(session, step)
    const update = await minimizeParts(decoder, optimizer, training, parts, (batch, totals) => {
      if (batch.kind !== 'groups') throw new RangeError('rollouts come in groups')
      return graceStepLoss(decoder, batch, totals, { objective: settings.objective, clip: settings.clipRatio, dual: settings.dualClip })
    }, dropOut).finally(() => decoder.setDropout(null))
    return { ...update, metrics: { ...update.metrics, ...round.metrics }, tokens: tokensOf(round) }
  }
}

function tokensOf(round: GraceRound): number {
  return round.rollouts.flat().reduce((sum, { row }) => sum + row.prompt.length + row.completion.length, 0)
}

function dropOutAt({ decoder, context }: ContrastSession, step: number): (part: number) => void {
  const random: Random = createRandom(context.spec.seed).fork('dropout').fork(String(step))
  return (part) => decoder.setDropout({ rate: context.spec.training.dropout, random: random.fork(String(part)) })
}

interface EmbeddingSettings {
  readonly tau: number
  readonly similarity: 'cosine' | 'dot'
  readonly hardNegatives: 'own' | 'all'
}

function embeddingUpdater(session: ContrastSession): Updater {
  const { context, decoder, optimizer } = session
  const { tau, similarity, hardNegatives } = session.config as EmbeddingSettings // the method's own schema
  const prompt = promptMaker(session)
  const row = (text: string): ReturnType<typeof spanOf> => spanOf(prompt(text), [], 'after-system')
  return async (items, step) => {
    const queries = items.map((item) => row(item.query))
    const positives = items.map((item) => row(item.positive ?? item.query))
    const negatives = items.flatMap((item) => item.negatives.map(row))
    const dim = decoder.config.hidden
    const excluded = items.map((one, i) => items.map((other, j) => (i !== j && (one.positive ?? one.query) === (other.positive ?? other.query) ? 1 : 0)))
    const dropOut = dropOutAt(session, step)
    const update = await minimizeWhole(decoder, optimizer, context.spec.training, () => {
      dropOut(0)
      // Two passes: rows that are equal share their tokens within one, and would share their dropout.
      const query = embedSpans(decoder, queries)
      const rest = embedSpans(decoder, [...positives, ...negatives])
      const positive = tf.slice(rest, [0, 0], [items.length, dim])
      const hard = negatives.length === 0 ? null : tf.reshape(tf.slice(rest, [items.length, 0], [negatives.length, dim]), [items.length, negatives.length / items.length, dim]) as tf.Tensor3D
      const logits = contrastLogits(query, positive, hard, tf.tensor2d(excluded), { temperature: tau, similarity, hardNegatives })
      const loss = tf.mean(diagonalCrossEntropy(logits)) as tf.Scalar
      const best = tf.equal(tf.argMax(logits, 1), tf.range(0, items.length, 1, 'int32'))
      return { loss, metrics: { loss, 'contrast/accuracy': tf.mean(tf.cast(best, 'float32')) as tf.Scalar } }
    }).finally(() => decoder.setDropout(null))
    return { ...update, tokens: [...queries, ...positives, ...negatives].reduce((sum, one) => sum + one.ids.length, 0) }
  }
}

/** A text as a row: it begins and ends with the end-of-turn token. */
export function textRow({ tokenizer, context }: Pick<ContrastSession, 'tokenizer' | 'context'>, text: string): EncodedCompletion {
  return { prompt: [tokenizer.endId], completion: [...tokenizer.encode(text), tokenizer.endId].slice(0, context.spec.training.maxLength - 1), text }
}

function textUpdater(session: ContrastSession): Updater {
  const { context, decoder, optimizer, tokenizer } = session
  const { training } = context.spec
  return async (items, step) => {
    const rows = items.map((item) => textRow(session, item.query))
    const tokens = rows.reduce((sum, row) => sum + row.completion.length, 0)
    const chunks = chunked(Array.from(rows.keys()), 2 * training.microBatchSize)
    const parts = { count: chunks.length, totals: { items: rows.length, weight: rows.length, tokens }, make: (part: number) => groupBatch((chunks[part] ?? []).map((index) => ({ promptText: '', completions: [rows[index]!], rewards: [0], weight: 1 })), 1, tokenizer.padId, null) } // indices of rows
    const update = await minimizeParts(decoder, optimizer, training, parts, (batch) => {
      const loss = sftLoss(decoder.tokenLogProbs(batch.tokens), batch.weight, tokens)
      return { loss, metrics: { loss } }
    }, dropOutAt(session, step)).finally(() => decoder.setDropout(null))
    return { ...update, tokens: tokens + rows.length }
  }
}

/** Mean negative log-likelihood of a token of these texts, dropout off. */
export async function textLoss(session: ContrastSession, texts: readonly string[]): Promise<number> {
  const rows = texts.map((text) => textRow(session, text))
  let total = 0
  for (const part of chunked(rows, 32)) {
    const tokens = tokenBatch(part, session.tokenizer.padId)
    const sum = tf.tidy(() => tf.neg(tf.sum(session.decoder.tokenLogProbs(tokens))))
    total += (await sum.data<'float32'>())[0]!
    tf.dispose([sum, tokens.ids, tokens.attention, tokens.completion])
    await session.context.breathe()
  }
  return total / Math.max(1, rows.reduce((count, row) => count + row.completion.length, 0))
}
