import { z } from 'zod'
import { call } from './define.ts'

/** A policy over three arms and how far it is from the best value. */
const banditPoint = z.strictObject({ step: z.int(), policy: z.array(z.number()), regret: z.number() })

export const banditReport = z.strictObject({
  setup: z.strictObject({
    rewards: z.array(z.number()),
    reference: z.array(z.number()),
    mu1: z.array(z.number()),
    mu2: z.array(z.number()),
    beta: z.number(),
    learningRate: z.number(),
    steps: z.int(),
  }),
  optimum: z.array(z.number()),
  startRegret: z.number(),
  methods: z.array(z.strictObject({ id: z.string(), name: z.string(), path: z.array(banditPoint), end: banditPoint })),
})
export type BanditReport = z.infer<typeof banditReport>

const verdict = z.enum(['holds', 'does not hold', 'inconclusive'])
export type Verdict = z.infer<typeof verdict>

const numbers = z.array(z.number())
const cell = z.union([
  z.string(),
  z.number(),
  z.strictObject({ mean: z.number(), low: z.number(), high: z.number(), n: z.int() }),
  z.null(),
])
export type ResultCell = z.infer<typeof cell>

export const figure = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('curves'),
    title: z.string(),
    x: z.string(),
    y: z.string(),
    series: z.array(
      z.strictObject({
        name: z.string(),
        x: numbers,
        mean: numbers,
        low: numbers.nullable(),
        high: numbers.nullable(),
        n: z.int(),
      }),
    ),
  }),
  z.strictObject({
    kind: z.literal('paired'),
    title: z.string(),
    from: z.string(),
    to: z.string(),
    metric: z.string(),
    items: z.array(z.strictObject({ id: z.string(), before: z.number(), after: z.number() })),
  }),
  z.strictObject({
    kind: z.literal('differences'),
    title: z.string(),
    metric: z.string(),
    goal: z.enum(['min', 'max', 'none']),
    from: z.string(),
    rows: z.array(
      z.strictObject({
        name: z.string(),
        mean: z.number(),
        low: z.number().nullable(),
        high: z.number().nullable(),
        verdict: z.enum(['higher', 'lower', 'cannot tell']),
      }),
    ),
  }),
  z.strictObject({
    kind: z.literal('simplex'),
    title: z.string(),
    arms: z.array(z.string()),
    optimum: numbers,
    paths: z.array(z.strictObject({ name: z.string(), points: z.array(numbers) })),
  }),
  z.strictObject({
    kind: z.literal('texts'),
    title: z.string(),
    items: z.array(z.strictObject({ name: z.string(), before: z.string(), after: z.string(), note: z.string() })),
  }),
])
export type ReportFigure = z.infer<typeof figure>

/** What an experiment found: see main/workers/reproduce/define.ts for what each part means. */
export const reproductionReport = z.strictObject({
  id: z.string(),
  title: z.string(),
  form: z.enum(['quick', 'full']),
  seeds: z.array(z.int()),
  setup: z.string(),
  tables: z.array(z.strictObject({ title: z.string(), columns: z.array(z.string()), rows: z.array(z.array(cell)) })),
  figures: z.array(figure),
  gates: z.array(z.strictObject({ claim: z.string(), measured: z.string(), required: z.string(), verdict })),
  /** Null of a study. */
  verdict: verdict.nullable(),
  notes: z.array(z.string()),
})
export type ReproductionReport = z.infer<typeof reproductionReport>

/** A report as it lies in the data folder, with where and when it came about. */
export const keptReport = z.strictObject({
  formatVersion: z.literal(1),
  report: reproductionReport,
  engine: z.string(),
  appVersion: z.string(),
  processor: z.string(),
  startedAtMs: z.number(),
  wallMs: z.number(),
})
export type KeptReport = z.infer<typeof keptReport>

export const reproductionJob = z.strictObject({
  id: z.string(),
  form: z.enum(['quick', 'full']),
  state: z.enum(['waiting', 'running', 'finished', 'failed', 'cancelled']),
  startedAtMs: z.number().nullable(),
  /** What it said last. */
  lines: z.array(z.string()),
  error: z.strictObject({ message: z.string(), hint: z.string() }).nullable(),
})
export type ReproductionJob = z.infer<typeof reproductionJob>

export const reproductionEntry = z.strictObject({
  id: z.string(),
  kind: z.enum(['claim', 'study']),
  paper: z.strictObject({ cite: z.string(), url: z.string() }),
  /** The claim, or what a study asks. */
  about: z.string(),
  minutes: z.strictObject({ quick: z.number(), full: z.number() }),
  /** The newest report of each form. */
  kept: z.array(
    z.strictObject({
      form: z.enum(['quick', 'full']),
      verdict: verdict.nullable(),
      gates: z.int(),
      holding: z.int(),
      startedAtMs: z.number(),
      wallMs: z.number(),
    }),
  ),
  job: reproductionJob.nullable(),
})
export type ReproductionEntry = z.infer<typeof reproductionEntry>

export const paperCalls = {
  'papers.list': call(z.strictObject({}), z.array(reproductionEntry)),
  /** Null where none was made here. */
  'papers.report': call(z.strictObject({ id: z.string(), form: z.enum(['quick', 'full']) }), keptReport.nullable()),
  /** Runs in a process of its own, after those that were asked for before. */
  'papers.reproduce': call(
    z.strictObject({
      id: z.string(),
      form: z.enum(['quick', 'full']).default('quick'),
      seeds: z.int().min(1).max(50).nullable().default(null),
    }),
    z.null(),
  ),
  'papers.cancel': call(z.strictObject({ id: z.string() }), z.null()),
  /** CoPG §5.1 with exact gradients, computed now; takes well under a second. */
  'papers.bandit': call(z.strictObject({}), banditReport),
} as const
