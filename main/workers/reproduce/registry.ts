import { findExperiment, type ExperimentId } from '../../core/experiments.ts'
import { copgBandit } from './copg-bandit.ts'
import { copgSettings } from './copg-settings.ts'
import { copgText } from './copg-text.ts'
import { cplControl } from './cpl-control.ts'
import { cplLqr } from './cpl-lqr.ts'
import { cplRegretVsReward } from './cpl-regret-vs-reward.ts'
import { cplSettings } from './cpl-settings.ts'
import { graceCancellation } from './grace-cancellation.ts'
import { graceMini } from './grace-mini.ts'
import { graceSettings } from './grace-settings.ts'
import { pgRankCranfield } from './pgrank-cranfield.ts'
import { pgRankExact } from './pgrank-exact.ts'
import { pgRankLists } from './pgrank-lists.ts'
import { pgRankLtr } from './pgrank-ltr.ts'
import { pgRankSettings } from './pgrank-settings.ts'
import type { Reproduction } from './define.ts'

/** How each experiment of main/core/experiments.ts is run. */
const REPRODUCTIONS: Readonly<Record<ExperimentId, Reproduction>> = {
  'copg-bandit': copgBandit,
  'copg-text': copgText,
  'cpl-lqr': cplLqr,
  'cpl-control': cplControl,
  'cpl-regret-vs-reward': cplRegretVsReward,
  'pgrank-exact': pgRankExact,
  'pgrank-lists': pgRankLists,
  'pgrank-ltr': pgRankLtr,
  'pgrank-cranfield': pgRankCranfield,
  'grace-mini': graceMini,
  'grace-cancellation': graceCancellation,
  'copg-settings': copgSettings,
  'cpl-settings': cplSettings,
  'pgrank-settings': pgRankSettings,
  'grace-settings': graceSettings,
}

/** @throws AppError `not-found` */
export function findReproduction(id: string): Reproduction {
  return REPRODUCTIONS[findExperiment(id).id]
}
