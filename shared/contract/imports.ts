import { z } from 'zod'
import { contrastData, dataKind, splitName } from '../data-kinds.ts'
import { rowProblem } from './import-mapping.ts'
import { call } from './define.ts'
import { segmentReading, textReading } from './import-readings.ts'

export const recognition = z.strictObject({
  /** What is to be read: of a folder with one file of data, that file. */
  path: z.string(),
  fileName: z.string(),
  isFolder: z.boolean(),
  sizeBytes: z.number(),
  /** What it looks like; null where nothing tells. */
  kind: dataKind.nullable(),
  /** Why, as what follows "because": "its rows have prompt, chosen and rejected". */
  because: z.string(),
  /** What to do or to know beside; '' where there is nothing. */
  hint: z.string(),
  /** What else it could be read as. */
  others: z.array(z.strictObject({ kind: dataKind, because: z.string() })),
  /** Columns of the first rows; empty where it has none. */
  columns: z.array(z.string()),
  /** Of a folder that is no data set itself: its files that may be one, each by its name. */
  files: z.array(z.string()),
})
export type Recognition = z.infer<typeof recognition>

/** The first rows of a file of texts as they will be read. */
export const textPreview = z.strictObject({
  kind: z.literal('contrast-groups'),
  form: z.enum(['lines', 'jsonl', 'json', 'table']),
  /** How scores run; null where there are none. */
  scale: z.strictObject({ low: z.number(), high: z.number() }).nullable(),
  rowsRead: z.int(),
  rows: z.array(z.strictObject({ line: z.int(), split: splitName.nullable(), data: contrastData })),
  problems: z.array(rowProblem),
})
export type TextPreview = z.infer<typeof textPreview>

/** The first queries of judged lists. */
export const listPreview = z.strictObject({
  kind: z.literal('rankings'),
  layout: z.enum(['beir', 'msmarco', 'features']),
  /** Features of a document; null where documents are texts. */
  features: z.int().nullable(),
  /** The source's own parts, by their names there. */
  parts: z.array(z.strictObject({ name: z.string(), split: splitName.nullable() })),
  queries: z.array(
    z.strictObject({
      queryId: z.string(),
      /** '' where a query has no words. */
      text: z.string(),
      split: splitName.nullable(),
      judged: z.int(),
      /** With a grade above 0. */
      relevant: z.int(),
    }),
  ),
  problems: z.array(rowProblem),
})
export type ListPreview = z.infer<typeof listPreview>

/** The shape of a file of segments. */
export const segmentPreview = z.strictObject({
  kind: z.literal('segment-pairs'),
  layout: z.enum(['lines', 'scored', 'labeled', 'steps']),
  pairs: z.int(),
  /** False where only the beginning was read, and `pairs` is reckoned from it. */
  isWhole: z.boolean(),
  steps: z.strictObject({ least: z.int(), most: z.int() }),
  observationSize: z.int(),
  actionSize: z.int(),
  /** What the file says. */
  world: z.string().nullable(),
  /** Arrays by which segments could be ordered, and the one that is taken; npz alone. */
  scores: z.array(z.string()),
  scoreName: z.string().nullable(),
  /** Among the pairs read. */
  labels: z.strictObject({ a: z.int(), b: z.int(), tie: z.int(), other: z.int(), none: z.int() }),
  annotators: z.array(z.string()),
  /** Whether the file gives sides of the split. */
  givesSplit: z.boolean(),
  problems: z.array(rowProblem),
})
export type SegmentPreview = z.infer<typeof segmentPreview>

export const importPreview = z.discriminatedUnion('kind', [textPreview, listPreview, segmentPreview])
export type ImportPreview = z.infer<typeof importPreview>

export const importCalls = {
  /** Looks at the content of a file or a folder and says what it takes it for; the name counts where the content does not tell. */
  'imports.recognize': call(z.strictObject({ path: z.string().min(1) }), recognition),
  /** What an import as that kind would read. Pairs and single answers are shown by `datasets.inspect`. */
  'imports.preview': call(
    z.strictObject({
      path: z.string().min(1),
      kind: z.enum(['contrast-groups', 'rankings', 'segment-pairs']),
      texts: textReading.prefault({}),
      segments: segmentReading.prefault({}),
      /** Rows or queries. */
      limit: z.int().min(1).max(200).default(20),
    }),
    importPreview,
  ),
  /** A page needs the copy that it sent no more. Anything that is no such copy is left alone. */
  'imports.release': call(z.strictObject({ path: z.string().min(1) }), z.null()),
} as const
