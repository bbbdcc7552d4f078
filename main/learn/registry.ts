import { AppError } from '../../shared/errors.ts'
import { copg } from './algorithms/copg.ts'
import { dpo } from './algorithms/dpo.ts'
import { ipo } from './algorithms/ipo.ts'
import { rewardModel } from './algorithms/reward-model.ts'
import { sft } from './algorithms/sft.ts'
import type { Algorithm } from './define.ts'

/** Every method, in the order in which they are shown. One line each. */
// A method's config type is known only inside its own page; outside, its schema stands guard.
export const algorithms: readonly Algorithm[] = [
  sft,
  dpo,
  ipo,
  copg,
  rewardModel,
] as unknown as readonly Algorithm[]

/** @throws AppError `spec-invalid` */
export function findAlgorithm(id: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm.id === id)
  if (found !== undefined) return found
  throw new AppError({ code: 'spec-invalid', message: `There is no method called "${id}".`, hint: `Choose one of: ${algorithms.map((algorithm) => algorithm.id).join(', ')}.` })
}
