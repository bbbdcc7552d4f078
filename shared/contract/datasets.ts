import { z } from 'zod'
import { content, dataKind, outcome, splitName, strength } from '../data-kinds.ts'
import { datasetWarning } from '../dataset-warnings.ts'
import { datasetId, jobId } from '../domain.ts'
import { errorCode } from '../errors.ts'
import { namedValues } from '../named-values.ts'
import { call, importedFile } from './define.ts'
import { segmentReading, textReading } from './import-readings.ts'

/** What a column of the file means. */
export const columnRole = z.enum([
  'prompt',
  'prompt-2',
  'system',
  'history',
  'tools',
  'chosen',
  'rejected',
  'a',
  'b',
  'label',
  'strength',
  'wins-a',
  'wins-b',
  'wins-tie',
  'name-a',
  'name-b',
  'reward-a',
  'reward-b',
  'weight',
  'id',
  'annotator',
  'split',
  'ignore',
  'metadata',
])
export type ColumnRole = z.infer<typeof columnRole>

export const fileFormat = z.enum(['jsonl', 'json', 'csv', 'tsv'])
/**
 * Where the prompt is: in columns of its own (`trl-explicit`, `mapped`), in the common beginning of the two sides, or
 * before the last assistant mark that two dialogues share. Which columns are the sides is said by their roles alone.
 * `own`: the items of a kind that has a reader of its own, or that were made here.
 */
export const layout = z.enum(['trl-explicit', 'trl-implicit', 'hh-rlhf', 'mapped', 'own'])

/** What single values of a label column mean. Compared as text, numbers by what they are: 1, "1" and 1.0 are one value. */
export const labelValues = z.strictObject({
  a: z.array(z.string()),
  b: z.array(z.string()),
  tie: z.array(z.string()),
  bothBad: z.array(z.string()).default([]),
  skip: z.array(z.string()).default([]),
})

/** Numbers between two ends, with a tie in their middle; the further from the middle, the stronger the preference. */
export const labelScale = z.strictObject({
  low: z.number(),
  high: z.number(),
  /** Which answer the low end prefers. */ lowIs: z.enum(['first', 'second']),
})
export type LabelScale = z.infer<typeof labelScale>

export const importMapping = z.strictObject({
  format: fileFormat,
  layout,
  /** Column → role; a dot reaches into an object or a list (`info.post`, `summaries.0.text`). Several `label` columns mean one annotator each, named after the column. */
  columns: namedValues(columnRole),
  /** Null with `labelScale` null: the meaning is found from the values of the label columns, or asked for. Words like "A" or "tie" need no entry. */
  labelValues: labelValues.nullable().default(null),
  labelScale: labelScale.nullable().default(null),
  /** `file`: found from the columns and values of the file, and found anew for every file. `person`: said by somebody, and kept. */
  labelsSaidBy: z.enum(['file', 'person']).default('person'),
  /** The reading in words, for people: "0 means response_0, 1 means response_1". */
  labelWords: z.string().default(''),
  /** Swap the meaning of chosen and rejected in every row. */
  flip: z.boolean().default(false),
})
export type ImportMapping = z.infer<typeof importMapping>

export const rowProblem = z.strictObject({
  line: z.int().positive(),
  severity: z.enum(['error', 'warning']),
  /** Stable short name, to group by: `answer-not-text`, `answer-empty`, `json-broken` … */
  code: z.string(),
  reason: z.string(),
  hint: z.string(),
})
export type RowProblem = z.infer<typeof rowProblem>

/** What an import left out, in short; the whole list is the file at `path`. */
export const leftOut = z.strictObject({
  /** Rows; one may be left out for several reasons. */
  total: z.int(),
  /** Most frequent first. */
  reasons: z.array(z.strictObject({ code: z.string(), reason: z.string(), hint: z.string(), count: z.int() })),
  /** The first ten, in the order of the file. */
  first: z.array(rowProblem),
  path: z.string(),
})
export type LeftOut = z.infer<typeof leftOut>

/** Problems of left-out rows that are not among the first. */
export function countMore({ reasons, first }: LeftOut): number {
  return reasons.reduce((sum, { count }) => sum + count, 0) - first.length
}

export const previewRow = z.strictObject({
  line: z.int(),
  prompt: content,
  a: content,
  b: content,
  labels: z.array(z.strictObject({ annotator: z.string(), outcome, strength: strength.nullable() })),
  /** "response1 is chosen, response2 is rejected, because annotator1, annotator2 and annotator3 all say 1." */
  sentence: z.string(),
})

/** What somebody says about the labels before a reading is settled: some values, the ends of a scale, its direction. */
export const labelAnswer = z.strictObject({
  values: z.record(z.string(), outcome).default({}),
  scale: z.strictObject({ low: z.number(), high: z.number() }).nullable().default(null),
  lowIs: z.enum(['first', 'second']).nullable().default(null),
})
export type LabelAnswer = z.infer<typeof labelAnswer>

/** Label values that can be read in several ways, or in none: an import waits until one is chosen. */
export const labelQuestion = z.strictObject({
  columns: z.array(z.string()),
  /** "preference holds 1, 2, 4 and 7: which answer a low number prefers is not said." */
  reason: z.string(),
  readings: z.array(
    z.strictObject({
      title: z.string(),
      /** How to say it on the command line. */
      option: z.string(),
      labelValues: labelValues.nullable(),
      labelScale: labelScale.nullable(),
      /** Some rows of the file as this reading has them. */
      examples: z.array(z.strictObject({ line: z.int(), value: z.string(), meaning: z.string() })),
    }),
  ),
})
export type LabelQuestion = z.infer<typeof labelQuestion>

export const inspection = z.strictObject({
  path: z.string(),
  fileName: z.string(),
  sizeBytes: z.number(),
  mapping: importMapping,
  columns: z.array(
    z.strictObject({ name: z.string(), role: columnRole, type: z.string(), missing: z.int(), example: z.string() }),
  ),
  /** Rows read for this preview. */
  rowsRead: z.int(),
  rows: z.array(previewRow),
  problems: z.array(rowProblem),
  /** Roles that must still be given before an import can start. */
  missingRoles: z.array(columnRole),
  /** What must be answered before an import can start. */
  questions: z.array(labelQuestion),
  /** Not null where the file holds no pairs but single answers, good or bad: how `unpaired.import` would read it. */
  unpaired: z
    .strictObject({
      /** Columns. */
      prompt: z.string(),
      completion: z.string(),
      labels: z.array(z.string()),
      rows: z.array(
        z.strictObject({
          line: z.int(),
          prompt: content,
          completion: content,
          /** Of its first label that says something. */
          judged: z.enum(['good', 'bad', 'skipped']).nullable(),
        }),
      ),
    })
    .nullable(),
})
export type Inspection = z.infer<typeof inspection>

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
