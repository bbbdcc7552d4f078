import { z } from 'zod'
import { namedValues } from './named-values.ts'

/** One turn of a conversation. The importer writes tool calls into the text; other fields are kept as metadata. */
export const message = z.strictObject({ role: z.string(), content: z.string() })
export type Message = z.infer<typeof message>

/** Text as it stands, or the turns of a conversation (TRL's "standard" and "conversational" forms). */
export const content = z.union([z.string(), z.array(message)])
export type Content = z.infer<typeof content>

/** Characters as a reader counts them, and not the units of a string. */
export function countCharacters(text: string): number {
  return Array.from(text).length
}

/**
 * Two completions of one prompt, as stored: `a` and `b` are the order of the file, never the shown order.
 * Who prefers which is not here: labels are events of their own.
 */
export const responsePair = z.strictObject({
  /** Stable within the data set: the row's id in the file if it has one, else its position. */
  pairId: z.string(),
  /** Position in the data set, from 0. */
  index: z.int().nonnegative(),
  /** Line (JSONL, CSV) or element (JSON array) of the source file, from 1. */
  line: z.int().positive(),
  prompt: content,
  a: content,
  b: content,
  /** A number the file gives for a side (score_chosen, reward …), if it does. */
  rewardA: z.number().nullable(),
  rewardB: z.number().nullable(),
  /** Weight of the row in every loss. */
  weight: z.number().nonnegative(),
  /** The side that the source itself gives; absent where it gives none. */
  split: z.enum(['train', 'validation', 'test']).optional(),
  /** Every column the mapping did not use, untouched. */
  metadata: namedValues(z.json()),
})
export type ResponsePair = z.infer<typeof responsePair>

export const dataKinds = [
  'response-pairs',
  'unpaired-responses',
  'segment-pairs',
  'rankings',
  'contrast-groups',
] as const
export const dataKind = z.enum(dataKinds)
export type DataKind = z.infer<typeof dataKind>

export const outcome = z.enum(['a', 'b', 'tie', 'both-bad', 'skip'])
export type Outcome = z.infer<typeof outcome>

export const strength = z.enum(['slightly', 'clearly', 'far'])
export type Strength = z.infer<typeof strength>

export const splitName = z.enum(['train', 'validation', 'test'])
export type SplitName = z.infer<typeof splitName>

/**
 * What a trainer reads, one line a pair: a frozen view of a data set and its labels. Labels are already reduced to
 * a soft preference, so that ties and several annotators reach every loss alike.
 */
export const preferenceRow = z.strictObject({
  pairId: z.string(),
  split: splitName,
  prompt: content,
  a: content,
  b: content,
  /**
   * P(a preferred over b): 1, 0, ½ for a tie, in between when annotators differ. Null where both were called bad: only
   * methods that judge each answer by itself get such a row.
   */
  preferenceA: z.number().min(0).max(1).nullable(),
  /** How strongly, 0 to 1: the mean over the labels of slightly ⅓, clearly ⅔, far 1 (1 where the source gives none). */
  strength: z.number().min(0).max(1),
  weight: z.number().nonnegative(),
  rewardA: z.number().nullable(),
  rewardB: z.number().nullable(),
  /** How many labels stand behind the preference. */
  labelCount: z.int().nonnegative(),
})
export type PreferenceRow = z.infer<typeof preferenceRow>

/**
 * What an item of `unpaired-responses` holds: one completion of a prompt, to be judged by itself. Judgments are labels, as
 * of pairs: `a` says that it is good, `b` that it is bad.
 */
export const unpairedData = z.strictObject({
  prompt: content,
  completion: content,
  metadata: namedValues(z.json()),
})
export type UnpairedData = z.infer<typeof unpairedData>

/** What a trainer reads of such an item, one line each that somebody judged. */
export const unpairedRow = z.strictObject({
  pairId: z.string(),
  split: splitName,
  prompt: content,
  completion: content,
  /** P(the completion is good): 1, 0, in between when annotators differ. */
  good: z.number().min(0).max(1),
  labelCount: z.int().nonnegative(),
})
export type UnpairedRow = z.infer<typeof unpairedRow>

/** An item of any other kind, as stored: what lists, labels and splits need, and the kind's own fields in `data`. */
export const itemRecord = z.strictObject({
  /** Stable within the data set; named as for pairs, since labels and lists treat both alike. */
  pairId: z.string(),
  index: z.int().nonnegative(),
  line: z.int().positive(),
  /** Items of one group stay on one side of a split. */
  group: z.string(),
  /** For lists. */
  title: z.string(),
  /** The side that the source itself gives; null where it is to be drawn. */
  split: splitName.nullable(),
  data: z.json(),
})
export type ItemRecord = z.infer<typeof itemRecord>

/** What items refer to and is no item itself, a document for example. Such lines follow the items. */
export const extraRecord = z.strictObject({ extra: z.string(), data: z.json() })
export type ExtraRecord = z.infer<typeof extraRecord>

/** What a trainer reads of such a data set, one line an item, then the extra lines as they stand. */
export const itemRow = z.strictObject({
  pairId: z.string(),
  split: splitName,
  /** Where people compared the two sides of the item: P(a preferred over b); null where nobody did. */
  preferenceA: z.number().min(0).max(1).nullable(),
  strength: z.number().min(0).max(1),
  labelCount: z.int().nonnegative(),
  data: z.json(),
})
export type ItemRow = z.infer<typeof itemRow>

/** What an item of `contrast-groups` holds: texts that belong together and texts that do not, one text, or two with a score. */
export const contrastData = z.discriminatedUnion('form', [
  z.strictObject({
    form: z.literal('triple'),
    query: z.string().min(1),
    positive: z.string().min(1),
    negatives: z.array(z.string().min(1)),
    source: z.string().nullable(),
  }),
  z.strictObject({ form: z.literal('text'), text: z.string().min(1) }),
  /** Semantic textual similarity: 0 unrelated, 1 the same. Never trained on. */
  z.strictObject({
    form: z.literal('scored-pair'),
    first: z.string().min(1),
    second: z.string().min(1),
    score: z.number().min(0).max(1),
  }),
])
export type ContrastData = z.infer<typeof contrastData>

/** The chat layout of Pairlab's own small models: one tag a turn, plain text, no special tokens. */
export function toText(value: Content): string {
  if (typeof value === 'string') return value
  return value.map((turn) => `<${turn.role}>\n${turn.content}\n`).join('')
}
