// How much memory training will take, from the sizes alone: quick enough to stand beside every choice of a form. What a
// dry run measures is the truth; this is within a factor of it (see test/integration/training-memory.test.ts).
import type { TrainingConfig } from '../../../shared/training-config.ts'
import { adapterShapes } from '../learn/models/adapters.ts'
import { isLlamaLike, type DecoderConfig } from '../learn/models/model-config.ts'
import { outerNames, parameterShapes, sizeOfShape } from '../learn/models/parameters.ts'

export interface TrainingMemory {
  /** Node, the library, the engine, and what they hold on to once they have worked. */
  readonly program: number
  /** As they are held, adapters included. */
  readonly weights: number
  /** A second copy of the weights, where the policy training began with is not the frozen one. */
  readonly reference: number
  readonly gradients: number
  readonly optimizer: number
  /** Everything between the weights in one forward and backward pass, at the longest sequence. */
  readonly activations: number
}

type Memory = Pick<
  TrainingConfig,
  | 'adapt'
  | 'loraRank'
  | 'loraAlpha'
  | 'loraDropout'
  | 'loraTargets'
  | 'gradientCheckpointing'
  | 'frozenStorage'
  | 'batchSize'
  | 'microBatchSize'
  | 'maxLength'
>

const FLOAT_BYTES = 4
/** A pair is two rows of text; a method of groups cuts them so that a part has as many. */
const ROWS_PER_PAIR = 2
const PROGRAM_BYTES = 260e6
/** What is freed is not given back to the system, and the pieces never fit each other exactly. */
const SLACK = 1.15

/** Bytes, by what they are for. @param hasReference training compares with the policy it began with */
export function trainingMemory(config: DecoderConfig, training: Memory, hasReference: boolean): TrainingMemory {
  const { weights, trained } = weightBytes(config, training)
  const parts = Math.ceil(training.batchSize / training.microBatchSize)
  return {
    program: PROGRAM_BYTES,
    weights,
    reference: hasReference && training.adapt !== 'lora' ? wholeBytes(config) : 0,
    gradients: trained * (parts > 1 ? 2 : 1), // the sum so far, and the part's own
    optimizer: 2 * trained,
    activations: SLACK * FLOAT_BYTES * activationFloats(config, training),
  }
}

export function totalMemory(memory: TrainingMemory): number {
  return Object.values(memory).reduce((sum: number, bytes: number) => sum + bytes, 0)
}

function wholeBytes(config: DecoderConfig): number {
  return FLOAT_BYTES * Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
}

function weightBytes(config: DecoderConfig, training: Memory): { readonly weights: number; readonly trained: number } {
  const { embedding, positions, head } = outerNames(config)
  const outer = new Set([embedding, positions, head].map((name) => `${name}.weight`))
  let weights = 0
  let trained = 0
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const trains = training.adapt === 'full' || (training.adapt === 'lora' ? name === 'score.weight' : !outer.has(name))
    const half = !trains && training.frozenStorage === 'bfloat16' && shape.length === 2
    const bytes = sizeOfShape(shape) * FLOAT_BYTES
    weights += half ? bytes / 2 : bytes
    if (trains) trained += bytes
  }
  if (training.adapt !== 'lora') return { weights, trained }
  const options = {
    rank: training.loraRank,
    alpha: training.loraAlpha,
    dropout: training.loraDropout,
    targets: training.loraTargets,
  }
  const adapters =
    FLOAT_BYTES * Object.values(adapterShapes(config, options)).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
  return { weights: weights + adapters, trained: trained + adapters }
}

/**
 * Numbers that live at once. The library keeps every operation's result until the pass is over, and every gradient
 * beside it; with gradient checkpointing only what enters each layer, the last layer's results and those of one more.
 */
function activationFloats(config: DecoderConfig, training: Memory): number {
  const rows = Math.min(training.microBatchSize, training.batchSize) * ROWS_PER_PAIR
  const tokens = rows * training.maxLength
  const layer = 2 * layerFloats(config, training)
  const kept = training.gradientCheckpointing
    ? 2 * config.hidden * config.layers + Math.min(2, config.layers) * layer
    : layer * config.layers
  const head = config.scoreHead ? 0 : 2 * config.vocabSize // logits and their gradient
  const scores = config.window === null || config.window === undefined ? 0 : 3 * config.heads * training.maxLength // the plain path keeps them
  return tokens * (kept + head + scores * (training.gradientCheckpointing ? 1 : config.layers))
}

/** Results of one layer's operations for one token. */
function layerFloats(config: DecoderConfig, training: Memory): number {
  const { hidden, feedForward, heads, kvHeads, headDim } = config
  const [query, key] = [heads * headDim, kvHeads * headDim]
  const llama = isLlamaLike(config)
  // Two norms, attention's output and its projection, feed-forward's projection, two sums.
  const outer = 6 * hidden + query
  const attention = llama ? 2 * query + 3 * key : 2 * (query + 2 * key) // turned queries and keys; or one product, cut in three
  const wide = llama ? 3 * feedForward : 2 * feedForward
  if (training.adapt !== 'lora') return outer + attention + wide
  // x A, the same scaled, its product with B, and the sum with the frozen layer's result.
  const lower = (outputs: readonly number[]): number =>
    outputs.reduce((sum, output) => sum + 2 * training.loraRank + 2 * output, 0)
  const attended = llama ? [query, key, key, hidden] : [query + 2 * key, hidden]
  const fed = llama ? [feedForward, feedForward, hidden] : [feedForward, hidden]
  const { loraTargets: targets } = training
  return (
    outer + attention + wide + (targets === 'mlp' ? 0 : lower(attended)) + (targets === 'attention' ? 0 : lower(fed))
  )
}
