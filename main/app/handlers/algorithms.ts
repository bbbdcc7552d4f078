import { z } from 'zod'
import type { AlgorithmInfo } from '../../../shared/contract/system.ts'
import type { Handlers } from '../../../shared/rpc.ts'
import { trainingConfig } from '../../../shared/training-config.ts'
import { kindsOf, type AlgorithmPage } from '../../core/learn/define.ts'
import { algorithms } from '../../core/learn/registry.ts'
import { inSlices, type Sliced } from '../store/slices.ts'

export function algorithmHandlers(): Pick<Handlers, 'algorithms.list'> {
  let infos: AlgorithmInfo[] | null = null // methods do not change while the app runs
  return { 'algorithms.list': async () => (infos ??= await inSlices(describeAll())) }
}

function* describeAll(): Sliced<AlgorithmInfo[]> {
  const infos: AlgorithmInfo[] = []
  for (const algorithm of algorithms) {
    infos.push(toInfo(algorithm))
    yield
  }
  return infos
}

function toInfo(algorithm: AlgorithmPage): AlgorithmInfo {
  const { id, name, summary, paper, equation, deviations, data, role, models, needsReference, metrics, presets } =
    algorithm
  return {
    id,
    name,
    summary,
    paper,
    equation,
    data,
    kinds: [...kindsOf(algorithm)],
    role,
    needsReference,
    learns: algorithm.learns !== false,
    models: [...models],
    deviations: [...deviations],
    metrics: [...metrics],
    presets: presets.map(({ suits, ...preset }) => ({
      ...preset,
      ...(suits === undefined ? {} : { suits: [...suits] }),
      config: toJson(preset.config),
      training: toJson(preset.training),
    })),
    configSchema: schemaOf(algorithm.config),
    trainingSchema: schemaOf(trainingConfig),
  }
}

/** What a person fills in: fields with a default are optional. */
function schemaOf(schema: z.ZodType): AlgorithmInfo['configSchema'] {
  return z.json().parse(z.toJSONSchema(schema, { io: 'input' }))
}

function toJson(value: unknown): AlgorithmInfo['presets'][number]['config'] {
  return z.record(z.string(), z.json()).parse(value)
}
