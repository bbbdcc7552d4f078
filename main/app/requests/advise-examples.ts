import type { Algorithm } from '../../core/learn/define.ts'
import { algorithms, isTextAlgorithm } from '../../core/learn/registry.ts'
import type { ViewContent } from '../data/view.ts'
import type { Advice } from './advice.ts'

/** (λ_D n_D) / (λ_U n_U) should lie between these: Ethayarajh et al. 2024 (arXiv 2402.01306), on KTO's weights. */
const BALANCED = { low: 1, high: 4 / 3 } as const
/** A share by which it may lie outside before it is worth a word. */
const SLACK = 0.1

/** What becomes of pairs whose answers are both bad, and whether a method that weighs examples has them in balance. */
export function adviseExamples(
  algorithm: Algorithm,
  config: Readonly<Record<string, unknown>>,
  content: ViewContent,
): Advice[] {
  const { badLeftOut } = content
  return [
    ...adviseBothBad(algorithm, content),
    ...(badLeftOut === 0
      ? []
      : [
          {
            level: 'info',
            text: `${badLeftOut} answers that were called bad are left out: ${algorithm.name} imitates the good ones.`,
          } as const,
        ]),
    ...adviseBalance(algorithm, config, content),
  ]
}

function adviseBothBad({ name, judgesEach }: Algorithm, { bothBadCount }: ViewContent): Advice[] {
  if (bothBadCount === 0) return []
  const pairs = bothBadCount === 1 ? '1 pair' : `${bothBadCount} pairs`
  if (judgesEach === true)
    return [{ level: 'info', text: `${pairs} labeled “both bad” are used: each gives two undesirable examples.` }]
  const others = algorithms.filter((one) => isTextAlgorithm(one) && one.judgesEach === true).map((one) => one.name)
  return [
    {
      level: 'info',
      text: `${pairs} labeled “both bad” are left out: ${name} learns from which of two answers is better. ${others.join(' and ')} judge each answer by itself and can use them.`,
    },
  ]
}

function adviseBalance(
  { name, exampleWeights }: Algorithm,
  config: Readonly<Record<string, unknown>>,
  { examples: { desirable, undesirable } }: ViewContent,
): Advice[] {
  if (exampleWeights === undefined || desirable + undesirable === 0) return []
  const has = `The training side has ${Math.round(desirable)} desirable and ${Math.round(undesirable)} undesirable examples`
  if (desirable === 0 || undesirable === 0)
    return [
      {
        level: 'warning',
        text: `${has}: ${name} learns ${desirable === 0 ? 'only what to avoid, and what it writes instead is left to chance' : 'nothing about what to avoid'}.`,
      },
    ]
  const weights = exampleWeights(config)
  const ratio = (weights.desirable * desirable) / (weights.undesirable * undesirable)
  if (!Number.isFinite(ratio) || (ratio >= BALANCED.low * (1 - SLACK) && ratio <= BALANCED.high * (1 + SLACK)))
    return []
  const [side, weight] =
    ratio < BALANCED.low
      ? (['desirable', weights.desirable / ratio] as const)
      : (['undesirable', weights.undesirable * ratio] as const)
  return [
    {
      level: 'warning',
      text: `${has}: with these weights (λ_D n_D) / (λ_U n_U) is ${ratio.toPrecision(2)}, and ${name}’s authors keep it between 1 and 4/3. A weight of ${side} of ${weight.toPrecision(3)} makes it 1.`,
    },
  ]
}
