// How much memory training will take, from the sizes alone: quick enough to stand beside every choice of a form. What a
// dry run measures is the truth; this is within a factor of it (see test/integration/training-memory.test.ts).
import type { TrainingConfig } from '../../../shared/training-config.ts'
import { LOGITS_AT_ONCE } from '../learn/models/head.ts'
import { fitsGroups, packedBytes } from '../learn/models/packed.ts'
import { sizeOfShape } from '../learn/models/parameters.ts'
import { pieceTokens } from '../learn/models/pieces.ts'
import type { TrainingLoad } from '../learn/training-load.ts'
import type { NetworkSizes } from './network-sizes.ts'

export interface TrainingMemory {
  /** Node, the library, the engine, the tokenizer, and what they hold on to once they have worked. */
  readonly program: number
  /** As they are held, adapters included. */
  readonly weights: number
  /** A second copy of the weights, or, where it follows the policy beside frozen weights, of the adapters. */
  readonly reference: number
  /** A reward model and a judge beside the policy. */
  readonly scorers: number
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
  | 'maxLength'
  | 'referenceSyncEvery'
>

const FLOAT_BYTES = 4
const PROGRAM_BYTES = 220e6
/** What is freed is not given back to the system, and the pieces never fit each other exactly. */
const SLACK = 1.15
/** Adapters of a layer: each keeps its low-rank product. */
const ADAPTERS_OF_LAYER = 7

/** Of a matrix as its file has it, packed in memory; null where it stands there as numbers alone. */
export type StoredBytes = (name: string) => number | null

/** What stands in memory beside the network that trains. */
export interface Beside {
  /** Training compares with the policy it began with. */
  readonly reference: boolean
  /** Weights of the models that score what is written, all through training. */
  readonly scorers?: readonly NetworkSizes[]
  /** The same of one that is gone before training begins. */
  readonly scoredBefore?: NetworkSizes | null
  /** Of the model's file; absent: it has no matrix in fewer bits. */
  readonly stored?: StoredBytes | undefined
}

/** Bytes, by what they are for. */
export function trainingMemory(
  network: NetworkSizes,
  training: Memory,
  load: TrainingLoad,
  { reference, scorers = [], scoredBefore = null, stored = () => null }: Beside,
): TrainingMemory {
  const { weights, trained, all } = weightBytes(network, training, stored)
  const longest = Math.min(training.maxLength, network.maxTokens ?? Infinity)
  const asked = load.learned(longest)
  const tokens = load.inPieces ? Math.min(asked, Math.max(longest, pieceTokens(all))) : asked
  const gradients = trained * (load.parts > 1 || tokens < asked ? 2 : 1) // the sum so far, and the part's own
  const [learned, looked] = [
    learnedFloats(network, training, load, longest, tokens),
    lookedFloats(network, load, longest),
  ]
  const pass = (floats: number): number => SLACK * FLOAT_BYTES * floats
  const own = {
    program: PROGRAM_BYTES + network.tokenBytes * network.vocabSize,
    weights,
    reference: reference ? referenceBytes(network, training, trained) : 0,
    gradients,
    optimizer: 2 * trained,
    // Where nothing is learned there are no gradients.
    activations: Math.max(pass(learned), pass(Math.max(looked, writtenFloats(network, load, longest))) - gradients),
  }
  const before = scoredBefore === null ? 0 : own.program + wholeBytes(scoredBefore)
  const held = scorers.reduce((sum, one) => sum + wholeBytes(one), 0)
  return { ...own, scorers: Math.max(held, before - sumOf(own)) }
}

export function totalMemory(memory: TrainingMemory): number {
  return sumOf(memory)
}

function sumOf(parts: object): number {
  return Object.values(parts).reduce((sum: number, bytes: number) => sum + bytes, 0)
}

/** Adapters stand beside the reference, unless that has adapters of its own, which follow them. */
function referenceBytes(network: NetworkSizes, training: Memory, trained: number): number {
  if (training.adapt !== 'lora') return wholeBytes(network)
  return training.referenceSyncEvery > 0 ? trained : 0
}

function wholeBytes({ shapes }: NetworkSizes): number {
  return FLOAT_BYTES * Object.values(shapes).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
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
  { shapes, adapters, outer, heads, unread }: NetworkSizes,
  training: Memory,
  stored: StoredBytes,
): { readonly weights: number; readonly trained: number; readonly all: NetworkSizes['shapes'] } {
  let weights = 0
  let trained = 0
  for (const [name, shape] of Object.entries(shapes)) {
    const trains =
      !unread.has(name) &&
      (training.adapt === 'full' || (training.adapt === 'lora' ? heads.has(name) : !outer.has(name)))
    const bytes = sizeOfShape(shape) * FLOAT_BYTES
    weights += trains ? bytes : frozenBytes(name, shape, training.frozenStorage, stored)
    if (trains) trained += bytes
  }
  if (training.adapt !== 'lora') return { weights, trained, all: shapes }
  const beside = adapters({
    rank: training.loraRank,
    alpha: training.loraAlpha,
    dropout: training.loraDropout,
    targets: training.loraTargets,
  })
  const bytes = FLOAT_BYTES * Object.values(beside).reduce((sum, shape) => sum + sizeOfShape(shape), 0)
  return { weights: weights + bytes, trained: trained + bytes, all: { ...shapes, ...beside } }
}

/**
 * Numbers that live at once, where the backward pass begins: what each layer keeps for it, and the results and gradients
 * of the layer that is being passed. With gradient checkpointing a layer keeps its input alone, but for the one that is
 * computed again: what the last kept is given back by then.
 */
function learnedFloats(
  network: NetworkSizes,
  training: Memory,
  { predicts }: TrainingLoad,
  longest: number,
  tokens: number,
): number {
  const { hidden, layers, vocabSize } = network
  const layer = network.kept(longest) + (training.adapt === 'lora' ? ADAPTERS_OF_LAYER * training.loraRank : 0)
  const kept = training.gradientCheckpointing ? hidden * layers + layer : layer * layers
  const logits = Math.min(tokens * vocabSize, LOGITS_AT_ONCE)
  const head = predicts ? 2 * logits + (training.adapt === 'full' ? vocabSize * hidden : tokens * hidden) : 0
  const passed = network.kept(0) // the gradient of attention's weights is never held
  return tokens * (kept + passed) + head
}

/** A layer's results, and what goes into it and comes out. */
function lookedFloats(network: NetworkSizes, { looked, predicts }: TrainingLoad, longest: number): number {
  const tokens = looked(longest)
  const logits = predicts ? Math.min(tokens * network.vocabSize, LOGITS_AT_ONCE) : 0
  return tokens * (2 * network.hidden + network.kept(longest)) + logits
}

/** Keys and values of rows that grow, and the pass over their prompts. */
function writtenFloats(network: NetworkSizes, { written }: TrainingLoad, longest: number): number {
  if (written === null) return 0
  const { rows, prompts, maxTokens } = written
  const { hidden, vocabSize, cached } = network
  const prompt = Math.max(1, longest - maxTokens)
  const places = rows * (prompt + maxTokens)
  const read = prompts * prompt * (2 * hidden + network.kept(prompt))
  return places * cached + 2 * rows * vocabSize + read // the logits are copied
}
