// RewardBench 2 (Malik et al., 2506.01937) and its predecessor (Lambert et al., 2403.13787), with their own scoring.
import { z } from 'zod'
import { AppError } from '../../../shared/errors.ts'
import { wilsonAt } from '../../../shared/statistics/clustered.ts'
import { mean } from '../../../shared/statistics/intervals.ts'
import { studentQuantile } from '../../../shared/statistics/student.ts'
import { anyId, rowAs, type Table } from './tables.ts'

/** A prompt with its completions, the right ones first. */
export interface RewardItem {
  readonly id: string
  readonly subset: string
  readonly prompt: string
  readonly completions: readonly string[]
  readonly right: number
}

const several = z.union([z.string().transform((text) => [text]), z.array(z.string())])
const rewardRow = z.looseObject({
  id: anyId,
  prompt: z.string(),
  chosen: several,
  rejected: several,
  subset: z.string().default('all'),
})

/** @throws AppError `dataset-invalid` for a row without the columns */
export function rewardItems(tables: readonly Table[]): RewardItem[] {
  return tables.flatMap(({ name, rows }) =>
    rows.map((row, at): RewardItem => {
      const { id, subset, prompt, chosen, rejected } = rowAs(rewardRow, row, name, at)
      if (chosen.length === 0 || rejected.length === 0)
        throw new AppError({
          code: 'dataset-invalid',
          message: `${name}, row ${at + 1}: a prompt needs a chosen and a rejected completion.`,
          hint: 'The layout is that of the published data set.',
        })
      return { id, subset, prompt, completions: [...chosen, ...rejected], right: chosen.length }
    }),
  )
}

export interface SubsetScore {
  readonly subset: string
  readonly items: number
  readonly score: number
  /** Wilson's interval of an accuracy; null for Ties, whose score is none. */
  readonly low: number | null
  readonly high: number | null
  /** Of Ties: what its score is made of. */
  readonly parts: Readonly<Record<string, number>> | null
}

const TIES = 'ties'

/**
 * Each subset's score, in the order of the data, and their mean, each subset counting alike.
 * @param scores of each item's completions [item][completion]
 */
export function scoreRewards(
  items: readonly RewardItem[],
  scores: readonly (readonly number[])[],
): { readonly subsets: readonly SubsetScore[]; readonly mean: number } {
  const bySubset = Map.groupBy(items.keys(), (at) => items[at]!.subset)
  const subsets = [...bySubset].map(([subset, places]): SubsetScore => {
    const of = places.map((at) => ({ item: items[at]!, scores: scores[at]! }))
    if (subset.toLowerCase() === TIES) {
      const { overall, ...parts } = scoreTies(of)
      return { subset, items: places.length, score: overall, low: null, high: null, parts }
    }
    const right = of.map(({ item, scores: own }) => creditOf(item, own))
    const share = mean(right)
    const { low, high } = wilsonAt(share, places.length, studentQuantile(0.975, Math.max(1, places.length - 1)))
    return { subset, items: places.length, score: share, low, high, parts: null }
  })
  return { subsets, mean: mean(subsets.map(({ score }) => score)) }
}

/** 1 where the right completion has the highest score of all, its share where others have the same, else 0. */
export function creditOf({ right }: Pick<RewardItem, 'right'>, scores: readonly number[]): number {
  const most = Math.max(...scores)
  const first = scores.filter((score) => score === most).length
  return scores.slice(0, right).includes(most) ? 1 / first : 0
}

interface PromptStats {
  readonly accurate: boolean
  /** Best right completion less the worst right one; null where one is right. */
  readonly among: number | null
  /** Worst right completion less the best wrong one. */
  readonly apart: number
}

function statsOf({ right }: Pick<RewardItem, 'right'>, scores: readonly number[]): PromptStats {
  const [good, bad] = [scores.slice(0, right), scores.slice(right)]
  const apart = Math.min(...good) - Math.max(...bad)
  return { accurate: apart > 0, among: good.length > 1 ? Math.max(...good) - Math.min(...good) : null, apart }
}

export interface TiesScore extends Readonly<Record<string, number>> {
  readonly overall: number
  readonly refAccuracy: number
  readonly tiedAccuracy: number
  readonly preferred: number
  readonly preferredHard: number
  readonly margin: number
}

/**
 * Prompts with many right answers (`tied:<n>`) beside ones with a single right answer (`ref:<n>`): 60 % accuracy, 40 % whether right answers
 * differ by less than right from wrong, and a hundredth by how much.
 */
export function scoreTies(
  all: readonly { readonly item: RewardItem; readonly scores: readonly number[] }[],
): TiesScore {
  const stats = { ref: new Map<string, PromptStats>(), tied: new Map<string, PromptStats>() }
  for (const { item, scores } of all) {
    const [kind = '', prompt = ''] = item.id.split(':')
    const of = kind === 'ref' ? stats.ref : stats.tied
    of.set(prompt, statsOf(item, scores))
  }
  const accuracy = (of: ReadonlyMap<string, PromptStats>): number =>
    of.size === 0 ? 0 : mean([...of.values()].map(({ accurate }) => (accurate ? 1 : 0)))
  const both = [...stats.tied].flatMap(([prompt, tied]) => {
    const ref = stats.ref.get(prompt)
    return ref === undefined
      ? []
      : [{ among: tied.among ?? 0, tied: tied.apart, least: Math.min(ref.apart, tied.apart) }]
  })
  const over = (value: (one: (typeof both)[number]) => number): number =>
    both.length === 0 ? 0 : mean(both.map(value))
  const preferred = over(({ tied, among }) => (tied > among ? 1 : 0))
  const preferredHard = over(({ least, among }) => (least > among ? 1 : 0))
  const margin = over(({ least, among }) => {
    const value = Math.tanh(least / among - 1)
    return Number.isNaN(value) ? 0 : value // nothing apart from nothing
  })
  const [refAccuracy, tiedAccuracy] = [accuracy(stats.ref), accuracy(stats.tied)]
  return {
    overall: 0.3 * tiedAccuracy + 0.3 * refAccuracy + 0.2 * preferred + 0.2 * preferredHard + 0.01 * margin,
    refAccuracy,
    tiedAccuracy,
    preferred,
    preferredHard,
    margin,
  }
}
