import { z } from 'zod'

/** Branded, so that a run's id can never be passed for a data set's. */
export const datasetId = z.string().min(1).brand<'DatasetId'>()
export type DatasetId = z.infer<typeof datasetId>
export const runId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,79}$/, 'a run id is lower-case letters, digits and dashes')
  .brand<'RunId'>()
export type RunId = z.infer<typeof runId>
/** Which weights of a run: those that validation chose, the last, or those of a step of which there is a checkpoint. */
export const checkpointChoice = z.union([z.enum(['best', 'last']), z.int().nonnegative()])
export type CheckpointChoice = z.infer<typeof checkpointChoice>
export const modelId = z.string().min(1).brand<'ModelId'>()
export type ModelId = z.infer<typeof modelId>
export const annotatorId = z.string().min(1).brand<'AnnotatorId'>()
export type AnnotatorId = z.infer<typeof annotatorId>
export const jobId = z.string().min(1).brand<'JobId'>()
export type JobId = z.infer<typeof jobId>

export const runStates = [
  'queued',
  'starting',
  'training',
  'evaluating',
  'finished',
  'failed',
  'cancelled',
  'interrupted',
  'lost',
] as const
export const runState = z.enum(runStates)
export type RunState = z.infer<typeof runState>

/**
 * Legal moves of a run. `interrupted`: ended on request or with the app, at a checkpoint. `lost`: silent and its
 * process gone. Both can be resumed, and so can a failed or cancelled run that has a checkpoint.
 */
export const RUN_TRANSITIONS: { readonly [S in RunState]: readonly RunState[] } = {
  queued: ['starting', 'cancelled'],
  starting: ['training', 'evaluating', 'failed', 'cancelled', 'interrupted', 'lost'],
  training: ['evaluating', 'finished', 'failed', 'cancelled', 'interrupted', 'lost'],
  evaluating: ['training', 'finished', 'failed', 'cancelled', 'interrupted', 'lost'],
  finished: [],
  failed: ['queued'],
  cancelled: ['queued'],
  interrupted: ['queued'],
  lost: ['queued', 'training', 'evaluating', 'finished', 'failed', 'cancelled', 'interrupted'],
}

export function canMove(from: RunState, to: RunState): boolean {
  return RUN_TRANSITIONS[from].includes(to)
}

/** A trainer process should exist in these. */
export const LIVE_STATES: readonly RunState[] = ['starting', 'training', 'evaluating']
export const ENDED_STATES: readonly RunState[] = ['finished', 'failed', 'cancelled', 'interrupted', 'lost']

export function isLive(state: RunState): boolean {
  return LIVE_STATES.includes(state)
}

/** In order of preference where the speed is not known: the first that works is taken. */
export const engineName = z.enum(['tensorflow', 'webgpu', 'wasm', 'cpu'])
export type EngineName = z.infer<typeof engineName>

/** How a number is read: which direction is better, and its unit. Declared by each method. */
export const metricInfo = z.strictObject({
  /** TRL's name where TRL has one: `rewards/chosen`, `eval/rewards/accuracies` … */
  name: z.string(),
  label: z.string(),
  unit: z.string(),
  goal: z.enum(['min', 'max', 'none']),
  /** One plain sentence: what it is and what a healthy curve does. */
  help: z.string(),
})
export type MetricInfo = z.infer<typeof metricInfo>

/** What a run's checkpoint can be used as. */
export const algorithmRole = z.enum(['policy', 'reward-model', 'ranker', 'embedder'])
export type AlgorithmRole = z.infer<typeof algorithmRole>
