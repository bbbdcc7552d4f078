import { z } from 'zod'
import { content, dataKind, outcome, splitName, strength } from '../data-kinds.ts'
import { datasetWarning } from '../dataset-warnings.ts'
import { datasetId, jobId } from '../domain.ts'
import { errorCode } from '../errors.ts'
import { namedValues } from '../named-values.ts'
import { call, importedFile } from './define.ts'
import { columnRole, importMapping, inspection, labelAnswer, leftOut, rowProblem } from './import-mapping.ts'
import { segmentReading, textReading } from './import-readings.ts'

export const datasetSummary = z.strictObject({
  datasetId,
  name: z.string(),
  kind: dataKind,
  fingerprint: z.string(),
  source: z.string(),
  licence: z.string().nullable(),
  createdAtMs: z.number(),
  itemCount: z.int(),
  promptCount: z.int(),
  /** Pairs with at least one label that counts (not skipped, not undone). */
  labeledCount: z.int(),
  labelCount: z.int(),
  rejectedRowCount: z.int(),
  warningCount: z.int(),
  annotators: z.array(z.string()),
})
export type DatasetSummary = z.infer<typeof datasetSummary>

export const datasetDetail = datasetSummary.extend({
  mapping: importMapping,
  guideline: z.string(),
  question: z.string(),
  split: z.strictObject({
    seed: z.int(),
    validation: z.number(),
    test: z.number(),
    counts: z.strictObject({ train: z.int(), validation: z.int(), test: z.int() }),
  }),
  /** Majority over annotators per pair. */
  balance: z.strictObject({ a: z.int(), b: z.int(), tie: z.int(), bothBad: z.int(), unlabeled: z.int() }),
  /** Histogram of completion lengths in words, for chosen and rejected of decided pairs. */
  lengths: z.strictObject({
    binWidth: z.number(),
    chosen: z.array(z.int()),
    rejected: z.array(z.int()),
    medianChosen: z.number().nullable(),
    medianRejected: z.number().nullable(),
    longerWins: z.strictObject({ wins: z.int(), n: z.int() }),
  }),
  perAnnotator: z.array(
    z.strictObject({
      annotator: z.string(),
      a: z.int(),
      b: z.int(),
      tie: z.int(),
      bothBad: z.int(),
      skip: z.int(),
      withMajority: z.number().nullable(),
    }),
  ),
})
export type DatasetDetail = z.infer<typeof datasetDetail>

export const datasetRow = z.strictObject({
  index: z.int(),
  pairId: z.string(),
  line: z.int(),
  prompt: content,
  a: content,
  /** Null where an answer stands alone: `a` is that answer, and labels say `a` for good, `b` for bad. */
  b: content.nullable(),
  split: splitName,
  /** With the notes of those who wrote one; '' else. */
  labels: z.array(
    z.strictObject({ annotator: z.string(), outcome, strength: strength.nullable(), comment: z.string() }),
  ),
  metadata: namedValues(z.json()),
})

export const importJob = z.strictObject({
  jobId,
  state: z.enum(['running', 'finished', 'failed', 'cancelled']),
  name: z.string(),
  kind: dataKind,
  bytesRead: z.number(),
  /** 0 where the end is not known beforehand. */
  totalBytes: z.number(),
  rowsKept: z.int(),
  rowsRejected: z.int(),
  warnings: z.int(),
  startedAtMs: z.number(),
  /** Estimated; null before there is a rate. */
  remainingMs: z.number().nullable(),
  datasetId: datasetId.nullable(),
  /** `leftOut` where rows were the reason. */
  error: z
    .strictObject({ code: errorCode, message: z.string(), hint: z.string(), leftOut: leftOut.nullable() })
    .nullable(),
})
export type ImportJob = z.infer<typeof importJob>

const kappa = z.strictObject({
  first: z.string(),
  second: z.string(),
  kappa: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  n: z.int(),
})

export const datasetCalls = {
  'datasets.list': call(z.strictObject({}), z.array(datasetSummary)),
  'datasets.get': call(z.strictObject({ datasetId }), datasetDetail),
  'datasets.rows': call(
    z.strictObject({
      datasetId,
      offset: z.int().nonnegative().default(0),
      limit: z.int().min(1).max(500).default(50),
      search: z.string().default(''),
      only: z.enum(['all', 'labeled', 'unlabeled', 'disagreement', 'empty-answer', 'noted']).default('all'),
    }),
    z.strictObject({ total: z.int(), rows: z.array(datasetRow) }),
  ),
  /** Reads the head of a file, guesses format, layout and roles; `mapping` replaces the guess, `roles` and `labels` are what is known beforehand. */
  'datasets.inspect': call(
    z.strictObject({
      path: z.string().min(1),
      mapping: importMapping.nullable().default(null),
      roles: z.record(z.string(), columnRole).default({}),
      labels: labelAnswer.nullable().default(null),
      limit: z.int().min(1).max(200).default(20),
    }),
    inspection,
  ),
  /** Any kind of data, in a job of its own: what is wrong with the rows is told by the job. */
  'datasets.import': call(
    z.strictObject({
      ...importedFile,
      kind: dataKind.default('response-pairs'),
      /** Of pairs. */
      mapping: importMapping.nullable().default(null),
      texts: textReading.prefault({}),
      segments: segmentReading.prefault({}),
    }),
    z.strictObject({ jobId }),
  ),
  'datasets.importJob': call(z.strictObject({ jobId }), importJob),
  'datasets.importJobs': call(z.strictObject({}), z.array(importJob)),
  'datasets.cancelImport': call(z.strictObject({ jobId }), z.null()),
  /** Rows left out and warnings; the same list is saved beside the data as report.jsonl. */
  'datasets.report': call(
    z.strictObject({
      datasetId,
      offset: z.int().nonnegative().default(0),
      limit: z.int().min(1).max(1000).default(200),
    }),
    z.strictObject({
      path: z.string(),
      total: z.int(),
      groups: z.array(
        z.strictObject({
          severity: z.enum(['error', 'warning']),
          code: z.string(),
          reason: z.string(),
          hint: z.string(),
          count: z.int(),
          lines: z.array(z.int()),
        }),
      ),
      problems: z.array(rowProblem),
    }),
  ),
  /** Rows left out alone, in short. */
  'datasets.leftOut': call(z.strictObject({ datasetId }), leftOut),
  /** What a person must know of a data set before training on it; nothing where all is well. */
  'datasets.warnings': call(z.strictObject({ datasetId }), z.array(datasetWarning)),
  'datasets.update': call(
    z.strictObject({
      datasetId,
      name: z.string().min(1).max(120).optional(),
      guideline: z.string().max(100_000).optional(),
      question: z.string().max(1000).optional(),
    }),
    z.null(),
  ),
  'datasets.setSplit': call(
    z.strictObject({
      datasetId,
      seed: z.int().nonnegative(),
      validation: z.number().min(0).max(0.9),
      test: z.number().min(0).max(0.9),
    }),
    datasetDetail.shape.split,
  ),
  'datasets.delete': call(z.strictObject({ datasetId }), z.null()),
  /** Writes into the data folder's `exports/` and says where. `preferences` is TRL's explicit layout with soft labels as extra columns. */
  'datasets.export': call(
    z.strictObject({ datasetId, format: z.enum(['preferences', 'pairs-with-labels', 'label-events']) }),
    z.strictObject({ path: z.string(), rows: z.int() }),
  ),
  'datasets.agreement': call(
    z.strictObject({ datasetId }),
    z.strictObject({
      alpha: z.number().nullable(),
      alphaLow: z.number().nullable(),
      alphaHigh: z.number().nullable(),
      pairs: z.array(kappa),
      allAgree: z.int(),
      bothLabeled: z.int(),
    }),
  ),
  'samples.list': call(
    z.strictObject({}),
    z.array(
      z.strictObject({
        sampleId: z.string(),
        kind: dataKind,
        title: z.string(),
        text: z.string(),
        licence: z.string(),
        attribution: z.string(),
        datasetId: datasetId.nullable(),
      }),
    ),
  ),
  /** Imports the bundled sample, or finds it already imported. */
  'samples.open': call(
    z.strictObject({ sampleId: z.string() }),
    z.strictObject({ jobId: jobId.nullable(), datasetId: datasetId.nullable() }),
  ),
} as const
