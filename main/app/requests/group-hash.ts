import { createHash } from 'node:crypto'
import type { ModelSpec, RewardSource, RunRequest } from '../../../shared/run-spec.ts'
import { trainingConfig, type TrainingConfig } from '../../../shared/training-config.ts'
import { type TextLayout } from '../../../shared/text-layouts.ts'
import type { AlgorithmPage } from '../../core/learn/define.ts'
import type { View } from '../data/view.ts'
import type { StartPoint } from './find-checkpoint.ts'
import type { RegisteredModel } from './find-model.ts'
import { laterSettings, withoutNeutral, type Json } from './later-settings.ts'

/** What a run is, but for its seed and its name. */
export interface Grouped {
  readonly request: RunRequest
  readonly algorithm: Pick<AlgorithmPage, 'config' | 'data'>
  readonly config: Readonly<Record<string, unknown>>
  readonly training: TrainingConfig
  readonly layout: TextLayout
  readonly start: StartPoint | null
  readonly registered: RegisteredModel | null
  readonly rewardModel: StartPoint | null
  readonly judge: StartPoint | null
}

/**
 * Runs that share it differ only in seeds: their own, and those of the runs they start from or are judged by, so that
 * "DPO from SFT, each seed its own" is one group. A changed label or split makes another group.
 */
export function groupHashOf(
  { request, algorithm, config, training, layout, start, registered, rewardModel, judge }: Grouped,
  view: View,
): string {
  const source = (value: RewardSource | null, at: StartPoint | null): unknown =>
    value?.kind === 'reward-model' ? { kind: 'reward-model', group: at?.run.groupHash ?? value.runId } : value
  const rewards = config['rewards'] as RewardSource | undefined // where a config has the key, its schema is rewardSource
  return hashOf({
    method: request.method,
    config: {
      ...withoutNeutral(config, laterSettings(algorithm.config)),
      ...(rewards === undefined ? {} : { rewards: source(rewards, rewardModel) }),
    },
    ...identityOf(asLearned(training, algorithm.data), layout),
    model: modelIdentity(request.model, start, registered),
    data: { ...request.data, viewHash: view.viewHash },
    judge: source(request.judge, judge),
  })
}

/**
 * Without what says how a batch goes through the model and changes no update (`fitTraining`): it is chosen by the memory of the
 * machine, and seeds of one configuration may be trained on several. A ranker's micro-batch decides what stands against what.
 */
function asLearned(training: TrainingConfig, data: AlgorithmPage['data']): TrainingConfig {
  const { microBatchSize, gradientCheckpointing } = (unfitted ??= trainingConfig.parse({}))
  return {
    ...training,
    microBatchSize: data === 'rankings' ? training.microBatchSize : microBatchSize,
    gradientCheckpointing,
    frozenStorage: training.frozenStorage === 'stored' ? 'float32' : training.frozenStorage,
  }
}

let unfitted: TrainingConfig | null = null

/** However the layout came to be chosen. Runs from before there were layouts, all in Pairlab's own tags, keep their groups. */
function identityOf({ layout: _asked, ...training }: TrainingConfig, layout: TextLayout): object {
  const told = withoutNeutral(training, (laterTraining ??= laterSettings(trainingConfig)))
  return layout === 'tags' ? { training: told } : { training: told, layout }
}

let laterTraining: Readonly<Record<string, Json>> | null = null

/** The same weights under another name are the same model. */
function modelIdentity(model: ModelSpec, start: StartPoint | null, registered: RegisteredModel | null): unknown {
  if (model.kind === 'run')
    return { kind: 'run', group: start?.run.groupHash ?? model.runId, checkpoint: model.checkpoint }
  return model.kind === 'registered' ? { kind: 'registered', hash: registered?.hash ?? model.modelId } : model
}

/** sha256 of the value's JSON with sorted keys. */
function hashOf(value: unknown): string {
  const sorted = (_key: string, inner: unknown): unknown =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('hex')
}
