import type { DatasetDetail } from '../../shared/contract/datasets.ts'

export type Lengths = DatasetDetail['lengths']

const MAX_BINS = 40
/** Beyond this share of the answers, all go into the last bin: one novel must not squash the rest into the first. */
const SHOWN_SHARE = 0.99

/** Collects how long chosen and rejected answers are, in words. */
export function createLengths(): { add(chosenWords: number, rejectedWords: number): void; finish(): Lengths } {
  const chosen: number[] = []
  const rejected: number[] = []
  const longerWins = { wins: 0, n: 0 }
  return {
    add(chosenWords, rejectedWords) {
      chosen.push(chosenWords)
      rejected.push(rejectedWords)
      if (chosenWords === rejectedWords) return
      longerWins.n += 1
      if (chosenWords > rejectedWords) longerWins.wins += 1
    },
    finish() {
      const sortedChosen = Float64Array.from(chosen).sort()
      const sortedRejected = Float64Array.from(rejected).sort()
      const top = Math.max(at(sortedChosen, SHOWN_SHARE), at(sortedRejected, SHOWN_SHARE))
      const binWidth = niceWidth(top / MAX_BINS)
      const bins = chosen.length === 0 ? 0 : Math.floor(top / binWidth) + 1
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

function at(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function median(sorted: Float64Array): number | null {
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2
}

/** 1, 2, 5, 10, 20, 50 …: bounds that read well on an axis. */
function niceWidth(least: number): number {
  for (let decade = 1; ; decade *= 10) {
    for (const step of [1, 2, 5]) if (step * decade >= least) return step * decade
  }
}

/** Counts by bin [bin]; the last one holds everything above it too. */
function histogram(values: Float64Array, binWidth: number, bins: number): number[] {
  const counts = Array.from({ length: bins }, () => 0)
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor(value / binWidth))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts
}
