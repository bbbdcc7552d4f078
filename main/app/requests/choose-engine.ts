import type { RunRequest, RunSpec } from '../../../shared/run-spec.ts'
import { PACKED_ENGINES, type TrainingConfig } from '../../../shared/training-config.ts'
import type { HandlerDeps } from '../handlers/deps.ts'

/** What the request names, or what is fastest at training here, with what is tried after it. */
export function engineOf(
  engines: HandlerDeps['engines'],
  { engine }: RunRequest,
  training: TrainingConfig,
): Pick<RunSpec, 'engine' | 'engineChoice'> {
  if (engine !== 'auto')
    return { engine, engineChoice: { automatic: false, why: 'it was named in the request', others: [] } }
  if (training.frozenStorage !== 'float32' && training.adapt !== 'full') {
    const [first, ...others] = PACKED_ENGINES
    return {
      engine: first,
      engineChoice: {
        automatic: true,
        why: `it can multiply frozen weights kept as ${training.frozenStorage}`,
        others,
      },
    }
  }
  const { name, why } = engines.choose('training')
  return {
    engine: name,
    engineChoice: { automatic: true, why, others: engines.rank('training').filter((other) => other !== name) },
  }
}
