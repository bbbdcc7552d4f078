// Who acts where nobody has learned yet: the scripts of a world, and their names in data.
import type { Policy, WorldKind } from './define.ts'
import { noisy } from './roll-out.ts'

export type ScriptName = 'expert' | 'weak' | 'random'

/** @param noise deviation of the Gaussian noise on actions; random ones have none */
export function scriptOf(kind: WorldKind, script: ScriptName, noise: number): Policy {
  if (script !== 'random') return withNoise(kind[script], noise)
  const limit = Number.isFinite(kind.info.actionLimit) ? kind.info.actionLimit : 1
  return (_observation, source) => kind.info.action.map(() => limit * (2 * source.uniform() - 1))
}

export function withNoise(policy: Policy, noise: number): Policy {
  return noise > 0 ? noisy(policy, noise) : policy
}

/** As segments say who acted: "weak, noise 0.3". */
export function behaviourName(who: string, noise: number): string {
  return noise > 0 && who !== 'random' ? `${who}, noise ${noise}` : who
}

/** The reverse; null where it was none of the scripts. */
export function readBehaviour(name: string): { readonly script: ScriptName; readonly noise: number } | null {
  const found = /^(expert|weak|random)(?:, noise ([\d.e+-]+))?$/.exec(name)
  if (found === null) return null
  const noise = Number(found[2] ?? 0)
  return Number.isFinite(noise) ? { script: found[1] as ScriptName, noise } : null // of the expression
}
