import { AppError } from '../../../shared/errors.ts'
import type { WorldKind } from './define.ts'
import { halfCheetah } from './half-cheetah.ts'
import { lqr } from './lqr.ts'
import { pendulum } from './pendulum.ts'
import { pointMass } from './point-mass.ts'
import { push } from './push.ts'
import { reach } from './reach.ts'
import { reacher } from './reacher.ts'

/** Every world, in the order in which they are shown. One line each. */
export const worlds: readonly WorldKind[] = [lqr, pointMass, pendulum, reach, reacher, push, halfCheetah]

/** @throws AppError `spec-invalid` */
export function findWorld(id: string): WorldKind {
  const found = worlds.find((world) => world.info.id === id)
  if (found !== undefined) return found
  throw new AppError({
    code: 'spec-invalid',
    message: `There is no world called "${id}".`,
    hint: `Choose one of: ${worlds.map((world) => world.info.id).join(', ')}.`,
  })
}
