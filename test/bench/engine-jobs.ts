// What the engine benchmark measures: the same weights, rows and numbers for every engine and for the peer.
import type { EncodedCompletion, EncodedPair } from '../../main/core/learn/tokens/encode-rows.ts'
import { presetConfig, type DecoderConfig } from '../../main/core/learn/models/decoder.ts'
import type { LoraOptions } from '../../main/core/learn/models/adapters.ts'
import { SMOLLM2 } from './smollm2-shape.ts'
import { createRandom } from '../support/seeded.ts'

export interface Shape {
  readonly config: DecoderConfig
  /** Sequences of a step; half as many pairs. */
  readonly rows: number
  /** Tokens of a sequence. */
  readonly time: number
  /** Steps timed together in a round. */
  readonly inner: number
  readonly jobs: readonly JobName[]
}

export const JOBS = ['sft', 'dpo', 'lora-sft', 'lora-dpo', 'sample-1', 'sample-8', 'load'] as const
export type JobName = (typeof JOBS)[number]
/** Jobs that learn; with `lora-` adapters alone do, beside frozen weights. */
export type StepJob = Exclude<JobName, 'sample-1' | 'sample-8' | 'load'>

const OWN_JOBS = ['sft', 'dpo', 'sample-1', 'sample-8', 'load'] as const

export const SHAPES: Record<'small' | 'large' | 'smollm2', Shape> = {
  small: { config: presetConfig('micro', 512), rows: 4, time: 128, inner: 10, jobs: OWN_JOBS },
  large: { config: presetConfig('small', 4096), rows: 8, time: 128, inner: 2, jobs: OWN_JOBS },
  smollm2: {
    config: SMOLLM2,
    rows: 8,
    time: 128,
    inner: 1,
    jobs: ['lora-sft', 'lora-dpo', 'sample-1', 'sample-8', 'load'],
  },
}
export type ShapeName = keyof typeof SHAPES

/** Adapters beside every linear layer, as people train models of this size. */
export const LORA = { rank: 16, alpha: 32, dropout: 0, targets: 'all-linear' } as const satisfies LoraOptions

/** Adam as in the runs of the app, without clipping, at a rate that stays put. */
export const LEARNING_RATE = 1e-3
export const BETA = 0.1
export const PROMPT_TOKENS = 16
export const SAMPLED_TOKENS = 64

export function kindOf(job: StepJob): 'sft' | 'dpo' {
  return job.endsWith('sft') ? 'sft' : 'dpo'
}

/** Beside the weights of a shape that has jobs with adapters. */
export const ADAPTERS_FILE = 'adapters.safetensors'

/** Pairs of one job: SFT reads the chosen side alone; a DPO pair shares a prompt of half the length. */
export function pairsOf(shape: ShapeName, job: 'sft' | 'dpo'): EncodedPair[] {
  const { rows, time, config } = SHAPES[shape]
  const random = createRandom(7)
  const tokens = (count: number): number[] =>
    Array.from({ length: count }, () => Math.floor(random() * config.vocabSize))
  const promptLength = job === 'sft' ? 1 : time / 2
  return Array.from({ length: job === 'sft' ? rows : rows / 2 }, (_none, at): EncodedPair => {
    const prompt = tokens(promptLength)
    const side = (): EncodedCompletion => ({ prompt, completion: tokens(time - promptLength), text: '' })
    return {
      pairId: String(at),
      promptText: String(at),
      chosen: side(),
      rejected: side(),
      preference: 1,
      strength: 1,
      weight: 1,
      swapped: false,
    }
  })
}

/** Made-up log-probs of the reference, so that no second model has to be run: position by position, the same for all. */
export function referenceOf(one: EncodedCompletion): Float32Array {
  return Float32Array.from(one.completion, (_id, at) => -6 - 0.5 * Math.sin(at))
}

export function promptsOf(shape: ShapeName, count: number): number[][] {
  const random = createRandom(11)
  return Array.from({ length: count }, () =>
    Array.from({ length: PROMPT_TOKENS }, () => Math.floor(random() * SHAPES[shape].config.vocabSize)),
  )
}

/** One line from the orchestrator to a participant. */
export interface Request {
  readonly shape: ShapeName
  readonly job: JobName
  /** Units of work: steps, generations or loads. */
  readonly count: number
  /** Begins the job anew from the first weights. */
  readonly fresh: boolean
}

/** One line back. */
export interface Reply {
  readonly ms: readonly number[]
  /** Processor time of each, over all threads: what a machine shared with others does not lengthen. */
  readonly cpuMs: readonly number[]
  /** Losses of the steps, or the tokens of a greedy completion: what shows that the work was the same. */
  readonly check: readonly number[]
  readonly error?: string
}

/** First line of a participant. */
export interface Hello {
  readonly name: string
  readonly device: string
  readonly version: string
}

/** Last line, asked for with `"end"`. */
export interface Goodbye {
  readonly peakBytes: number
  /** Most that was held on the graphics card; null where there is none, or nobody counts. */
  readonly cardBytes: number | null
  /** Tensors alive after the first and after the last round of steps; null where there is no count. */
  readonly tensors: readonly [number, number] | null
}
