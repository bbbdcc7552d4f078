import { AppError } from '../../../shared/errors.ts'
import { copgBandit } from './copg-bandit.ts'
import { copgText } from './copg-text.ts'
import { cplControl } from './cpl-control.ts'
import { cplLqr } from './cpl-lqr.ts'
import { cplRegretVsReward } from './cpl-regret-vs-reward.ts'
import type { Reproduction } from './define.ts'
import { graceCancellation } from './grace-cancellation.ts'
import { graceMini } from './grace-mini.ts'
import { pgRankCranfield } from './pgrank-cranfield.ts'
import { pgRankExact } from './pgrank-exact.ts'
import { pgRankLists } from './pgrank-lists.ts'
import { pgRankLtr } from './pgrank-ltr.ts'

/** Every experiment that can be repeated here, in the order in which they are shown. One line each. */
export const reproductions: readonly Reproduction[] = [
  copgBandit,
  copgText,
  cplLqr,
  cplControl,
  cplRegretVsReward,
  pgRankExact,
  pgRankLists,
  pgRankLtr,
  pgRankCranfield,
  graceMini,
  graceCancellation,
]

/** @throws AppError `not-found` */
export function findReproduction(id: string): Reproduction {
  const found = reproductions.find((one) => one.id === id)
  if (found !== undefined) return found
  throw new AppError({ code: 'not-found', message: `There is no experiment called "${id}".`, hint: `Choose one of: ${reproductions.map((one) => one.id).join(', ')}.` })
}
