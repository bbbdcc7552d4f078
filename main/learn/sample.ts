import type { Decoder } from './models/decoder.ts'
import { packSequences } from './models/packing.ts'
import type { Random } from './random.ts'
import { tf } from './tf.ts'

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

/**
 * Completes every prompt. Each prompt draws from a generator of its own, so that a completion does not depend on
 * which prompts stand beside it.
 * @param prompts at least one token each
 * @param breathe called after every token, so that a long generation lets other work in
 */
export async function sampleCompletions(decoder: Decoder, prompts: readonly (readonly number[])[], random: (prompt: number) => Random, options: SamplingOptions, breathe?: () => Promise<void>): Promise<readonly SampledCompletion[]> {
  const open = prompts.map((prompt, at) => ({ at, sequence: [...prompt], random: random(at), ids: [] as number[], logProbs: [] as number[], ended: false }))
  const all = [...open]
  for (let step = 0; step < options.maxTokens; step += 1) {
    const going = all.filter((one) => !one.ended)
    if (going.length === 0) break
    const logits = nextLogits(decoder, going.map((one) => one.sequence))
    for (const [row, one] of going.entries()) {
      const { id, logProb } = drawToken(logits.subarray(row * decoder.config.vocabSize, (row + 1) * decoder.config.vocabSize), one.random, options)
      one.ids.push(id)
      one.logProbs.push(logProb)
      one.sequence.push(id)
      one.ended = id === options.endId
    }
    await breathe?.()
  }
  return all.map(({ ids, logProbs, ended }) => ({ ids, logProbs, ended }))
}

/** Logits after the last token of each sequence [sequence · vocab]. */
function nextLogits(decoder: Decoder, sequences: readonly (readonly number[])[]): Float32Array {
  const result = tf.tidy(() => {
    const packing = packSequences(sequences)
    const last = Int32Array.from(packing.offsets.slice(1), (offset) => offset - 1)
    return decoder.project(tf.gather(decoder.hiddenStates(packing), tf.tensor1d(last, 'int32')))
  })
  const values = result.dataSync<'float32'>()
  result.dispose()
  return values
}

/** Draws one token, or takes the likeliest at temperature 0. Ties go to the lower id. */
export function drawToken(logits: Float32Array, random: Random, options: Pick<SamplingOptions, 'temperature' | 'topK' | 'topP'>): { readonly id: number; readonly logProb: number } {
  const order = Array.from(logits.keys()).sort((one, two) => (logits[two] ?? 0) - (logits[one] ?? 0) || one - two)
  const greedy = options.temperature === 0
  const scale = greedy ? 1 : 1 / options.temperature
  const top = (logits[order[0] ?? 0] ?? 0) * scale
  const kept = order.slice(0, options.topK === undefined || options.topK === 0 ? order.length : options.topK)
  let weights = kept.map((id) => Math.exp((logits[id] ?? 0) * scale - top))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (options.topP !== undefined && options.topP < 1) {
    let held = 0
    const count = weights.findIndex((weight) => (held += weight / total) >= (options.topP ?? 1)) + 1
    weights = weights.slice(0, Math.max(1, count))
  }
  const keptTotal = weights.reduce((sum, weight) => sum + weight, 0)
  const at = greedy ? 0 : random.categorical(weights)
  return { id: kept[at] ?? 0, logProb: Math.log((weights[at] ?? 0) / keptTotal) }
}
