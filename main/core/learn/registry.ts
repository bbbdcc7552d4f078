import { AppError } from '../../../shared/errors.ts'
import { apoDown, apoZero } from './algorithms/apo.ts'
import { bc } from './algorithms/bc.ts'
import { bco } from './algorithms/bco.ts'
import { bm25 } from './algorithms/bm25.ts'
import { contrastive } from './algorithms/contrastive.ts'
import { copg } from './algorithms/copg.ts'
import { cpl } from './algorithms/cpl.ts'
import { dpo } from './algorithms/dpo.ts'
import { dpoNorm } from './algorithms/dpo-norm.ts'
import { grace } from './algorithms/grace.ts'
import { grpo } from './algorithms/grpo.ts'
import { infoNce } from './algorithms/infonce.ts'
import { ipo } from './algorithms/ipo.ts'
import { kto } from './algorithms/kto.ts'
import { languageModel } from './algorithms/language-model.ts'
import { listMle, listNet, rankNet, softmaxRanking } from './algorithms/listwise.ts'
import { onlineDpo } from './algorithms/online-dpo.ts'
import { orpo } from './algorithms/orpo.ts'
import { pgRank } from './algorithms/pg-rank.ts'
import { reinforce } from './algorithms/reinforce.ts'
import { rewardModel } from './algorithms/reward-model.ts'
import { rloo } from './algorithms/rloo.ts'
import { rpo } from './algorithms/rpo.ts'
import { sft } from './algorithms/sft.ts'
import { simpo } from './algorithms/simpo.ts'
import { slic } from './algorithms/slic.ts'
import { percentBc } from './algorithms/percent-bc.ts'
import { piql } from './algorithms/piql.ts'
import { sftPref } from './algorithms/sft-pref.ts'
import type { ControlMethod } from './control/control.ts'
import type { ContrastMethod } from './embed/contrast.ts'
import type { Algorithm, AlgorithmPage } from './define.ts'
import type { RankingAlgorithm } from './ranking/ranking.ts'

/** Every method, in the order in which they are shown. One line each. */
// A method's config type is known only inside its own page; outside, its schema stands guard.
export const algorithms: readonly AlgorithmPage[] = [
  sft,
  dpo,
  dpoNorm,
  rpo,
  ipo,
  simpo,
  orpo,
  slic,
  apoZero,
  apoDown,
  kto,
  bco,
  copg,
  reinforce,
  rloo,
  grpo,
  onlineDpo,
  rewardModel,
  pgRank,
  infoNce,
  softmaxRanking,
  listNet,
  rankNet,
  listMle,
  bm25,
  cpl,
  sftPref,
  bc,
  percentBc,
  piql,
  grace,
  contrastive,
  languageModel,
] as unknown as readonly AlgorithmPage[]

/** @throws AppError `spec-invalid` */
export function findAlgorithm(id: string): AlgorithmPage {
  const found = algorithms.find((algorithm) => algorithm.id === id)
  if (found !== undefined) return found
  throw new AppError({
    code: 'spec-invalid',
    message: `There is no method called "${id}".`,
    hint: `Choose one of: ${algorithms.map((algorithm) => algorithm.id).join(', ')}.`,
  })
}

/** @throws AppError `spec-invalid` for an unknown method, or one that learns from something else than pairs of completions */
export function findTextAlgorithm(id: string): Algorithm {
  const found = findAlgorithm(id)
  if (isTextAlgorithm(found)) return found
  throw new AppError({
    code: 'spec-invalid',
    message: `${found.name} learns from ${found.data}, not from pairs of completions.`,
    hint: 'Start the run again from its request.',
  })
}

export function isTextAlgorithm(page: AlgorithmPage): page is Algorithm {
  return page.data === 'response-pairs'
}

/** @throws AppError `spec-invalid` for an unknown method, or one that learns from something else than judged lists */
export function findRankingAlgorithm(id: string): RankingAlgorithm {
  const found = findAlgorithm(id)
  if (isRankingAlgorithm(found)) return found
  throw new AppError({
    code: 'spec-invalid',
    message: `${found.name} learns from ${found.data}, not from judged lists.`,
    hint: 'Start the run again from its request.',
  })
}

export function isRankingAlgorithm(page: AlgorithmPage): page is RankingAlgorithm {
  return page.data === 'rankings'
}

/** @throws AppError `spec-invalid` for an unknown method, or one that does not learn from segments */
export function findControlMethod(id: string): ControlMethod {
  const found = findAlgorithm(id)
  if (found.data === 'segment-pairs') return found as ControlMethod // only control methods have this kind
  throw new AppError({
    code: 'spec-invalid',
    message: `${found.name} learns from ${found.data}, not from segments.`,
    hint: 'Start the run again from its request.',
  })
}

/** @throws AppError `spec-invalid` */
export function findContrastMethod(id: string): ContrastMethod {
  const found = findAlgorithm(id)
  if (found.data === 'contrast-groups') return found as ContrastMethod // its pages are made by defineContrastMethod
  throw new AppError({
    code: 'spec-invalid',
    message: `${found.name} learns from ${found.data}, not from texts.`,
    hint: 'Start the run again from its request.',
  })
}
