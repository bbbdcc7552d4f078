import { createHash } from 'node:crypto'
import { runSummary } from '../../shared/contract/runs.ts'
import { runSpec } from '../../shared/run-spec.ts'
import type { ComparedRun } from '../../main/app/runs/comparison-groups.ts'

export const ACCURACY = 'eval/rewards/accuracies'

export interface RunSketch {
  readonly method: string
  readonly seed: number
  readonly accuracy: readonly (number | null)[]
  readonly beta?: number
  readonly state?: string
  readonly viewHash?: string
  readonly name?: string
  readonly appVersion?: string
  /** Beside β. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly training?: Readonly<Record<string, unknown>>
  readonly data?: Readonly<Record<string, unknown>>
  /** The step that its validation side chose. */
  readonly chosen?: number
  readonly vocabSize?: number
}

/** Evaluations at steps 50, 100 …; a training loss at the same steps. */
export function sketch({
  method,
  seed,
  accuracy,
  beta = 0.1,
  state = 'finished',
  viewHash = 'view',
  name = '',
  appVersion = '1',
  config = {},
  training = {},
  data = {},
  chosen,
  vocabSize,
}: RunSketch): ComparedRun {
  const step = accuracy.map((_, index) => 50 * (index + 1))
  const totalSteps = 50 * accuracy.length
  const rest = [config, training, data].some((part) => Object.keys(part).length > 0)
    ? createHash('sha256')
        .update(JSON.stringify([config, training, data]))
        .digest('hex')
        .slice(0, 12)
    : ''
  const runId = `${method}-${beta}-${seed}${rest === '' ? '' : `-${rest}`}`.replaceAll('.', '')
  const groupHash = `${method}:${beta}${rest === '' ? '' : `:${rest}`}`
  return {
    chosen: chosen ?? null,
    vocabSize: vocabSize ?? null,
    summary: runSummary.parse({
      runId,
      name,
      method,
      methodName: method.toUpperCase(),
      datasetId: 'd',
      datasetName: 'D',
      state,
      seed,
      groupHash,
      engine: 'cpu',
      step: state === 'finished' ? totalSteps : 50,
      totalSteps,
      createdAtMs: seed,
      startedAtMs: null,
      endedAtMs: null,
      trainedMs: null,
      remainingMs: null,
      queuePosition: null,
      mainMetric: ACCURACY,
      mainValue: null,
      best: null,
      spark: [],
      pretrained: false,
      resumable: false,
      diskBytes: 0,
      phase: '',
      error: null,
      note: '',
    }),
    spec: runSpec.parse({
      formatVersion: 1,
      runId,
      name,
      appVersion,
      createdAtMs: seed,
      method,
      config: { beta, ...config },
      training: { ...trainingDefaults(totalSteps), ...training },
      groupHash,
      seed,
      engine: 'cpu',
      data: {
        datasetId: 'd',
        datasetName: 'D',
        fingerprint: 'f',
        split: { seed: 0, validation: 0.1, test: 0.2 },
        annotators: [],
        aggregation: 'mean',
        viewHash,
        viewPath: `/elsewhere/${seed}`,
        labelCount: 9,
        counts: { train: 7, validation: 1, test: 1 },
        ...data,
      },
      model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' }, tiedEmbeddings: true },
      judge: null,
      rewardModelPath: null,
      cacheFolder: `/cache/${seed}`,
    }),
    curves: {
      [ACCURACY]: { step, value: accuracy },
      loss: { step, value: accuracy.map((_, index) => 1 / (index + 1)) },
    },
  }
}

function trainingDefaults(steps: number): Record<string, unknown> {
  return {
    steps,
    batchSize: 4,
    microBatchSize: 4,
    learningRate: 1e-3,
    warmupFraction: 0,
    schedule: 'cosine',
    minLearningRateRatio: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    clipNorm: 1,
    dropout: 0,
    maxLength: 64,
    evalEvery: 50,
    evalPairs: 8,
    checkpointEvery: 0,
    keepCheckpoints: 1,
    samplePrompts: 0,
    sampleTokens: 8,
    sampleTemperature: 1,
  }
}
