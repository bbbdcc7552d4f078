import { z } from 'zod'
import { runId } from '../domain.ts'
import { sampleItem } from './runs.ts'
import { call } from './define.ts'

export const interval = z.strictObject({
  mean: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.int(),
})
export type Interval = z.infer<typeof interval>

/** A difference item by item. */
export const itemsDifference = z.strictObject({
  mean: z.number(),
  low: z.number(),
  high: z.number(),
  p: z.number(),
  /** For all comparisons that are shown together (Holm). */
  adjustedP: z.number(),
  items: z.int(),
  /** Prompts, queries or episodes that the items belong to. */
  clusters: z.int(),
  /** False: one of the two has one seed, and the interval is of these weights alone. */
  overSeeds: z.boolean(),
  /** So many of them, with these seeds, could tell such a difference in four of five repeats; null where it is told, or out of their reach. */
  clustersToTell: z.int().nullable(),
})

/** Runs that differ only in their seed. */
export const group = z.strictObject({
  groupHash: z.string(),
  label: z.string(),
  method: z.string(),
  /** What it learned from: the data set's name, with the start of the data's hash where two views share the name. */
  data: z.string(),
  runIds: z.array(runId),
  seeds: z.array(z.int()),
  /** Whether the run stands behind the numbers and curves, in the order of runIds. */
  counted: z.array(z.boolean()),
  /** Metric name → mean over seeds with its interval, at the chosen point. */
  values: z.record(z.string(), interval),
  /** Metric name → value per run, in the order of runIds. */
  members: z.record(z.string(), z.array(z.number().nullable())),
})

export const curveBand = z.strictObject({
  groupHash: z.string(),
  step: z.array(z.int()),
  mean: z.array(z.number().nullable()),
  low: z.array(z.number().nullable()),
  high: z.array(z.number().nullable()),
  n: z.array(z.int()),
})

export const comparison = z.strictObject({
  /** What the differences and conclusions are about. */
  metric: z.string(),
  /** What the curves are of: of a number of the test side, which has no curve, the same of the validation side. */
  curveMetric: z.string(),
  metricNames: z.array(z.string()),
  groups: z.array(group),
  curves: z.array(curveBand),
  /** Against the baseline group, paired by seed where both have the same seeds. `whyNot`: why no number and no verdict may be given, as the end of a sentence. */
  differences: z.array(
    z.strictObject({
      groupHash: z.string(),
      baseline: z.string(),
      interval,
      /** Seed by seed, where both have the same; else all seeds of one against all of the other. */
      paired: z.boolean(),
      /** Seeds of the group and of the baseline. */
      seeds: z.strictObject({ group: z.int(), baseline: z.int() }),
      /** Of no difference, by the same t; null where no interval is known. */
      p: z.number().nullable(),
      /** The same as it stands among all comparisons shown (Holm); the verdict is by it. */
      adjustedP: z.number().nullable(),
      /** Seeds that each would need to tell such a difference in four of five repeats; null where it is told, or out of reach. */
      seedsToTell: z.int().nullable(),
      /** The same item by item, where all of these runs kept the same: over seeds and items together, or of two runs with one seed each. */
      items: itemsDifference.nullable(),
      /** `equivalent`: the whole interval lies within the margin that was set. */
      verdict: z.enum(['higher', 'lower', 'equivalent', 'cannot-tell', 'not-comparable']),
      whyNot: z.string().nullable(),
    }),
  ),
  /** Of policies that act, after Agarwal et al. (2021); null for other metrics. */
  robust: z
    .strictObject({
      /** What the profiles count: episodes, or runs where these were not kept. */
      of: z.enum(['episodes', 'runs']),
      thresholds: z.array(z.number()),
      groups: z.array(
        z.strictObject({
          groupHash: z.string(),
          /** Interquartile mean over seeds. */
          iqm: interval,
          /** Share above each threshold, with its band over seeds. */
          share: z.array(z.number()),
          low: z.array(z.number()),
          high: z.array(z.number()),
        }),
      ),
      /** That a run of the group has more than a run of the baseline. */
      improvements: z.array(
        z.strictObject({
          groupHash: z.string(),
          baseline: z.string(),
          probability: z.number(),
          low: z.number().nullable(),
          high: z.number().nullable(),
        }),
      ),
    })
    .nullable(),
  /** Settings whose values are not the same in all groups: path → value per group, in the order of groups. */
  diff: z.array(z.strictObject({ path: z.string(), values: z.array(z.json()) })),
  sameSettings: z.int(),
  /** Plain sentences; with one seed they say that nothing can be concluded. */
  conclusions: z.array(z.string()),
  warnings: z.array(z.string()),
})
export type Comparison = z.infer<typeof comparison>

/** Far above what anybody looks at: it bounds the memory of one call. */
const MOST_RUNS = 10_000

const compareInput = z.strictObject({
  runIds: z
    .array(runId)
    .min(1)
    .max(MOST_RUNS, { error: `${MOST_RUNS} runs can be compared at once, not more: choose fewer` }),
  /** Empty: the one that most of these runs are judged by, on the test side where they have it. */
  metric: z.string().default(''),
  /** `best`: at the checkpoint that the run's validation side chose, at its end where none was chosen. */
  at: z.union([z.enum(['last', 'best']), z.int().nonnegative()]).default('best'),
  /** `t`: Student's t over seeds, right for few of them. `bootstrap`: percentile bootstrap, for ten or more. */
  interval: z.enum(['t', 'bootstrap', 'sd', 'none']).default('t'),
  groupBy: z.enum(['configuration', 'method', 'none']).default('configuration'),
  baseline: z.string().nullable().default(null),
  /** A difference of less than this does not matter, set before it is looked at: two are called equivalent where the interval lies within it. */
  margin: z.number().positive().nullable().default(null),
})

export const comparisonCalls = {
  'comparisons.get': call(compareInput, comparison),
  /** One configuration against the baseline on each held-out item, most above it first. */
  'comparisons.items': call(
    compareInput.extend({
      /** Default: the first that is not the baseline. */
      groupHash: z.string().nullable().default(null),
    }),
    z.strictObject({
      metric: z.string(),
      group: z.string(),
      baseline: z.string(),
      /** Means over the items as the metric weighs them. */
      means: z.strictObject({ group: z.number(), baseline: z.number() }),
      /** Null where all items are of one prompt. */
      difference: itemsDifference.nullable(),
      better: z.int(),
      worse: z.int(),
      equal: z.int(),
      total: z.int(),
      /** At most 2,000, taken evenly where there are more; the ends are there. */
      items: z.array(
        z.strictObject({
          id: z.string(),
          /** What it is about, where the data set is here: a prompt, a query. */
          title: z.string().nullable(),
          /** Means over seeds. */
          group: z.number(),
          baseline: z.number(),
        }),
      ),
    }),
  ),
  /** One prompt, what each run's latest samples answer to it. */
  'comparisons.samples': call(
    z.strictObject({
      runIds: z
        .array(runId)
        .min(1)
        .max(50, { error: 'answers of 50 runs can be set side by side, not of more: choose fewer' }),
    }),
    z.array(
      z.strictObject({
        promptIndex: z.int(),
        prompt: z.string(),
        answers: z.array(z.strictObject({ runId, step: z.int(), item: sampleItem })),
      }),
    ),
  ),
  /** The table as text. Charts are exported by the page that draws them. */
  'comparisons.table': call(
    compareInput.extend({ format: z.enum(['csv', 'latex', 'markdown']), metrics: z.array(z.string()).min(1) }),
    z.string(),
  ),
} as const
