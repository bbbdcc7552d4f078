import { z } from 'zod'
import type { MemoryEstimate } from '../../../shared/contract/runs.ts'
import type { DataKind } from '../../../shared/data-kinds.ts'
import { fieldsOf } from '../../../shared/form.ts'
import { writesSamples, type RunRequest } from '../../../shared/run-spec.ts'
import { trainingConfig, type TrainingConfig } from '../../../shared/training-config.ts'
import { keepsReference, type AlgorithmPage } from '../../core/learn/define.ts'
import type { ContrastMethod } from '../../core/learn/embed/contrast.ts'
import { isRankingAlgorithm, isTextAlgorithm } from '../../core/learn/registry.ts'
import { pairLoad, rankingLoad, type TrainingLoad } from '../../core/learn/training-load.ts'
import { embedderSizesIn, sizesIn, sizesOfNew, storedBytesIn } from '../../core/models/sizes-in.ts'
import { decoderSizes, type NetworkSizes } from '../../core/models/network-sizes.ts'
import { totalMemory, trainingMemory, type Beside, type TrainingMemory } from '../../core/models/training-memory.ts'

/** Settings whose choices say what they would take. */
const CHOICES = ['adapt', 'gradientCheckpointing', 'frozenStorage', 'loraTargets'] as const
const fields = fieldsOf(z.toJSONSchema(trainingConfig, { io: 'input' }))

export interface MemoryQuestion {
  readonly request: RunRequest
  readonly algorithm: AlgorithmPage
  /** Of the data set. */
  readonly kind: DataKind
  /** The method's own settings; those that it refuses foresee nothing. */
  readonly config: unknown
  readonly training: TrainingConfig
  /** Of the run or the model that it starts from; null for a new one. */
  readonly folder: string | null
  /** Checkpoint of the reward model that gives the rewards; null where none does. */
  readonly rewardModel: string | null
  /** The same of the one that judges samples. */
  readonly judge: string | null
}

/** With settings of training that may change, the rest looked up once. Null for networks on numbers, and where the model to start from is not known. */
function foreseer(question: MemoryQuestion): ((training: TrainingConfig) => TrainingMemory) | null {
  const { algorithm, request, rewardModel, judge } = question
  const parsed = algorithm.config.safeParse(question.config)
  const network = sizesOf(question, parsed.data)
  if (network === null || !parsed.success) return null
  const writes = isTextAlgorithm(algorithm) && (algorithm.rollout?.(parsed.data) ?? null) !== null
  const judges = writesSamples(algorithm) && question.training.samplePrompts > 0
  const scorer = (folder: string | null): NetworkSizes[] =>
    folder === null ? [] : [decoderSizes(sizesIn(folder, true))]
  const beside: Beside = {
    reference: keepsReference(algorithm, request.model.kind),
    scorers: [...(writes ? scorer(rewardModel) : []), ...(judges ? scorer(judge) : [])],
    scoredBefore: scorer(rewardModel)[0] ?? null,
    stored: storedOf(question),
  }
  return (training) => trainingMemory(network, training, loadOf(question, parsed.data, training), beside)
}

function loadOf({ algorithm, kind }: MemoryQuestion, config: unknown, training: TrainingConfig): TrainingLoad {
  if (isTextAlgorithm(algorithm)) return pairLoad(algorithm, config, training, training.evalPairs, kind)
  if (isRankingAlgorithm(algorithm)) return rankingLoad(algorithm, config, training)
  return (algorithm as ContrastMethod).load(config, training) // of the kinds that read tokens the third
}

function sizesOf({ request: { model }, algorithm, folder }: MemoryQuestion, config: unknown): NetworkSizes | null {
  if (model.kind === 'networks') return null
  if (isRankingAlgorithm(algorithm)) {
    const head = (config as { readonly scorer?: unknown } | undefined)?.scorer === 'cross-encoder'
    if (model.kind === 'new') return decoderSizes(sizesOfNew({ ...model, tiedEmbeddings: true }, false), 'vectors')
    return folder === null ? null : embedderSizesIn(folder, head)
  }
  if (!algorithm.models.includes('decoder')) return null
  const scoreHead = algorithm.role === 'reward-model'
  if (model.kind === 'new') return decoderSizes(sizesOfNew(model, scoreHead))
  return folder === null ? null : decoderSizes(sizesIn(folder, scoreHead))
}

function storedOf({ folder, training }: MemoryQuestion): Beside['stored'] {
  return folder === null || training.adapt === 'full' ? undefined : (storedBytesIn(folder) ?? undefined)
}

/** By its parts, with other settings of training; null as `foreseeMemory`. */
export function foreseenMemory(question: MemoryQuestion, training = question.training): TrainingMemory | null {
  return foreseer(question)?.(training) ?? null
}

/** Null for what reads no tokens, and where the model to start from cannot be read; a problem of the request says why. */
export function foreseeMemory(question: MemoryQuestion): MemoryEstimate | null {
  const { training } = question
  const memory = foreseer(question)
  if (memory === null) return null
  const total = (changes: Partial<TrainingConfig>): number =>
    Math.round(totalMemory(memory({ ...training, ...changes })))
  const parts = Object.entries(memory(training)).map(([name, bytes]) => ({ name, bytes: Math.round(bytes) }))
  const choices = Object.fromEntries(
    CHOICES.map((key) => {
      const field = fields.find((one) => one.path === key)!
      const values: readonly (string | boolean)[] = field.kind === 'boolean' ? [true, false] : field.options
      return [`training.${key}`, Object.fromEntries(values.map((value) => [String(value), total({ [key]: value })]))]
    }),
  )
  // Smaller parts of the same batch: the same update from less memory.
  const halves: Record<string, number> = {}
  for (let size = training.batchSize; size >= 1; size = Math.floor(size / 2))
    halves[String(size)] = total({ microBatchSize: size })
  return { parts, totalBytes: total({}), choices: { ...choices, 'training.microBatchSize': halves } }
}
