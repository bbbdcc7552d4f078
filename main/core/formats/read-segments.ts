// Files of segment pairs: our own JSONL, here; the npz files of CPL's code beside it.
import { z } from 'zod'
import { outcome, splitName, strength } from '../../../shared/data-kinds.ts'
import { describeIssues } from '../../../shared/errors.ts'
import { segmentPair } from '../../../shared/segment-pair.ts'
import type { NewPart } from './parsed-rows.ts'
import { openRows, type RowSource } from './readers.ts'
import { readTextHead } from './text-of.ts'
import { SNIFF_BYTES, sniffFormat } from './sniff.ts'
import { holdsArrays } from './npz.ts'
import { readSegmentNpz, type NpzOptions } from './read-segment-npz.ts'
import { preferenceOf, toPart } from './segment-items.ts'
import { leftOut, whereUnreal } from './unreal-numbers.ts'

/** A line of our own files: the pair, and what was said of it. */
export const segmentLine = segmentPair.extend({
  id: z.string().optional(),
  /** Who is preferred by most; null where nobody says. */
  preferred: z.enum(['a', 'b', 'tie']).nullable().default(null),
  judge: z.string().default('file'),
  /** Each label by itself; where the list is there, empty or not, it stands for `preferred` and the scores. */
  labels: z
    .array(z.strictObject({ annotator: z.string().min(1), outcome, strength: strength.nullable().default(null) }))
    .optional(),
  /** The side that the source gives. */
  split: splitName.nullable().default(null),
})

const SECOND_PREFERRED = { a: 0, b: 1, tie: 0.5 } as const

/** Faults of a line that are told; more of them say no more. */
const TOLD_ISSUES = 2

/** Either kind of file. */
export async function* readSegments(file: string, options: NpzOptions): AsyncGenerator<NewPart> {
  yield* (await holdsArrays(file)) ? readSegmentNpz(file, options) : readSegmentLines(file)
}

/** One pair a line, or an array of them; also gzipped. @yields a pair or a problem a line   @throws AppError when the file itself cannot be read */
export async function* readSegmentLines(file: string): AsyncGenerator<NewPart> {
  const source = await openSegmentLines(file)
  for await (const rows of source.batches()) {
    for (const { line, values, problem } of rows) yield problem === null ? partOfLine(line, values) : { problem }
  }
}

/** @throws AppError when the file itself cannot be read */
export async function openSegmentLines(file: string): Promise<RowSource> {
  const head = await readTextHead(file, SNIFF_BYTES)
  return openRows(file, {
    format: sniffFormat(head, head.length < SNIFF_BYTES, file) === 'json' ? 'json' : 'jsonl',
  })
}

export function partOfLine(line: number, values: unknown): NewPart {
  const parsed = segmentLine.safeParse(values)
  if (!parsed.success) {
    const unreal = parsed.error.issues.some((issue) => issue.code === 'invalid_type' && issue.expected === 'number')
    return {
      problem: {
        line,
        severity: 'error',
        code: unreal ? 'not-a-number' : 'segment-broken',
        reason: `${shorten(parsed.error)}.`,
        hint: unreal
          ? 'Every number must be there and finite: leave such pairs out where the file is written, or mend them.'
          : 'A line is an object with world, a and b; a and b have observations, actions, rewards, qpos, score, behaviour and origin.',
      },
    }
  }
  const { id, preferred, judge, labels, split, ...pair } = parsed.data
  const unreal = whereUnreal(pair.a, 'segment a') ?? whereUnreal(pair.b, 'segment b')
  if (unreal !== null) return leftOut(line, unreal)
  return toPart({
    pairId: id ?? `pair-${line}`,
    line,
    pair,
    secondPreferred: preferred === null ? preferenceOf(pair.a.score, pair.b.score) : SECOND_PREFERRED[preferred],
    judge: preferred === null ? 'score' : judge,
    labels,
    split,
  })
}

function shorten(error: z.ZodError): string {
  const more = error.issues.length - TOLD_ISSUES
  return `${describeIssues(new z.ZodError(error.issues.slice(0, TOLD_ISSUES)))}${more > 0 ? `; and ${more} more` : ''}`
}
