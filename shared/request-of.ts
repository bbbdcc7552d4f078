import type { ModelSpec, RunRequest, RunSpec } from './run-spec.ts'

function modelOf(model: RunSpec['model']): ModelSpec {
  if (model.kind === 'new' || model.kind === 'networks') return model
  return model.kind === 'run'
    ? { kind: 'run', runId: model.runId, checkpoint: model.checkpoint, bySeed: model.bySeed ?? false }
    : { kind: 'registered', modelId: model.modelId }
}

/** The request that made a run, for this one seed. */
export function requestOf(spec: RunSpec): RunRequest {
  const { datasetId, split, annotators, aggregation } = spec.data
  return {
    method: spec.method,
    preset: null,
    config: spec.config,
    training: spec.training,
    model: modelOf(spec.model),
    data: { datasetId, split, annotators, aggregation },
    judge: spec.judge?.source ?? null,
    engine: spec.engineChoice.automatic ? 'auto' : spec.engine,
    threads: spec.threads,
    seeds: [spec.seed],
    name: spec.name,
  }
}
