// How much memory training will take, from the sizes alone: quick enough to stand beside every choice of a form. What a
// dry run measures is the truth; this is within a factor of it (see test/integration/training-memory.test.ts).
import type { TrainingConfig } from '../../../shared/training-config.ts'
import { adapterShapes } from '../learn/models/adapters.ts'
import { isLlamaLike, type DecoderConfig } from '../learn/models/model-config.ts'
import { LOGITS_AT_ONCE } from '../learn/models/head.ts'
import { fitsGroups, packedBytes } from '../learn/models/packed.ts'
import { outerNames, parameterShapes, sizeOfShape } from '../learn/models/parameters.ts'

export interface TrainingMemory {
  /** Node, the library, the engine, and what they hold on to once they have worked. */
  readonly program: number
  /** As they are held, adapters included. */
  readonly weights: number
  /** A second copy of the weights, or, where it follows the policy beside frozen weights, of the adapters. */
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
  | 'referenceSyncEvery'
>

const FLOAT_BYTES = 4
/** A pair is two rows of text; a method of groups cuts them so that a part has as many. */
const ROWS_PER_PAIR = 2
const PROGRAM_BYTES = 220e6
/** What is freed is not given back to the system, and the pieces never fit each other exactly. */
const SLACK = 1.15

/** Of a matrix as its file has it, packed in memory; null where it stands there as numbers alone. */
export type StoredBytes = (name: string) => number | null

/**
 * Bytes, by what they are for. @param hasReference training compares with the policy it began with
 * @param stored of the model's file; absent: it has no matrix in fewer bits
 */
export function trainingMemory(
  config: DecoderConfig,
  training: Memory,
  hasReference: boolean,
  stored: StoredBytes = () => null,
): TrainingMemory {
  const { weights, trained } = weightBytes(config, training, stored)
  const parts = Math.ceil(training.batchSize / training.microBatchSize)
  return {
    program: PROGRAM_BYTES,
    weights,
    reference: hasReference ? referenceBytes(config, training, trained) : 0,
    gradients: trained * (parts > 1 ? 2 : 1), // the sum so far, and the part's own
    optimizer: 2 * trained,
    activations: SLACK * FLOAT_BYTES * activationFloats(config, training),
  }
}

export function totalMemory(memory: TrainingMemory): number {
  return Object.values(memory).reduce((sum: number, bytes: number) => sum + bytes, 0)
}

/** Adapters stand beside the reference, unless that has adapters of its own, which follow them. */
function referenceBytes(config: DecoderConfig, training: Memory, trained: number): number {
  if (training.adapt !== 'lora') return wholeBytes(config)
  return training.referenceSyncEvery > 0 ? trained : 0
}

function wholeBytes(config: DecoderConfig): number {
  return FLOAT_BYTES * Object.values(parameterShapes(config)).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
}

/** Of a matrix that does not train. */
function frozenBytes(
  name: string,
  shape: readonly number[],
  storage: Memory['frozenStorage'],
  stored: StoredBytes,
): number {
  const size = sizeOfShape(shape)
  if (storage === 'float32' || shape.length !== 2) return size * FLOAT_BYTES
  if (storage === 'stored') return stored(name) ?? size * FLOAT_BYTES
  return packedBytes(fitsGroups(storage, shape[1]!) ? storage : 'bfloat16', size)
}

function weightBytes(
  config: DecoderConfig,
  training: Memory,
  stored: StoredBytes,
): { readonly weights: number; readonly trained: number } {
  const { embedding, positions, head } = outerNames(config)
  const outer = new Set([embedding, positions, head].map((name) => `${name}.weight`))
  let weights = 0
  let trained = 0
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const trains = training.adapt === 'full' || (training.adapt === 'lora' ? name === 'score.weight' : !outer.has(name))
    const bytes = sizeOfShape(shape) * FLOAT_BYTES
    weights += trains ? bytes : frozenBytes(name, shape, training.frozenStorage, stored)
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
 * Numbers that live at once, where the backward pass begins: what each layer keeps for it, and the results and gradients
 * of the layer that is being passed. With gradient checkpointing a layer keeps its input alone, but for the one that is
 * computed again: what the last kept is given back by then.
 */
function activationFloats(config: DecoderConfig, training: Memory): number {
  const { hidden, layers, vocabSize, scoreHead } = config
  const rows = Math.min(training.microBatchSize, training.batchSize) * ROWS_PER_PAIR
  const tokens = rows * training.maxLength
  const layer = keptFloats(config, training)
  const kept = training.gradientCheckpointing ? hidden * layers + layer : layer * layers
  const logits = Math.min(tokens * vocabSize, LOGITS_AT_ONCE)
  const head = scoreHead ? 0 : 2 * logits + (training.adapt === 'full' ? vocabSize * hidden : tokens * hidden)
  return tokens * (kept + layer) + head
}

/** What one layer keeps of one token: the inputs of its norms, products and activation, and attention's weights. */
function keptFloats(config: DecoderConfig, training: Memory): number {
  const { hidden, feedForward, heads, kvHeads, headDim } = config
  const [query, key] = [heads * headDim, kvHeads * headDim]
  const norms = 4 * hidden // what goes in and what comes out, twice
  const attention = 2 * query + 2 * key + heads * training.maxLength // queries, keys, values, what they give, and the weights
  const wide = (isLlamaLike(config) ? 3 : 2) * feedForward
  return norms + attention + wide + (training.adapt === 'lora' ? 7 * training.loraRank : 0)
}
