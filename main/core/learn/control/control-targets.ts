// Networks that follow another one slowly, by the ending of their name.
import { blendInto, type Mlp } from '../models/mlp.ts'

const ENDING = '-target'

export function isTarget(name: string): boolean {
  return name.endsWith(ENDING)
}

/** The network that it follows; a name that is no target's is given back. */
export function sourceOfTarget(name: string): string {
  return isTarget(name) ? name.slice(0, -ENDING.length) : name
}

/** target ← target + share · (source − target) for every network that has a target (Polyak averaging). */
export function followTargets(networks: Readonly<Record<string, Mlp>>, share: number): void {
  for (const [name, target] of Object.entries(networks))
    if (isTarget(name)) blendInto(target, networks[sourceOfTarget(name)]!, share)
}
