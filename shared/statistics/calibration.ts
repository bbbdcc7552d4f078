// How far the margins of a reward model can be trusted: whether “80 %” is right in eight of ten, where it is right, and whether
// it only counts words.
import { seededUniform } from './bootstrap.ts'
import { clusteredShare, type Outcome } from './clustered.ts'
import { ascending, mean, quantileSorted, type Bounds } from './intervals.ts'

/** A labeled pair under a model of P(chosen preferred) = σ(margin). */
export interface JudgedMargin {
  /** Reward of the preferred completion less that of the other. */
  readonly margin: number
  readonly weight: number
  readonly cluster: string
  /** Characters of the preferred completion less those of the other; null where it is not known. */
  readonly longerBy: number | null
}

export interface CalibrationBin extends Bounds {
  /** Of this share of the confidences, from ½ to 1. */
  readonly from: number
  readonly to: number
  readonly pairs: number
  readonly confidence: number
  readonly accuracy: number
}

export interface AccuracyBin extends Bounds {
  readonly name: string
  readonly pairs: number
  readonly accuracy: number
}

export interface Calibration {
  readonly pairs: number
  readonly bins: readonly CalibrationBin[]
  /** Expected calibration error (Naeini et al. 2015): Σ wᵦ |accuracyᵦ − confidenceᵦ|. */
  readonly ece: number
  /** What a model that is calibrated would show on so many pairs, by chance alone: mean over simulated outcomes. */
  readonly eceByChance: number
  readonly byMargin: readonly AccuracyBin[]
  readonly byLength: readonly AccuracyBin[]
}

const BINS = 10
const SIMULATIONS = 200

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const rightOf = (margin: number): number => (margin > 0 ? 1 : margin === 0 ? 0.5 : 0)

/** Null without a pair. */
export function calibrationOf(all: readonly JudgedMargin[]): Calibration | null {
  if (all.length === 0) return null
  const told = all.map((one) => ({ ...one, confidence: sigmoid(Math.abs(one.margin)), right: rightOf(one.margin) }))
  const placeOf = (confidence: number): number => Math.min(BINS - 1, Math.floor((confidence - 0.5) * 2 * BINS))
  const binned = Map.groupBy(told, ({ confidence }) => placeOf(confidence))
  const bins = [...binned.keys()]
    .toSorted((a, b) => a - b)
    .map((place): CalibrationBin => {
      const members = binned.get(place)! // a key of it
      const { share, low, high } = clusteredShare(members.map(outcomeOf))
      const weight = members.reduce((sum, one) => sum + one.weight, 0)
      return {
        from: 0.5 + place / (2 * BINS),
        to: 0.5 + (place + 1) / (2 * BINS),
        pairs: members.length,
        confidence: members.reduce((sum, one) => sum + one.weight * one.confidence, 0) / weight,
        accuracy: share,
        low,
        high,
      }
    })
  const uniform = seededUniform(1)
  const simulated = Array.from({ length: SIMULATIONS }, () =>
    errorOf(
      told.map((one) => ({ ...one, right: uniform() < one.confidence ? 1 : 0 })),
      placeOf,
    ),
  )
  return {
    pairs: all.length,
    bins,
    ece: errorOf(told, placeOf),
    eceByChance: mean(simulated),
    byMargin: parts(told, ({ margin }) => Math.abs(margin), ['smallest quarter', 'second', 'third', 'largest quarter']),
    byLength: told.some(({ longerBy }) => longerBy === null)
      ? []
      : parts(told, ({ longerBy }) => longerBy ?? 0, [
          'preferred much shorter',
          'about as long',
          'preferred much longer',
        ]),
  }
}

interface Told extends JudgedMargin {
  readonly confidence: number
  readonly right: number
}

function outcomeOf({ right, weight, cluster }: Told): Outcome {
  return { value: right, weight, cluster }
}

function errorOf(told: readonly Told[], placeOf: (confidence: number) => number): number {
  const sums = new Map<number, { weight: number; right: number; confidence: number }>()
  let total = 0
  for (const { confidence, weight, right } of told) {
    const place = placeOf(confidence)
    const bin = sums.get(place) ?? { weight: 0, right: 0, confidence: 0 }
    sums.set(place, bin)
    bin.weight += weight
    bin.right += weight * right
    bin.confidence += weight * confidence
    total += weight
  }
  return [...sums.values()].reduce((sum, bin) => sum + Math.abs(bin.right - bin.confidence), 0) / total
}

/** Accuracy in parts of equal size by a value; what is equal stays together, so that a part may be empty and is left out. */
function parts(told: readonly Told[], valueOf: (one: Told) => number, names: readonly string[]): AccuracyBin[] {
  const sorted = ascending(told.map(valueOf))
  const cuts = names.slice(1).map((_name, at) => quantileSorted(sorted, (at + 1) / names.length))
  const placed = Map.groupBy(told, (one) => cuts.filter((cut) => valueOf(one) > cut).length)
  return names.flatMap((name, at) => {
    const members = placed.get(at) ?? []
    if (members.length === 0) return []
    const { share, low, high } = clusteredShare(members.map(outcomeOf))
    return [{ name, pairs: members.length, accuracy: share, low, high }]
  })
}

export interface Ensemble {
  readonly models: number
  /** Mean over the models of their own accuracy. */
  readonly single: number
  /** Of the mean of their margins. */
  readonly together: Bounds & { readonly accuracy: number }
  /** Share of the pairs on which not all prefer the same side. */
  readonly disagreement: number
  /** Accuracy of the mean where all agree, and where they do not; null where there is no such pair. */
  readonly whereAgreed: number | null
  readonly whereNot: number | null
}

/** Several models on the same pairs. @param margins [model][pair] */
export function ensembleOf(
  margins: readonly (readonly number[])[],
  pairs: readonly Pick<JudgedMargin, 'weight' | 'cluster'>[],
): Ensemble {
  const shareOf = (values: readonly number[], chosen: (at: number) => boolean = () => true): number | null => {
    let [sum, weight] = [0, 0]
    values.forEach((value, at) => {
      if (!chosen(at)) return
      sum += pairs[at]!.weight * rightOf(value)
      weight += pairs[at]!.weight
    })
    return weight === 0 ? null : sum / weight
  }
  const together = pairs.map((_pair, at) => mean(margins.map((own) => own[at]!)))
  const agrees = pairs.map((_pair, at) => new Set(margins.map((own) => Math.sign(own[at]!))).size === 1)
  const { share, low, high } = clusteredShare(
    together.map((margin, at) => ({ value: rightOf(margin), ...pairs[at]! })), // one each
  )
  const weight = pairs.reduce((sum, pair) => sum + pair.weight, 0)
  return {
    models: margins.length,
    single: mean(margins.map((own) => shareOf(own) ?? Number.NaN)),
    together: { accuracy: share, low, high },
    disagreement: pairs.reduce((sum, pair, at) => sum + (agrees[at] === true ? 0 : pair.weight), 0) / weight,
    whereAgreed: shareOf(together, (at) => agrees[at]!),
    whereNot: shareOf(together, (at) => !agrees[at]!),
  }
}
