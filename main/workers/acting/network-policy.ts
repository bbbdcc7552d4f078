import { actWith } from '../../core/learn/control/control-run.ts'
import { createMlp } from '../../core/learn/models/mlp.ts'
import type { BatchPolicy } from '../../core/worlds/roll-out.ts'
import { readPolicyFile } from './learned-policy.ts'

/** A trained policy on the engine that is open, as its run's evaluations act. @throws AppError `spec-invalid` */
export function openNetworkPolicy(folder: string, world: string): BatchPolicy {
  const { config, tensors } = readPolicyFile(folder, world)
  const policy = createMlp(config, tensors)
  return (observations, rows) => actWith(policy, observations, rows)
}
