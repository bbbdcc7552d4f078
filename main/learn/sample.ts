import { startGrowth } from './models/cache.ts'
import type { Decoder } from './models/decoder.ts'
import type { Random } from './random.ts'

export interface SamplingOptions {
  readonly maxTokens: number
  /** 0 is greedy. */
  readonly temperature: number
  /** Only the k likeliest tokens; 0 for all. */
  readonly topK?: number
  /** Only the likeliest tokens that together hold this much probability; 1 for all. */
  readonly topP?: number
  /** Ends a completion; part of what is returned. */
  readonly endId: number
}

export interface SampledCompletion {
  /** With the end-of-turn token where it was reached. */
  readonly ids: readonly number[]
  /** log-probability of each token under the distribution it was drawn from, temperature and cuts included. */
  readonly logProbs: readonly number[]
  readonly ended: boolean
}

interface Open {
  readonly random: Random
  readonly ids: number[]
  readonly logProbs: number[]
  ended: boolean
}

/** Prompts that grow together; more would need more memory for their keys and values, and gain little. */
const ROWS_AT_ONCE = 64

/**
 * Completes every prompt. Each prompt draws from a generator of its own, so that a completion does not depend on
 * which prompts stand beside it.
 * @param prompts at least one token each
 * @param breathe called after every token, so that a long generation lets other work in
 */
export async function sampleCompletions(decoder: Decoder, prompts: readonly (readonly number[])[], random: (prompt: number) => Random, options: SamplingOptions, breathe?: () => Promise<void>): Promise<readonly SampledCompletion[]> {
  const all = prompts.map((_prompt, at): Open => ({ random: random(at), ids: [], logProbs: [], ended: false }))
  for (let start = 0; start < prompts.length && options.maxTokens > 0; start += ROWS_AT_ONCE) {
    await growTogether(decoder, prompts.slice(start, start + ROWS_AT_ONCE), all.slice(start, start + ROWS_AT_ONCE), options, breathe)
  }
  return all.map(({ ids, logProbs, ended }) => ({ ids, logProbs, ended }))
}

async function growTogether(decoder: Decoder, prompts: readonly (readonly number[])[], rows: readonly Open[], options: SamplingOptions, breathe: (() => Promise<void>) | undefined): Promise<void> {
  const vocab = decoder.config.vocabSize
  const growth = startGrowth(decoder, prompts, options.maxTokens)
  try {
    let going = rows
    for (let step = 0; ; step += 1) {
      going.forEach((one, row) => {
        const { id, logProb } = drawToken(growth.logits.subarray(row * vocab, (row + 1) * vocab), one.random, options)
        one.ids.push(id)
        one.logProbs.push(logProb)
        one.ended = id === options.endId
      })
      const left = Array.from(going.keys()).filter((row) => !going[row]!.ended)
      await breathe?.()
      if (left.length === 0 || step + 1 >= options.maxTokens) return
      if (left.length < going.length) {
        growth.keep(left)
        going = left.map((row) => going[row]!)
      }
      growth.extend(going.map((one) => one.ids.at(-1)!))
    }
  } finally {
    growth.dispose()
  }
}

/** Draws one token, or takes the likeliest at temperature 0. Ties go to the lower id. */
export function drawToken(logits: Float32Array, random: Random, options: Pick<SamplingOptions, 'temperature' | 'topK' | 'topP'>): { readonly id: number; readonly logProb: number } {
  const { temperature, topK = 0, topP = 1 } = options
  const scale = temperature === 0 ? 1 : 1 / temperature
  const best = likeliest(logits)
  const weights = new Float64Array(logits.length)
  for (let id = 0; id < weights.length; id += 1) weights[id] = Math.exp((logits[id]! - logits[best]!) * scale)
  if ((topK > 0 && topK < weights.length) || topP < 1) cutTail(weights, topK, topP)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const id = temperature === 0 ? best : random.categorical(weights)
  return { id, logProb: Math.log(weights[id]! / total) }
}

function likeliest(logits: Float32Array): number {
  let best = 0
  for (let id = 1; id < logits.length; id += 1) if (logits[id]! > logits[best]!) best = id
  return best
}

/** Sets to 0 what lies past the k likeliest, or past the likeliest that together hold the share p. */
function cutTail(weights: Float64Array, topK: number, topP: number): void {
  const order = Array.from(weights.keys()).sort((one, two) => weights[two]! - weights[one]! || one - two)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const most = topK > 0 ? topK : order.length
  let held = 0
  order.forEach((id, rank) => {
    const keep = rank < most && (rank === 0 || held < topP * total)
    held += weights[id]!
    if (!keep) weights[id] = 0
  })
}
