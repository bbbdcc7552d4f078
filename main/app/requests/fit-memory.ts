// Settings that say how a batch goes through the model, not what is learned from it, chosen so that the run fits.
import { totalmem } from 'node:os'
import type { EngineName } from '../../../shared/domain.ts'
import { PACKED_ENGINES, type TrainingChanges, type TrainingConfig } from '../../../shared/training-config.ts'
import { storedBytesIn } from '../../core/models/sizes-in.ts'
import { formatBytes } from '../../../shared/units.ts'
import { totalMemory, type TrainingMemory } from '../../core/models/training-memory.ts'
import { foreseenMemory, type MemoryQuestion } from './run-memory.ts'
import type { Advice } from './advice.ts'

/** What a WebAssembly memory reaches, and what of it a run may be foreseen to take: evaluation and samples need some too. */
const WASM_BYTES = 2 ** 32
const WASM_SHARE = 0.8
const MACHINE_SHARE = 0.8

export interface Fitted {
  readonly training: TrainingConfig
  /** What was chosen, or that nothing fits; null where the defaults do. */
  readonly advice: Advice | null
}

/**
 * The micro-batch first, which costs nothing; then frozen weights as their file has them, which changes no
 * number; then gradient checkpointing, which costs a third more time. What was asked for stays as it is, and so does a
 * ranker's micro-batch: it decides what is drawn and what stands against what.
 * @param machineBytes of memory in all
 */
export function fitTraining(
  question: MemoryQuestion,
  asked: TrainingChanges,
  engine: EngineName,
  machineBytes = totalmem(),
): Fitted {
  const { training } = question
  const limits = limitsOf(engine, machineBytes)
  const exceeded = (memory: TrainingMemory): Limit | undefined =>
    limits.find(({ bytes, taken }) => taken(memory) > bytes)
  const memory = foreseenMemory(question)
  const limit = memory === null ? undefined : exceeded(memory)
  if (memory === null || limit === undefined) return { training, advice: null }
  const foreseen = totalMemory(memory)
  const sizes =
    asked.microBatchSize === undefined && question.algorithm.data !== 'rankings'
      ? halvesOf(training)
      : [training.microBatchSize]
  const again = asked.gradientCheckpointing === undefined ? [false, true] : [training.gradientCheckpointing]
  const storages =
    asked.frozenStorage === undefined && keepsStored(question, engine) ? storagesOf(training) : [training.frozenStorage]
  for (const gradientCheckpointing of again)
    for (const [frozenStorage, microBatchSize] of storages.flatMap((storage) =>
      sizes.map((size) => [storage, size] as const),
    )) {
      const chosen = { microBatchSize, frozenStorage, gradientCheckpointing }
      const then = foreseenMemory(question, { ...training, ...chosen })!
      if (exceeded(then) !== undefined) continue
      const words = [
        ...(microBatchSize === training.microBatchSize ? [] : [`a micro-batch of ${microBatchSize}`]),
        ...(frozenStorage === training.frozenStorage ? [] : ['frozen weights as the file has them']),
        ...(gradientCheckpointing === training.gradientCheckpointing ? [] : ['gradient checkpointing']),
      ]
      return {
        training: { ...training, ...chosen },
        advice: {
          level: 'info',
          text: `${upperFirst(words.join(' and '))}, chosen so that training fits ${limit.name}: about ${formatBytes(totalMemory(then))} in place of ${formatBytes(foreseen)}. The updates are the same.`,
        },
      }
    }
  return {
    training,
    advice: {
      level: 'warning',
      text: `About ${formatBytes(foreseen)} are foreseen, more than ${limit.name} has to give: choose a smaller micro-batch, gradient checkpointing, LoRA with frozen weights in fewer bits, shorter sequences or a smaller model.`,
    },
  }
}

interface Limit {
  readonly bytes: number
  /** What of a run counts against it. */
  taken(memory: TrainingMemory): number
  readonly name: string
}

/** What the engine reaches, where it reaches less than the machine has, and the machine. */
function limitsOf(engine: EngineName, machineBytes: number): Limit[] {
  const machine = {
    bytes: MACHINE_SHARE * machineBytes,
    taken: totalMemory,
    name: `this machine’s ${formatBytes(machineBytes)}`,
  }
  if (engine !== 'wasm') return [machine]
  const wasm = {
    bytes: WASM_SHARE * WASM_BYTES,
    taken: (memory: TrainingMemory) => totalMemory(memory) - memory.program, // which lies beside the engine's memory
    name: `the ${formatBytes(WASM_BYTES)} of the WebAssembly engine`,
  }
  return wasm.bytes < machine.bytes ? [wasm, machine] : [machine]
}

function storagesOf({ frozenStorage }: TrainingConfig): TrainingConfig['frozenStorage'][] {
  return frozenStorage === 'float32' ? ['float32', 'stored'] : [frozenStorage]
}

/** Whether the engine can multiply them so, and the file has them so. */
function keepsStored({ folder, training }: MemoryQuestion, engine: EngineName): boolean {
  return (
    folder !== null &&
    training.adapt !== 'full' &&
    (PACKED_ENGINES as readonly EngineName[]).includes(engine) &&
    storedBytesIn(folder) !== null
  )
}

/** The micro-batch, and its halves. */
function halvesOf({ microBatchSize, batchSize }: TrainingConfig): number[] {
  const sizes = [microBatchSize]
  for (let size = Math.floor(Math.min(microBatchSize, batchSize) / 2); size >= 1; size = Math.floor(size / 2))
    sizes.push(size)
  return sizes
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
