import { z } from 'zod'
import type { MemoryEstimate } from '../../../shared/contract/runs.ts'
import { fieldsOf } from '../../../shared/form.ts'
import { type RunRequest } from '../../../shared/run-spec.ts'
import { trainingConfig, type TrainingConfig } from '../../../shared/training-config.ts'
import { keepsReference, type AlgorithmPage } from '../../core/learn/define.ts'
import type { DecoderConfig } from '../../core/learn/models/model-config.ts'
import { sizesIn, sizesOfNew, storedBytesIn } from '../../core/models/decoder-sizes.ts'
import { totalMemory, trainingMemory, type StoredBytes } from '../../core/models/training-memory.ts'

/** Settings whose choices say what they would take. */
const CHOICES = ['adapt', 'gradientCheckpointing', 'frozenStorage', 'loraTargets'] as const
const fields = fieldsOf(z.toJSONSchema(trainingConfig, { io: 'input' }))

export interface MemoryQuestion {
  readonly request: RunRequest
  readonly algorithm: AlgorithmPage
  readonly training: TrainingConfig
  /** Of the run or the model that it starts from; null for a new one. */
  readonly folder: string | null
}

/** Null for what is no decoder, and where the model to start from is not known. */
function sizesOf({ request, algorithm, folder }: MemoryQuestion): DecoderConfig | null {
  if (!algorithm.models.includes('decoder') || request.model.kind === 'networks') return null
  const scoreHead = algorithm.role === 'reward-model'
  if (request.model.kind === 'new') return sizesOfNew(request.model, scoreHead)
  return folder === null ? null : sizesIn(folder, scoreHead)
}

/** All of it; null as `foreseeMemory`. */
export function foreseenBytes(question: MemoryQuestion): number | null {
  const config = sizesOf(question)
  if (config === null) return null
  const hasReference = keepsReference(question.algorithm, question.request.model.kind)
  return totalMemory(trainingMemory(config, question.training, hasReference, storedOf(question)))
}

function storedOf({ folder, training }: MemoryQuestion): StoredBytes | undefined {
  return folder === null || training.adapt === 'full' ? undefined : (storedBytesIn(folder) ?? undefined)
}

/** Null for what is no decoder, and where the model to start from cannot be read; a problem of the request says why. */
export function foreseeMemory(question: MemoryQuestion): MemoryEstimate | null {
  const { request, algorithm, training } = question
  const config = sizesOf(question)
  if (config === null) return null
  const hasReference = keepsReference(algorithm, request.model.kind)
  const stored = storedOf(question)
  const total = (changes: Partial<TrainingConfig>): number =>
    Math.round(totalMemory(trainingMemory(config, { ...training, ...changes }, hasReference, stored)))
  const parts = Object.entries(trainingMemory(config, training, hasReference, stored)).map(([name, bytes]) => ({
    name,
    bytes: Math.round(bytes),
  }))
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
