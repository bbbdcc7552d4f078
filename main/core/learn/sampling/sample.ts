import { AppError } from '../../../../shared/errors.ts'
import { startGrowth } from '../models/cache.ts'
import type { Decoder } from '../models/decoder.ts'
import type { Random } from '../random.ts'
import {
  checkDrawOptions,
  drawScratch,
  drawToken,
  logSumExp,
  topTokens,
  type DrawOptions,
  type TokenLogProb,
} from './sample-draw.ts'

export { drawToken } from './sample-draw.ts'

export interface SamplingOptions extends DrawOptions {
  readonly maxTokens: number
  /** Ends a completion; part of what is returned. */
  readonly endId: number
  /** More tokens that end a completion, e.g. a template's end of turn. */
  readonly stopIds?: readonly number[]
  /** Also report log-probabilities under the model itself, before penalty, temperature and cuts. */
  readonly modelLogProbs?: boolean
  /** Also report this many of the model's likeliest tokens at each place. */
  readonly alternatives?: number
  /** Longest row, prompt included; absent: what the model's configuration says, if anything. */
  readonly contextLength?: number
}

/** `end` by an end or stop token, `stop` by whoever watched the tokens, `context` where the model knows no further place. */
export type FinishReason = 'end' | 'stop' | 'length' | 'context' | 'cancelled'

export interface SampledCompletion {
  /** With the end-of-turn token where it was reached. */
  readonly ids: readonly number[]
  /** log-probability of each token under the distribution it was drawn from, temperature and cuts included. */
  readonly logProbs: readonly number[]
  /** The same under the model itself; empty unless asked for. */
  readonly modelLogProbs: readonly number[]
  /** The model's likeliest tokens at each place; empty unless asked for. */
  readonly alternatives: readonly (readonly TokenLogProb[])[]
  readonly ended: boolean
  readonly reason: FinishReason
}

export interface SampledToken extends TokenLogProb {
  /** Null unless asked for. */
  readonly modelLogProb: number | null
  readonly alternatives: readonly TokenLogProb[]
  /** The token ends its row. */
  readonly last: boolean
}

export interface SamplingWatch {
  /** Called after every token, so that a long generation lets other work in. */
  breathe?(): Promise<void>
  /** Told of each token as it is drawn; true ends the row after it. */
  onToken?(row: number, token: SampledToken): boolean | void
  /** An AbortSignal: rows in progress keep what they have. */
  readonly signal?: { readonly aborted: boolean } | undefined
}

interface Open {
  readonly row: number
  readonly random: Random
  readonly ids: number[]
  readonly logProbs: number[]
  readonly modelLogProbs: number[]
  readonly alternatives: (readonly TokenLogProb[])[]
  /** Prompt and completion so far; only where a penalty asks for it. */
  readonly seen: Set<number> | undefined
  readonly room: number
  reason: FinishReason | null
}

/** Prompts that grow together; more would need more memory for their keys and values, and gain little. */
export const ROWS_AT_ONCE = 64

/**
 * Completes every prompt. Each prompt draws from a generator of its own, and rows stand beside each other without
 * padding, so that a completion does not depend on which prompts stand beside it.
 * @param prompts at least one token each
 * @throws AppError `too-large` for a prompt that fills the model's context, `input-invalid` for impossible options
 */
export async function sampleCompletions(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  random: (prompt: number) => Random,
  options: SamplingOptions,
  watch: SamplingWatch | (() => Promise<void>) = {},
): Promise<readonly SampledCompletion[]> {
  checkDrawOptions(options)
  const watcher = typeof watch === 'function' ? { breathe: watch } : watch
  const context = options.contextLength ?? decoder.config.maxPositions ?? Number.POSITIVE_INFINITY
  const all = prompts.map((prompt, row): Open => {
    if (prompt.length >= context)
      throw new AppError({
        code: 'too-large',
        message: `The prompt has ${prompt.length} tokens and the model knows ${context} places, its answer included.`,
        hint: 'Shorten the prompt, or leave out earlier turns.',
      })
    return {
      row,
      random: random(row),
      ids: [],
      logProbs: [],
      modelLogProbs: [],
      alternatives: [],
      seen: (options.repetitionPenalty ?? 1) === 1 ? undefined : new Set(prompt),
      room: Math.min(options.maxTokens, context - prompt.length),
      reason: null,
    }
  })
  for (
    let start = 0;
    start < prompts.length && options.maxTokens > 0 && watcher.signal?.aborted !== true;
    start += ROWS_AT_ONCE
  ) {
    await growTogether(
      decoder,
      prompts.slice(start, start + ROWS_AT_ONCE),
      all.slice(start, start + ROWS_AT_ONCE),
      options,
      watcher,
    )
  }
  const unfinished: FinishReason = watcher.signal?.aborted === true ? 'cancelled' : 'length'
  return all.map(({ ids, logProbs, modelLogProbs, alternatives, reason }) => ({
    ids,
    logProbs,
    modelLogProbs,
    alternatives,
    ended: reason === 'end',
    reason: reason ?? unfinished,
  }))
}

async function growTogether(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  rows: readonly Open[],
  options: SamplingOptions,
  watch: SamplingWatch,
): Promise<void> {
  const vocab = decoder.config.vocabSize
  const stops = new Set([options.endId, ...(options.stopIds ?? [])])
  const scratch = drawScratch(vocab)
  const growth = await startGrowth(decoder, prompts, Math.max(...rows.map((row) => row.room)))
  const asks = options.modelLogProbs === true || (options.alternatives ?? 0) > 0
  try {
    let going = rows
    for (;;) {
      const { logits } = growth
      going.forEach((one, at) => {
        const scores = logits.subarray(at * vocab, (at + 1) * vocab)
        const { id, logProb } = drawToken(scores, one.random, options, one.seen, scratch)
        one.ids.push(id)
        one.logProbs.push(logProb)
        one.seen?.add(id)
        const model = asks ? describe(scores, id, options) : null
        if (model !== null) {
          one.modelLogProbs.push(model.logProb)
          if (model.alternatives.length > 0) one.alternatives.push(model.alternatives)
        }
        one.reason = stops.has(id)
          ? 'end'
          : one.ids.length < one.room
            ? null
            : one.room < options.maxTokens
              ? 'context'
              : 'length'
        const token = {
          id,
          logProb,
          modelLogProb: model?.logProb ?? null,
          alternatives: model?.alternatives ?? [],
          last: one.reason !== null,
        }
        if (watch.onToken?.(one.row, token) === true && one.reason !== 'end') one.reason = 'stop'
      })
      await watch.breathe?.()
      const left = Array.from(going.keys()).filter((at) => going[at]!.reason === null)
      if (left.length === 0 || watch.signal?.aborted === true) return
      if (left.length < going.length) {
        growth.keep(left)
        going = left.map((at) => going[at]!)
      }
      await growth.extend(going.map((one) => one.ids.at(-1)!))
    }
  } finally {
    growth.dispose()
  }
}

function describe(
  logits: Float32Array,
  id: number,
  options: SamplingOptions,
): { readonly logProb: number; readonly alternatives: readonly TokenLogProb[] } {
  const logSum = logSumExp(logits)
  const { alternatives = 0 } = options
  return {
    logProb: logits[id]! - logSum,
    alternatives: alternatives === 0 ? [] : topTokens(logits, logSum, alternatives),
  }
}
