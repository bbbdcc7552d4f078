// A study asks what each setting of a method is worth: one is changed at a time, all others stay as the paper has them.
import { holm, meanEstimate, pValueOf } from '../../../shared/statistics/student.ts'
import type { Figure, Report, ResultTable } from './define.ts'
import { cellOf, overSeeds } from './means.ts'

/** One value of a setting, and what came of it: a number for each seed, not finite where training ran away. */
export interface Level {
  readonly name: string
  readonly values: readonly number[]
}

export interface Axis {
  readonly title: string
  /** What is measured, and whether more of it is better. */
  readonly metric: string
  readonly goal: 'min' | 'max' | 'none'
  /** What the others are compared with. The same runs may stand in several axes. */
  readonly usual: Level
  readonly others: readonly Level[]
}

export interface StudyResult {
  readonly id: string
  readonly title: string
  readonly form: Report['form']
  readonly seeds: readonly number[]
  readonly setup: string
  readonly axes: readonly Axis[]
  readonly notes: readonly string[]
}

/** What a study is done with: its form's, or smaller for a test. */
export interface StudyOptions<Size> {
  readonly form: Report['form']
  readonly seeds: readonly number[]
  readonly size: Size
  say(text: string): void
}

interface Compared {
  readonly level: Level
  /** Less the usual, of the seeds in which both ended. */
  readonly differences: readonly number[]
  /** Adjusted for all that the study compares; 1 where nothing can be told. */
  p: number
}

/** Tables and figures of a study. Differences are paired by seed: all levels of a seed meet the same data and first weights. */
export function studyReport({ axes, notes, ...rest }: StudyResult): Report {
  const compared = axes.map(({ usual, others }) =>
    others.map((level): Compared => {
      const differences = level.values.flatMap((value, seed) => {
        const difference = value - usual.values[seed]!
        return Number.isFinite(difference) ? [difference] : []
      })
      const estimate = meanEstimate(differences)
      return { level, differences, p: estimate === null ? 1 : pValueOf(estimate) }
    }),
  )
  const all = compared.flat()
  holm(all.map(({ p }) => p)).forEach((p, at) => (all[at]!.p = p))
  return {
    ...rest,
    tables: axes.map((axis, at) => tableOf(axis, compared[at]!)),
    figures: axes.map((axis, at) => figureOf(axis, compared[at]!)),
    gates: [],
    verdict: null,
    notes: [
      `Intervals are Student’s t over seeds; differences are paired, since all settings of a seed meet the same data and the same first weights. ${all.length} comparisons are shown: p-values are adjusted for all of them (Holm), each interval is for its own difference alone.`,
      ...notes,
    ],
  }
}

function ended(values: readonly number[]): number[] {
  return values.filter((value) => Number.isFinite(value))
}

function nameOf({ name, values }: Level): string {
  const lost = values.length - ended(values).length
  return lost === 0 ? name : `${name} (${lost} of ${values.length} ran away)`
}

function tableOf({ title, metric, usual }: Axis, compared: readonly Compared[]): ResultTable {
  const middle = (level: Level) => (ended(level.values).length === 0 ? null : cellOf(ended(level.values)))
  return {
    title,
    columns: ['setting', metric, 'less the usual', 'p, adjusted'],
    rows: [
      [`${nameOf(usual)}, the usual`, middle(usual), null, null],
      ...compared.map(({ level, differences, p }) => [
        nameOf(level),
        middle(level),
        differences.length === 0 ? null : cellOf(differences),
        differences.length < 2 ? null : p,
      ]),
    ],
  }
}

function figureOf({ title, metric, goal, usual }: Axis, compared: readonly Compared[]): Figure {
  return {
    kind: 'differences',
    title,
    metric,
    goal,
    from: usual.name,
    rows: compared.flatMap(({ level, differences, p }) => {
      if (differences.length === 0) return []
      const { mean, low, high } = overSeeds(differences)
      const bounded = differences.length > 1
      return [
        {
          name: level.name,
          mean,
          low: bounded ? low : null,
          high: bounded ? high : null,
          verdict: p >= 0.05 ? ('cannot tell' as const) : mean > 0 ? ('higher' as const) : ('lower' as const),
        },
      ]
    }),
  }
}

export function seedsOf(count: number, first: number): number[] {
  return Array.from({ length: count }, (_none, at) => first + at)
}

/** Runs every seed. @param run what a seed gave, by name   @returns a level of one of these names: its value in each seed */
export async function overAllSeeds(
  seeds: readonly number[],
  run: (seed: number) => Promise<ReadonlyMap<string, number>>,
  say: (text: string) => void,
): Promise<(name: string, shown?: string) => Level> {
  const results: ReadonlyMap<string, number>[] = []
  for (const seed of seeds) {
    say(`seed ${seed}, ${results.length + 1} of ${seeds.length}`)
    results.push(await run(seed))
  }
  return (name, shown = name) => ({ name: shown, values: results.map((result) => result.get(name)!) })
}
