// Settings of each way to train on judged queries, chosen by queries that are held out of them within a fold: the fold's own
// held-out queries have no say.
import { mean } from '../../../shared/statistics/intervals.ts'
import { createFeatureScorer, type FeatureScorer } from '../../core/learn/models/scorers.ts'
import { createRandom } from '../../core/learn/random.ts'
import { tf } from '../../core/learn/tf.ts'
import type { Cranfield } from './cranfield-data.ts'
import {
  rerankedNdcg,
  trainByUtility,
  trainOnJudged,
  trainOnTitles,
  type CranfieldTraining,
} from './cranfield-training.ts'
import { PGRANK_CRANFIELD } from './thresholds.ts'

/** How long and how fast each of the two trains on judgments. */
export interface JudgedSettings {
  readonly pgSteps: number
  readonly pgRate: number
  readonly judgedSteps: number
  readonly judgedRate: number
}

const { training, hidden, choice } = PGRANK_CRANFIELD
/** Of the networks that are trained to choose; those that are reported have the seeds of the form. */
const SEED = 1

/** @param queries those that may be trained on; the network and its warm start are as everywhere */
export async function chooseSettings(data: Cranfield, queries: readonly number[]): Promise<JudgedSettings> {
  const random = createRandom(SEED)
  const scorer = createFeatureScorer({ features: data.featureCount, hidden: [hidden], random: random.fork('weights') })
  await trainOnTitles(scorer, data, training, random.fork('titles'))
  const warm = Object.values(scorer.variables).map((variable) => variable.clone())
  const order = random.fork('inner folds').shuffle([...queries])
  const scoreOf = async (train: (queries: readonly number[]) => Promise<void>): Promise<number> => {
    const found: number[] = []
    for (let fold = 0; fold < choice.folds; fold += 1) {
      restoreWeights(scorer, warm)
      await train(order.filter((_query, at) => at % choice.folds !== fold))
      found.push(
        ...rerankedNdcg(
          scorer,
          data,
          order.filter((_query, at) => at % choice.folds === fold),
        ),
      )
    }
    return mean(found)
  }
  const settings = choice.rates.flatMap((rate) => choice.steps.map((steps) => ({ rate, steps })))
  const pg: { readonly rate: number; readonly steps: number; readonly value: number }[] = []
  const judged: typeof pg = []
  for (const one of settings) {
    const changed: CranfieldTraining = { ...training, pgSteps: one.steps, pgRate: one.rate, contrastRate: one.rate }
    pg.push({
      ...one,
      value: await scoreOf((some) => trainByUtility(scorer, data, some, changed, random.fork('pg-rank'))),
    })
    judged.push({
      ...one,
      value: await scoreOf((some) => trainOnJudged(scorer, data, some, changed, one.steps, random.fork('judged'))),
    })
  }
  tf.dispose(warm)
  scorer.dispose()
  const [bestPg, bestJudged] = [best(pg), best(judged)]
  return { pgSteps: bestPg.steps, pgRate: bestPg.rate, judgedSteps: bestJudged.steps, judgedRate: bestJudged.rate }
}

/** The first of the best. */
function best<T extends { readonly value: number }>(tried: readonly T[]): T {
  return tried.reduce((top, one) => (one.value > top.value ? one : top))
}

/** @param weights in the order of the scorer's variables */
export function restoreWeights(scorer: FeatureScorer, weights: readonly tf.Tensor[]): void {
  Object.values(scorer.variables).forEach((variable, at) => variable.assign(weights[at]!))
}
