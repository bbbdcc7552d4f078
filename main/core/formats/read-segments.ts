// Files of segment pairs: our own JSONL, and the npz files of CPL's code in their three forms.
import { z } from 'zod'
import { outcome, splitName, strength } from '../../../shared/data-kinds.ts'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { segmentPair, type Segment } from '../../../shared/segment-pair.ts'
import type { NewPart } from './parsed-rows.ts'
import { openRows, type RowSource } from './readers.ts'
import { readHead } from '../../base/files/bytes.ts'
import { SNIFF_BYTES, sniffFormat } from './sniff.ts'
import type { NpyArray } from '../../base/files/npy.ts'
import { holdsArrays, readNpz } from './npz.ts'
import { preferenceOf, toPart } from './segment-items.ts'

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
  const head = await readHead(file, SNIFF_BYTES)
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

export interface NpzOptions {
  /** Id of the world; null where it is not one of ours. */
  readonly world: string | null
  /** Which column orders the segments; CPL's own choice where absent. */
  readonly scoreName?: string
  /** For replay files, which have no segments of their own. */
  readonly segmentSteps?: number
}

/** Score columns of CPL's files, best first; rl_sum is the one its configurations use. */
export const SCORES = ['rl_sum', 'rl_dir', 'rl_dis_sum', 'rl_lp', 'rl_l2'] as const

/** @throws AppError `dataset-invalid` for arrays that do not go together */
export async function* readSegmentNpz(file: string, options: NpzOptions): AsyncGenerator<NewPart> {
  const arrays = await readNpz(file)
  if (arrays['obs_1'] !== undefined) yield* oldForm(arrays, options)
  else if (observationsOf(arrays).shape.length >= 3) yield* newForm(arrays, options)
  else yield* replayForm(arrays, options)
}

/** Segment i against segment i + N; label 1 means that the second is better. */
function* newForm(arrays: Readonly<Record<string, NpyArray>>, { world, scoreName }: NpzOptions): Generator<NewPart> {
  const name = scoreName ?? SCORES.find((column) => arrays[column] !== undefined)
  const scores = name === undefined ? null : need(arrays, name)
  const observations = observationsOf(arrays)
  const [actions, rewards] = [need(arrays, 'action'), need(arrays, 'reward')]
  const count = observations.shape[0]!
  if (scores !== null && scores.data.length !== count)
    throw new AppError({
      code: 'dataset-invalid',
      message: `The array "${name}" holds ${scores.data.length} scores for ${count} segments.`,
      hint: 'A score array has one number a segment.',
    })
  const half = Math.floor(count / 2)
  const at = (index: number): Segment =>
    segmentOf({ observations, actions, rewards }, index, scores?.data[index] ?? null)
  for (let pair = 0; pair < half; pair += 1) {
    const [a, b] = [at(pair), at(pair + half)]
    const unreal =
      whereUnreal(a, `segment ${pair + 1}`, `score ${name}`) ??
      whereUnreal(b, `segment ${pair + half + 1}`, `score ${name}`)
    yield unreal === null
      ? toPart({
          pairId: `pair-${pair + 1}`,
          line: pair + 1,
          pair: { world, a, b },
          secondPreferred: preferenceOf(a.score, b.score),
          judge: name ?? '',
        })
      : leftOut(pair + 1, unreal)
  }
}

function* oldForm(arrays: Readonly<Record<string, NpyArray>>, { world }: NpzOptions): Generator<NewPart> {
  const side = (number: 1 | 2) => ({
    observations: need(arrays, `obs_${number}`),
    actions: need(arrays, `action_${number}`),
    rewards: need(arrays, `reward_${number}`),
  })
  const [first, second] = [side(1), side(2)]
  const labels = need(arrays, 'label')
  for (let pair = 0; pair < labels.data.length; pair += 1) {
    const label = labels.data[pair]!
    if (!(label >= 0 && label <= 1)) {
      yield {
        problem: {
          line: pair + 1,
          severity: 'error',
          code: Number.isFinite(label) ? 'label-unknown' : 'not-a-number',
          reason: `The label of pair ${pair + 1} is ${label}.`,
          hint: 'Labels run from 0, the first is better, over 0.5 to 1, the second is better.',
        },
      }
      continue
    }
    // As the official reader turns labels into scores.
    const [a, b] = [segmentOf(first, pair, 1 - label), segmentOf(second, pair, label)]
    const unreal = whereUnreal(a, `segment 1 of pair ${pair + 1}`) ?? whereUnreal(b, `segment 2 of pair ${pair + 1}`)
    yield unreal === null
      ? toPart({
          pairId: `pair-${pair + 1}`,
          line: pair + 1,
          pair: { world, a, b },
          secondPreferred: label,
          judge: 'label',
        })
      : leftOut(pair + 1, unreal)
  }
}

/** Steps in a row; `done` stands at the last one of an episode. Whole segments are cut from each, and paired unjudged. */
function* replayForm(
  arrays: Readonly<Record<string, NpyArray>>,
  { world, segmentSteps = 64 }: NpzOptions,
): Generator<NewPart> {
  const [observations, actions, rewards, done] = [
    observationsOf(arrays),
    need(arrays, 'action'),
    need(arrays, 'reward'),
    need(arrays, 'done'),
  ]
  const cut = (start: number): Segment =>
    segmentOf(
      {
        observations: reshaped(observations, start, segmentSteps),
        actions: reshaped(actions, start, segmentSteps),
        rewards: reshaped(rewards, start, segmentSteps),
      },
      0,
      null,
    )
  const starts: number[] = []
  let found = 0
  let start = 0
  for (let step = 0; step < done.data.length; step += 1) {
    if (step - start + 1 === segmentSteps) {
      found += 1
      // Where nobody is compared yet, a bad segment takes no good one with it.
      const doneAt = done.data.subarray(start, step + 1).findIndex((value) => !Number.isFinite(value))
      const name = `steps ${start + 1} to ${step + 1}`
      const unreal =
        doneAt === -1
          ? whereUnreal(cut(start), name)
          : `The array done holds ${done.data[start + doneAt]} at step ${start + doneAt + 1}.`
      if (unreal === null) starts.push(start)
      else yield leftOut(start + 1, unreal, 'segment')
      start = step + 1
    }
    if (done.data[step]! > 0) start = step + 1
  }
  if (found < 2)
    throw new AppError({
      code: 'dataset-invalid',
      message: `No two segments of ${segmentSteps} steps fit into the episodes of this file.`,
      hint: 'Give a smaller number of steps.',
    })
  const half = Math.floor(starts.length / 2)
  for (let pair = 0; pair < half; pair += 1)
    yield toPart({
      pairId: `pair-${pair + 1}`,
      line: pair + 1,
      pair: { world, a: cut(starts[pair]!), b: cut(starts[pair + half]!) },
      secondPreferred: null,
      judge: '',
    })
}

function leftOut(line: number, reason: string, what = 'pair'): NewPart {
  return {
    problem: {
      line,
      severity: 'error',
      code: 'not-a-number',
      reason,
      hint: `The ${what} is left out: nothing can be learned from numbers that are none. Mend them where the file is written.`,
    },
  }
}

/** Where a number of the segment is NaN or infinite, as single precision has it, in words; null where all are real. */
function whereUnreal(
  { observations, actions, rewards, qpos, score }: Segment,
  name: string,
  scoreName = 'score',
): string | null {
  if (score !== null && !Number.isFinite(score)) return `The ${scoreName} of ${name} is ${score}.`
  for (const [what, rows] of [
    ['observations', observations],
    ['actions', actions],
    ['rewards', rewards.map((reward) => [reward])],
    ['qpos', qpos ?? []],
  ] as const) {
    for (const [step, row] of rows.entries()) {
      const value = row.find((number) => !Number.isFinite(Math.fround(number)))
      if (value !== undefined)
        return `The ${what} of ${name} hold ${value}${Number.isFinite(value) ? ', more than single precision can hold,' : ''} at step ${step + 1}.`
    }
  }
  return null
}

function reshaped({ shape, data }: NpyArray, start: number, steps: number): NpyArray {
  const width = shape.slice(1).reduce((product, size) => product * size, 1)
  return { shape: [1, steps, ...shape.slice(1)], data: data.subarray(start * width, (start + steps) * width) }
}

interface Arrays {
  readonly observations: NpyArray
  readonly actions: NpyArray
  readonly rewards: NpyArray
}

function segmentOf({ observations, actions, rewards }: Arrays, index: number, score: number | null): Segment {
  const time = observations.shape[1]!
  const rows = ({ shape, data }: NpyArray): number[][] => {
    const width = shape.slice(2).reduce((product, size) => product * size, 1)
    if (shape[1] !== time || data.length < (index + 1) * time * width)
      throw new AppError({
        code: 'dataset-invalid',
        message: 'The arrays of this file have different numbers of segments or steps.',
        hint: 'obs, action and reward begin with the same two sizes.',
      })
    return Array.from({ length: time }, (_, t) =>
      Array.from(data.subarray((index * time + t) * width, (index * time + t + 1) * width)),
    )
  }
  return {
    observations: rows(observations),
    actions: rows(actions),
    rewards: rows(rewards).map((row) => row[0]!),
    qpos: null,
    score,
    behaviour: null,
    origin: null,
  }
}

/** Nested observations are joined with a dot; a plain vector is what a policy here can see. */
function observationsOf(arrays: Readonly<Record<string, NpyArray>>): NpyArray {
  return arrays['obs'] ?? need(arrays, 'obs.state')
}

function need(arrays: Readonly<Record<string, NpyArray>>, name: string): NpyArray {
  const found = arrays[name]
  if (found !== undefined) return found
  throw new AppError({
    code: 'dataset-invalid',
    message: `The file has no array "${name}"; it has ${Object.keys(arrays).join(', ') || 'none'}.`,
    hint: 'Files of CPL have obs, action, reward and a score such as rl_sum, or obs_1, obs_2 and label.',
  })
}
