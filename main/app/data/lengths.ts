import type { DatasetDetail } from '../../../shared/contract/datasets.ts'

export type Lengths = DatasetDetail['lengths']

const MAX_BINS = 40
/** Beyond this share of the answers, all go into the last bin: one novel must not squash the rest into the first. */
const SHOWN_SHARE = 0.99

/** How many answers have each length in words. A million answers have some thousand lengths. */
type Tally = Map<number, number>

/** Collects how long chosen and rejected answers are, in words. */
export function createLengths(): { add(chosenWords: number, rejectedWords: number): void; finish(): Lengths } {
  const chosen: Tally = new Map()
  const rejected: Tally = new Map()
  const longerWins = { wins: 0, n: 0 }
  return {
    add(chosenWords, rejectedWords) {
      chosen.set(chosenWords, (chosen.get(chosenWords) ?? 0) + 1)
      rejected.set(rejectedWords, (rejected.get(rejectedWords) ?? 0) + 1)
      if (chosenWords === rejectedWords) return
      longerWins.n += 1
      if (chosenWords > rejectedWords) longerWins.wins += 1
    },
    finish() {
      const [sortedChosen, sortedRejected] = [sorted(chosen), sorted(rejected)]
      const top = Math.max(
        at(sortedChosen, (count) => Math.floor(count * SHOWN_SHARE)),
        at(sortedRejected, (count) => Math.floor(count * SHOWN_SHARE)),
      )
      const binWidth = niceWidth(top / MAX_BINS)
      const bins = chosen.size === 0 ? 0 : Math.floor(top / binWidth) + 1
      return {
        binWidth,
        chosen: histogram(sortedChosen, binWidth, bins),
        rejected: histogram(sortedRejected, binWidth, bins),
        medianChosen: median(sortedChosen),
        medianRejected: median(sortedRejected),
        longerWins,
      }
    },
  }
}

type Sorted = readonly (readonly [words: number, count: number])[]

function sorted(tally: Tally): Sorted {
  return [...tally].sort(([x], [y]) => x - y)
}

/** The length at a place in the order of all, of which there are `count`; 0 without any. */
function at(lengths: Sorted, placeOf: (count: number) => number): number {
  const count = lengths.reduce((sum, [, some]) => sum + some, 0)
  const place = Math.min(count - 1, placeOf(count))
  let before = 0
  for (const [words, some] of lengths) {
    before += some
    if (before > place) return words
  }
  return 0
}

function median(lengths: Sorted): number | null {
  return lengths.length === 0
    ? null
    : (at(lengths, (count) => Math.floor(count / 2)) + at(lengths, (count) => Math.ceil(count / 2) - 1)) / 2
}

/** 1, 2, 5, 10, 20, 50 …: bounds that read well on an axis. */
function niceWidth(least: number): number {
  for (let decade = 1; ; decade *= 10) {
    for (const step of [1, 2, 5]) if (step * decade >= least) return step * decade
  }
}

/** Counts by bin [bin]; the last one holds everything above it too. */
function histogram(lengths: Sorted, binWidth: number, bins: number): number[] {
  const counts = Array.from({ length: bins }, () => 0)
  for (const [words, count] of lengths) {
    const bin = Math.min(bins - 1, Math.floor(words / binWidth))
    counts[bin] = (counts[bin] ?? 0) + count
  }
  return counts
}
