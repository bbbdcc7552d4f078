import { z } from 'zod'
import { engineName, runId, runState } from '../domain.ts'
import { wireError } from '../errors.ts'
import { requestProblem } from '../request-problems.ts'
import { TEXT_LAYOUTS } from '../text-layouts.ts'
import { runRequest, runSpec } from '../run-spec.ts'
import { call, clientKey } from './define.ts'
import { engineChoice } from './engines.ts'

export const runSummary = z.strictObject({
  runId,
  name: z.string(),
  method: z.string(),
  methodName: z.string(),
  datasetId: z.string(),
  datasetName: z.string(),
  state: runState,
  seed: z.int(),
  groupHash: z.string(),
  engine: engineName,
  /** Its weights were trained elsewhere first. */
  pretrained: z.boolean(),
  step: z.int(),
  totalSteps: z.int(),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  /** Time in which it trained: its processes' lives, without the pauses between them; of a live run, up to now. Null before the first. */
  trainedMs: z.number().nullable(),
  remainingMs: z.number().nullable(),
  /** Place in the queue from 1; null when not queued. */
  queuePosition: z.int().nullable(),
  /** Held-out metric by which the method is judged, its last value, and a few points for a sparkline. */
  mainMetric: z.string().nullable(),
  mainValue: z.number().nullable(),
  /** Where its validation side found it best, by that metric; null where nothing was chosen. */
  best: z.strictObject({ step: z.int(), value: z.number() }).nullable(),
  spark: z.array(z.number()),
  resumable: z.boolean(),
  diskBytes: z.number(),
  phase: z.string(),
  /** How far the phase is, in items; null where it does not say. */
  phaseProgress: z.strictObject({ done: z.int(), total: z.int() }).nullable().default(null),
  /** It is `interrupted` because a person, or the closing app, stopped it and had it saved. */
  stopped: z.boolean().default(false),
  error: wireError.nullable(),
  note: z.string(),
})
export type RunSummary = z.infer<typeof runSummary>

/** `model`: as transformers reads it, adapters merged; `embedder`: as sentence-transformers does; `adapters`: as PEFT does. */
export const exportForm = z.enum(['model', 'embedder', 'adapters', 'gguf-f16', 'gguf-q8_0'])
export type ExportForm = z.infer<typeof exportForm>

export const runDetail = runSummary.extend({
  spec: runSpec,
  folder: z.string(),
  facts: z.record(z.string(), z.union([z.number().nullable(), z.string(), z.boolean()])),
  summary: z.record(z.string(), z.number().nullable()),
  warnings: z.array(z.strictObject({ message: z.string(), hint: z.string() })),
  checkpoints: z.array(
    z.strictObject({
      step: z.int(),
      path: z.string(),
      sizeBytes: z.number(),
      sha256: z.string(),
      best: z.boolean(),
      atMs: z.number(),
    }),
  ),
  metricNames: z.array(z.string()),
  /** Which checkpoint its validation side chose, by which metric, and what was measured of it; null where none was chosen. */
  chosen: z
    .strictObject({ step: z.int(), by: z.string().nullable(), values: z.record(z.string(), z.number().nullable()) })
    .nullable(),
  /** Parts of the curve that a resume left behind: steps after the checkpoint it went back to. */
  discarded: z.array(z.strictObject({ fromStep: z.int(), toStep: z.int() })),
  speed: z.strictObject({
    stepsPerSec: z.number().nullable(),
    rssBytes: z.number().nullable(),
    tensorCount: z.int().nullable(),
  }),
  /** The command line that would repeat it. */
  command: z.string(),
  /** Forms in which `runs.export` can write it, the usual one first; none before its first checkpoint. */
  exportForms: z.array(exportForm),
})
export type RunDetail = z.infer<typeof runDetail>

/** A curve in step order, each step once, thinned by min-max buckets so that spikes stay; `wallMs` counts from the start of the run. */
export const series = z.strictObject({
  name: z.string(),
  step: z.array(z.int()),
  wallMs: z.array(z.number()),
  value: z.array(z.number().nullable()),
  total: z.int(),
})
export type Series = z.infer<typeof series>

/** Curves as they are after the event `upTo` of the run's log: what `run.metrics` tells of later ones is not in them. */
export const fetchedCurves = z.strictObject({ upTo: z.int(), series: z.array(series) })
export type FetchedCurves = z.infer<typeof fetchedCurves>

/** What was written for one prompt. */
export const sampleItem = z.strictObject({
  promptIndex: z.int(),
  pairId: z.string(),
  prompt: z.string(),
  completion: z.string(),
  tokens: z.int(),
  reward: z.number().nullable(),
  logRatio: z.number().nullable(),
  /** What the reward is made of, where it has parts. */ parts: z.record(z.string(), z.number().nullable()).optional(),
})
export type SampleItem = z.infer<typeof sampleItem>

export const estimate = z.strictObject({
  /** That the dry run was computed on. */
  engine: engineName,
  device: z.string(),
  /** Why this engine, in words. */
  engineWhy: z.string(),
  parameterCount: z.number(),
  /** Median and spread over the steps that were run, at the longest batch. */
  stepMs: z.number(),
  stepSpreadMs: z.number(),
  stepsRun: z.int(),
  totalMs: z.number(),
  runs: z.int(),
  peakBytes: z.number(),
  parts: z.array(z.strictObject({ name: z.string(), bytes: z.number() })),
  checkpointBytes: z.number(),
  warnings: z.array(z.string()),
})
export type Estimate = z.infer<typeof estimate>

/** Memory foreseen from the sizes alone, before anything is measured. */
export const memoryEstimate = z.strictObject({
  parts: z.array(z.strictObject({ name: z.string(), bytes: z.number() })),
  totalBytes: z.number(),
  /** Path of a setting → its value → the total with that value, the rest as asked. */
  choices: z.record(z.string(), z.record(z.string(), z.number())),
})
export type MemoryEstimate = z.infer<typeof memoryEstimate>

const one = z.strictObject({ runId })

/** The first rows of a data set as the model would read them. */
export const tokenPreview = z.strictObject({
  layout: z.enum(TEXT_LAYOUTS),
  /** Tokens that end what the model writes, the one written in training first. */
  ends: z.array(z.string()),
  rows: z.array(
    z.strictObject({
      pairId: z.string(),
      prompt: z.array(z.string()),
      completion: z.array(z.strictObject({ text: z.string(), trained: z.boolean() })),
      /** It lost tokens to the longest sequence. */
      cut: z.boolean(),
    }),
  ),
})
export type TokenPreview = z.infer<typeof tokenPreview>

const accuracyBin = z.strictObject({
  name: z.string(),
  pairs: z.int(),
  accuracy: z.number(),
  low: z.number(),
  high: z.number(),
})

export const runCalls = {
  /** Fills in every default and reports what is wrong, without starting anything. */
  'runs.check': call(
    z.strictObject({ request: runRequest }),
    z.strictObject({
      problems: z.array(requestProblem),
      advice: z.array(z.strictObject({ level: z.enum(['info', 'warning']), text: z.string() })),
      counts: z.strictObject({ train: z.int(), validation: z.int(), test: z.int(), labels: z.int() }),
      command: z.string(),
      /** Null where the model to start from cannot be read. */ memory: memoryEstimate.nullable(),
      /** What the run would be tried on first. */ engine: engineChoice,
    }),
  ),
  /** Null where nothing is read yet: a new model's tokenizer is made of the data when its run begins, and other kinds of data are not completions. */
  'runs.tokens': call(
    z.strictObject({ request: runRequest, rows: z.int().min(1).max(20).default(2) }),
    tokenPreview.nullable(),
  ),
  /** Runs real steps at the longest batch in a child process. A newer question of the same asker ends the older one, which fails as `cancelled`. */
  'runs.estimate': call(
    z.strictObject({ request: runRequest, asker: z.string().min(1).max(64).nullable().default(null) }),
    estimate,
  ),
  /** Ends the dry run of this asker, if there is one: it would only take time from a run. */
  'runs.cancelEstimate': call(z.strictObject({ asker: z.string().min(1).max(64) }), z.null()),
  'runs.start': call(z.strictObject({ request: runRequest, clientKey }), z.strictObject({ runIds: z.array(runId) })),
  'runs.list': call(
    z.strictObject({
      datasetId: z.string().nullable().default(null),
      method: z.string().nullable().default(null),
      /** The newest; null: every run there is. */ limit: z.int().min(1).nullable().default(null),
    }),
    z.array(runSummary),
  ),
  'runs.get': call(one, runDetail),
  /** No names: every curve. `discarded`: what resumes left behind, one stretch after another. */
  'runs.metrics': call(
    z.strictObject({
      runId,
      names: z.array(z.string()).default([]),
      maxPoints: z.int().min(10).max(100_000).default(1000),
      discarded: z.boolean().default(false),
    }),
    fetchedCurves,
  ),
  'runs.log': call(z.strictObject({ runId, lines: z.int().min(1).max(10_000).default(400) }), z.array(z.string())),
  'runs.samples': call(one, z.array(z.strictObject({ step: z.int(), items: z.array(sampleItem) }))),
  /** How far the margins of reward models can be trusted on held-out pairs, and of several together. */
  'runs.calibration': call(
    z.strictObject({
      runIds: z.array(runId).min(1).max(50, { error: 'of 50 runs at once, not of more: choose fewer' }),
    }),
    z.strictObject({
      models: z.array(
        z.strictObject({
          runId,
          side: z.enum(['test', 'validation']),
          step: z.int(),
          pairs: z.int(),
          /** Of the confidences from ½ to 1 that occur. */
          bins: z.array(
            z.strictObject({
              from: z.number(),
              to: z.number(),
              pairs: z.int(),
              confidence: z.number(),
              accuracy: z.number(),
              low: z.number(),
              high: z.number(),
            }),
          ),
          ece: z.number(),
          eceByChance: z.number(),
          byMargin: z.array(accuracyBin),
          byLength: z.array(accuracyBin),
        }),
      ),
      /** Null for one model, and for models that were measured on other pairs. */
      ensemble: z
        .strictObject({
          models: z.int(),
          single: z.number(),
          together: z.strictObject({ accuracy: z.number(), low: z.number(), high: z.number() }),
          disagreement: z.number(),
          whereAgreed: z.number().nullable(),
          whereNot: z.number().nullable(),
        })
        .nullable(),
    }),
  ),
  'runs.stop': call(z.strictObject({ runId, mode: z.enum(['stop', 'stop-and-save']) }), z.null()),
  'runs.checkpoint': call(one, z.null()),
  'runs.resume': call(one, z.null()),
  /** The request that made it, ready to be changed and started again. */
  'runs.request': call(one, runRequest),
  'runs.setNote': call(z.strictObject({ runId, note: z.string().max(10_000) }), z.null()),
  /** Moves the folder to the data folder's `trash/`. */
  'runs.delete': call(one, z.null()),
  /** Writes a checkpoint as a folder that other programs open, in one of the run's forms; without one, the first of them. */
  'runs.export': call(
    z.strictObject({
      runId,
      checkpoint: z.enum(['best', 'last']).default('last'),
      path: z.string().min(1),
      form: exportForm.optional(),
    }),
    z.strictObject({ path: z.string(), step: z.int(), files: z.array(z.string()) }),
  ),
  'queue.move': call(z.strictObject({ runId, position: z.int().min(1) }), z.null()),
  'queue.pause': call(z.strictObject({ paused: z.boolean() }), z.null()),
} as const
