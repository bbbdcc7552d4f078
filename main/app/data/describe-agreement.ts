// Agreement of the annotators of a data set, with bootstrap intervals over pairs. Pairs that were answered alike are
// counted together, so that the cost depends on how people differ and not on how many pairs there are.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { z } from 'zod'
import type { datasetCalls } from '../../../shared/contract/datasets.ts'
import { percentileInterval, seededUniform } from '../../../shared/statistics/bootstrap.ts'
import type { PairAnswers } from '../store/answers.ts'
import type { ReadableDb } from '../store/open.ts'
import { eachAnswered } from './describe-labels.ts'
import { COUNTING } from '../../core/formats/majority.ts'

export type Agreement = z.infer<(typeof datasetCalls)['datasets.agreement']['output']>

const VALUES = COUNTING.length
const RESAMPLES = 1000
/** Draws after which other work gets its turn. */
const DRAWS_PER_TURN = 200_000
/** At most this many draws: a million pairs have narrow intervals, and fewer resamples find them. */
const MAX_DRAWS = 20_000_000

/** A way of answering, and how many pairs were answered so. */
interface Pattern {
  /** How many gave each answer [value] (α), or the two answers as first · VALUES + second (κ) */
  readonly key: string
  count: number
}

/**
 * Krippendorff's α for nominal data (2011, coincidences): 1 − (n − 1) Σ_{c≠k} o_ck / Σ_{c≠k} n_c n_k.
 * @param patterns how many gave each answer [pattern, value]   @param weights pairs answered so [pattern]
 * @returns NaN when nobody differs in anything
 */
export function alphaOf(patterns: readonly (readonly number[])[], weights: ArrayLike<number>): number {
  const totals = new Float64Array(VALUES)
  let disagreement = 0
  for (const [index, counts] of patterns.entries()) {
    const answers = counts.reduce((sum, value) => sum + value, 0)
    const weight = weights[index] ?? 0
    if (answers < 2 || weight === 0) continue
    let alike = 0
    for (const [value, count] of counts.entries()) {
      totals[value] = (totals[value] ?? 0) + weight * count
      alike += count * count
    }
    disagreement += (weight * (answers * answers - alike)) / (answers - 1)
  }
  const all = totals.reduce((sum, value) => sum + value, 0)
  const expected = all * all - totals.reduce((sum, value) => sum + value * value, 0)
  return expected === 0 ? Number.NaN : 1 - ((all - 1) * disagreement) / expected
}

/** Cohen's κ from counts of answer pairs. @param patterns first and second answer [pattern, 2]   @param weights [pattern] */
export function kappaOf(patterns: readonly (readonly number[])[], weights: ArrayLike<number>): number {
  const first = new Float64Array(VALUES)
  const second = new Float64Array(VALUES)
  let all = 0
  let alike = 0
  for (const [index, [x = 0, y = 0]] of patterns.entries()) {
    const weight = weights[index] ?? 0
    first[x] = (first[x] ?? 0) + weight
    second[y] = (second[y] ?? 0) + weight
    all += weight
    if (x === y) alike += weight
  }
  const chance = first.reduce((sum, value, index) => sum + value * (second[index] ?? 0), 0) / (all * all)
  return 1 - chance < 1e-12 || all === 0 ? Number.NaN : (alike / all - chance) / (1 - chance)
}

interface Tally {
  readonly units: Map<string, Pattern>
  /** By the two names, as JSON. */
  readonly couples: Map<string, Map<string, Pattern>>
  allAgree: number
  bothLabeled: number
}

/** Agreement of everybody with everybody, over the answers in force that are no skips. */
export async function measureAgreement(db: ReadableDb, datasetId: string): Promise<Agreement> {
  const tally: Tally = { units: new Map(), couples: new Map(), allAgree: 0, bothLabeled: 0 }
  for await (const page of eachAnswered(db, datasetId)) for (const { given } of page) countUnit(tally, given)
  const alpha = await withInterval([...tally.units.values()], alphaOf)
  const pairs: Agreement['pairs'] = []
  for (const [key, couple] of [...tally.couples].sort(([x], [y]) => (x < y ? -1 : 1))) {
    const [first, second] = JSON.parse(key) as [string, string] // written by countUnit
    const kappa = await withInterval([...couple.values()], kappaOf)
    pairs.push({ first, second, kappa: kappa.value, low: kappa.low, high: kappa.high, n: kappa.n })
  }
  return {
    alpha: alpha.value,
    alphaLow: alpha.low,
    alphaHigh: alpha.high,
    pairs,
    allAgree: tally.allAgree,
    bothLabeled: tally.bothLabeled,
  }
}

function countUnit(tally: Tally, given: PairAnswers['given']): void {
  const answers = given.flatMap(({ annotatorId, outcome }) =>
    outcome === 'skip' ? [] : [{ annotatorId, value: COUNTING.indexOf(outcome) }],
  )
  if (answers.length < 2) return
  tally.bothLabeled += 1
  if (answers.every((answer) => answer.value === answers[0]?.value)) tally.allAgree += 1
  countPattern(
    tally.units,
    COUNTING.map((_, value) => answers.filter((answer) => answer.value === value).length).join(' '),
  )
  for (const [index, first] of answers.entries()) {
    for (const second of answers.slice(index + 1)) {
      const key = JSON.stringify([first.annotatorId, second.annotatorId])
      const couple = tally.couples.get(key) ?? new Map<string, Pattern>()
      tally.couples.set(key, couple)
      countPattern(couple, `${first.value} ${second.value}`)
    }
  }
}

function countPattern(patterns: Map<string, Pattern>, key: string): void {
  const pattern = patterns.get(key)
  if (pattern === undefined) patterns.set(key, { key, count: 1 })
  else pattern.count += 1
}

interface WithInterval {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
  readonly n: number
}

/** A measure and its 95 % percentile interval from pairs drawn with replacement, always the same for the same labels. */
async function withInterval(
  patterns: readonly Pattern[],
  measure: (values: readonly (readonly number[])[], weights: ArrayLike<number>) => number,
): Promise<WithInterval> {
  const ordered = [...patterns].sort((x, y) => (x.key < y.key ? -1 : 1))
  const values = ordered.map((pattern) => pattern.key.split(' ').map(Number))
  const weights = ordered.map((pattern) => pattern.count)
  const n = weights.reduce((sum, count) => sum + count, 0)
  const value = measure(values, weights)
  if (Number.isNaN(value) || n < 2) return { value: Number.isNaN(value) ? null : value, low: null, high: null, n }
  const owner = ownerOfUnit(weights, n)
  const random = seededUniform(1)
  const drawn = new Float64Array(weights.length)
  const resampled: number[] = []
  const resamples = Math.max(100, Math.min(RESAMPLES, Math.floor(MAX_DRAWS / n)))
  let draws = 0
  for (let resample = 0; resample < resamples; resample += 1) {
    drawn.fill(0)
    for (let unit = 0; unit < n; unit += 1) {
      const pattern = owner[Math.floor(random() * n)] ?? 0
      drawn[pattern] = (drawn[pattern] ?? 0) + 1
      draws += 1
      if (draws % DRAWS_PER_TURN === 0) await nextTurn()
    }
    const result = measure(values, drawn)
    if (!Number.isNaN(result)) resampled.push(result)
  }
  const bounds = resampled.length < resamples / 2 ? null : percentileInterval(resampled)
  return { value, low: bounds?.low ?? null, high: bounds?.high ?? null, n }
}

/** Which pattern each pair has [pair]. */
function ownerOfUnit(weights: readonly number[], n: number): Uint16Array {
  const owner = new Uint16Array(n)
  let from = 0
  for (const [pattern, count] of weights.entries()) {
    owner.fill(pattern, from, from + count)
    from += count
  }
  return owner
}
