// How often the intervals that Pairlab shows hold the truth, over many settings: npm run bench:coverage [draws]
import { clusteredShare, wilsonAt } from '../../shared/statistics/clustered.ts'
import { crossedDifference } from '../../shared/statistics/crossed.ts'
import { mean, standardError } from '../../shared/statistics/intervals.ts'
import { studentInterval } from '../../shared/statistics/student.ts'
import { coverage, createDraws, type Clusters } from '../support/coverage.ts'

const draws = Number(process.argv[2] ?? 20_000)
const random = createDraws(1)
const show = (value: number): string => value.toFixed(3)

console.log(`Share of ${draws.toLocaleString('en')} draws whose 95 % interval holds the truth.\n`)
console.log(
  '| prompts | pairs of each | accuracy | ICC | shown | pairs taken as independent |\n|---:|---:|---:|---:|---:|---:|',
)
let worst = 1
for (const [clusters, size] of [
  [5, 6],
  [10, 6],
  [20, 6],
  [33, 6],
  [33, { upTo: 12 }],
  [100, 6],
  [200, 1],
] as const) {
  for (const truth of [0.5, 0.7, 0.9]) {
    for (const icc of size === 1 ? [0] : [0, 0.2, 0.33]) {
      const setting: Clusters = { clusters, size, truth, icc, weighted: true }
      const draw = () => random.clustered(setting)
      const shown = coverage(draws, draw, clusteredShare, truth)
      const plain = coverage(draws, draw, (all) => wilsonAt(clusteredShare(all).share, all.length, 1.96), truth)
      worst = Math.min(worst, shown)
      const each = typeof size === 'number' ? String(size) : `1 to ${size.upTo}`
      console.log(`| ${clusters} | ${each} | ${truth} | ${icc} | ${show(shown)} | ${show(plain)} |`)
    }
  }
}
console.log('\n| values | mean ± t, shown | mean ± 1.96 standard errors |\n|---:|---:|---:|')
for (const n of [2, 3, 4, 8, 16, 25]) {
  const draw = (): number[] => Array.from({ length: n }, () => random.normal())
  const normal = (values: readonly number[]) => ({
    low: mean(values) - 1.96 * standardError(values),
    high: mean(values) + 1.96 * standardError(values),
  })
  const shown = coverage(draws, draw, (values) => studentInterval(values)!, 0)
  console.log(`| ${n} | ${show(shown)} | ${show(coverage(draws, draw, normal, 0))} |`)
}
console.log(`\nThe lowest of the first table: ${show(worst)}.`)

console.log(
  '\nA difference over seeds and items together, of prompts with one to six weighted pairs; deviations of seed, prompt, rest.\n',
)
console.log('| seeds | prompts | deviations | paired by seed | not paired |\n|---:|---:|---|---:|---:|')
let lowest = 1
for (const seeds of [3, 5, 10]) {
  for (const prompts of [10, 30, 100]) {
    for (const spread of [
      [1, 0, 0],
      [0, 1, 1],
      [0.1, 0.5, 1],
      [0.3, 1, 3],
      [1, 1, 1],
    ] as const) {
      const [paired, apart] = [true, false].map((byPair) =>
        coverage(
          Math.ceil(draws / 4),
          () => random.crossed({ seeds, prompts, spread }),
          ({ ours, theirs, items }) => crossedDifference(ours, theirs, items, byPair)!,
          0,
        ),
      ) as [number, number]
      lowest = Math.min(lowest, paired, apart)
      console.log(`| ${seeds} | ${prompts} | ${spread.join(', ')} | ${show(paired)} | ${show(apart)} |`)
    }
  }
}
console.log(`\nThe lowest: ${show(lowest)}.`)
