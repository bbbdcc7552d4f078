// How the rows of a file of pairs are read, and what its head was taken for before anything is stored.
import { z } from 'zod'
import { content, outcome, strength } from '../data-kinds.ts'
import { namedValues } from '../named-values.ts'

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
