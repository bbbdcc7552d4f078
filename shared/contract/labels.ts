import { z } from 'zod'
import { content, outcome, strength } from '../data-kinds.ts'
import { annotatorId, datasetId } from '../domain.ts'
import { call } from './define.ts'

export const annotator = z.strictObject({
  annotatorId,
  name: z.string(),
  createdAtMs: z.number(),
  /** Came with a file; cannot be labeled as. */ imported: z.boolean(),
})
export type Annotator = z.infer<typeof annotator>

/** Which option stood on the left. */
export const shownOrder = z.enum(['ab', 'ba'])

export const labelFilter = z.strictObject({
  only: z.enum(['all', 'unlabeled', 'labeled', 'skipped', 'flagged', 'ties', 'disagreement']).default('unlabeled'),
  search: z.string().default(''),
})
export type LabelFilter = z.infer<typeof labelFilter>

/** What a person may see of a segment: no reward, no score, not who acted. */
const shownSegment = z.strictObject({
  /** [time][qpos]; null where there is nothing to draw. */
  qpos: z.array(z.array(z.number())).nullable(),
  /** [time][action] */
  actions: z.array(z.array(z.number())),
})

/** A pair as the labeling page shows it: blind, with the stored order of its sides. */
export const labelItem = z.strictObject({
  pairId: z.string(),
  index: z.int(),
  prompt: content,
  a: content,
  /** Null where one answer, `a`, is judged by itself: `a` then says that it is good, `b` that it is bad. */
  b: content.nullable(),
  /** In place of texts, where behaviour is compared; else null. */
  segments: z.strictObject({ world: z.string().nullable(), a: shownSegment, b: shownSegment }).nullable().default(null),
  shownOrder,
  /** This annotator's answer in force, if any. */
  current: z.strictObject({ labelId: z.int(), outcome, strength: strength.nullable(), comment: z.string() }).nullable(),
  flagged: z.boolean(),
})
export type LabelItem = z.infer<typeof labelItem>

export const labelProgress = z.strictObject({
  total: z.int(),
  /** Answers in force that are not skips. */
  answered: z.int(),
  skipped: z.int(),
  flagged: z.int(),
  /** Median over the last 50 answers of this annotator. */
  paceMs: z.number().nullable(),
  remainingMs: z.number().nullable(),
  canUndo: z.boolean(),
  canRedo: z.boolean(),
  /** Labels are in the database and in force, but the journal beside the records lacks some: why. It catches up by itself. */
  journalTrouble: z.string().nullable(),
})
export type LabelProgress = z.infer<typeof labelProgress>

/** One row of the append-only log. `undo` and `redo` point at the event they take back or restore. */
export const labelEvent = z.strictObject({
  labelId: z.int(),
  kind: z.enum(['answer', 'undo', 'redo', 'flag', 'unflag']),
  pairId: z.string(),
  pairIndex: z.int(),
  annotatorId,
  outcome: outcome.nullable(),
  strength: strength.nullable(),
  comment: z.string(),
  shownOrder: shownOrder.nullable(),
  durationMs: z.number().nullable(),
  targetId: z.int().nullable(),
  createdAtMs: z.number(),
  /** False once undone or superseded. */
  inForce: z.boolean(),
  /** First words of the prompt, for the list of last answers. */
  title: z.string(),
})
export type LabelEvent = z.infer<typeof labelEvent>

const who = { datasetId, annotatorId }
/** Chosen by the caller for one step of a person: the same step sent again under it counts once. */
const clientKey = z.string().min(8).max(64)
const changed = z.strictObject({
  progress: labelProgress,
  /** The pair the undone or redone answer belongs to. */ pairId: z.string().nullable(),
  index: z.int().nullable(),
})
const share = z.strictObject({ wins: z.int(), n: z.int(), low: z.number().nullable(), high: z.number().nullable() })

export const labelCalls = {
  'annotators.list': call(z.strictObject({}), z.array(annotator)),
  'annotators.add': call(z.strictObject({ name: z.string().trim().min(1).max(80) }), annotator),
  /** The next pairs at or after `fromIndex` that pass the filter, wrapping once; the page keeps two in hand so that a key paints at once. */
  'labels.queue': call(
    z.strictObject({
      ...who,
      filter: labelFilter,
      fromIndex: z.int().nonnegative().default(0),
      direction: z.enum(['forward', 'back']).default('forward'),
      limit: z.int().min(1).max(20).default(3),
      exclude: z.array(z.string()).max(50).default([]),
    }),
    z.strictObject({ items: z.array(labelItem), matching: z.int() }),
  ),
  'labels.item': call(z.strictObject({ ...who, pairId: z.string() }), labelItem),
  /** Returns after the row is on disk. */
  'labels.add': call(
    z.strictObject({
      ...who,
      pairId: z.string(),
      outcome,
      strength: strength.nullable(),
      comment: z.string().max(10_000).default(''),
      shownOrder,
      durationMs: z.number().nonnegative(),
      clientKey,
    }),
    z.strictObject({ labelId: z.int(), progress: labelProgress }),
  ),
  'labels.undo': call(z.strictObject({ ...who, clientKey }), changed),
  'labels.redo': call(z.strictObject({ ...who, clientKey }), changed),
  'labels.flag': call(z.strictObject({ ...who, pairId: z.string(), flagged: z.boolean(), clientKey }), labelProgress),
  'labels.progress': call(z.strictObject(who), labelProgress),
  'labels.history': call(
    z.strictObject({ ...who, limit: z.int().min(1).max(1000).default(20), offset: z.int().nonnegative().default(0) }),
    z.strictObject({ total: z.int(), events: z.array(labelEvent) }),
  ),
  /** Habits worth knowing: share of left choices, share of longer completions chosen, with Wilson intervals. */
  'labels.habits': call(z.strictObject(who), z.strictObject({ left: share, longer: share })),
} as const
