// Files of segment pairs: our own JSONL, and the npz files of CPL's code in their three forms.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { segmentPair, type Segment } from '../../../shared/segment-pair.ts'
import type { NewPart } from '../add-dataset.ts'
import type { NpyArray } from './npy.ts'
import { readNpz } from './npz.ts'
import { preferenceOf, toPart } from './segment-items.ts'

/** A line of our own files: the pair, and who is preferred: 'a', 'b', 'tie' or null. */
export const segmentLine = segmentPair.extend({ id: z.string().optional(), preferred: z.enum(['a', 'b', 'tie']).nullable().default(null), judge: z.string().default('file') })

const SECOND_PREFERRED = { a: 0, b: 1, tie: 0.5 } as const

/** @yields a pair or a problem a line */
export async function* readSegmentLines(file: string): AsyncGenerator<NewPart> {
  let line = 0
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1
    if (text.trim() === '') continue
    const parsed = segmentLine.safeParse(parseJson(text))
    if (!parsed.success) {
      yield { problem: { line, severity: 'error', code: 'segment-broken', reason: describeIssues(parsed.error), hint: 'A line is an object with world, a and b; a and b have observations, actions, rewards, qpos, score, behaviour and origin.' } }
      continue
    }
    const { id, preferred, judge, ...pair } = parsed.data
    yield toPart({ pairId: id ?? `pair-${line}`, line, pair, secondPreferred: preferred === null ? preferenceOf(pair.a.score, pair.b.score) : SECOND_PREFERRED[preferred], judge: preferred === null ? 'score' : judge })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // the schema says what is expected
  }
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
const SCORES = ['rl_sum', 'rl_dir', 'rl_dis_sum', 'rl_lp', 'rl_l2'] as const

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
  const half = Math.floor(observations.shape[0]! / 2)
  const at = (index: number): Segment => segmentOf({ observations, actions, rewards }, index, scores?.data[index] ?? null)
  for (let pair = 0; pair < half; pair += 1) {
    const [a, b] = [at(pair), at(pair + half)]
    yield toPart({ pairId: `pair-${pair + 1}`, line: pair + 1, pair: { world, a, b }, secondPreferred: preferenceOf(a.score, b.score), judge: name ?? '' })
  }
}

function* oldForm(arrays: Readonly<Record<string, NpyArray>>, { world }: NpzOptions): Generator<NewPart> {
  const side = (number: 1 | 2) => ({ observations: need(arrays, `obs_${number}`), actions: need(arrays, `action_${number}`), rewards: need(arrays, `reward_${number}`) })
  const [first, second] = [side(1), side(2)]
  const labels = need(arrays, 'label')
  for (let pair = 0; pair < labels.data.length; pair += 1) {
    const label = labels.data[pair]!
    // As the official reader turns labels into scores.
    const [a, b] = [segmentOf(first, pair, 1 - label), segmentOf(second, pair, label)]
    yield toPart({ pairId: `pair-${pair + 1}`, line: pair + 1, pair: { world, a, b }, secondPreferred: label, judge: 'label' })
  }
}

/** Steps in a row; `done` stands at the last one of an episode. Whole segments are cut from each, and paired unjudged. */
function* replayForm(arrays: Readonly<Record<string, NpyArray>>, { world, segmentSteps = 64 }: NpzOptions): Generator<NewPart> {
  const [observations, actions, rewards, done] = [observationsOf(arrays), need(arrays, 'action'), need(arrays, 'reward'), need(arrays, 'done')]
  const starts: number[] = []
  let start = 0
  for (let step = 0; step < done.data.length; step += 1) {
    if (step - start + 1 === segmentSteps) {
      starts.push(start)
      start = step + 1
    }
    if (done.data[step]! > 0) start = step + 1
  }
  if (starts.length < 2) throw new AppError({ code: 'dataset-invalid', message: `No two segments of ${segmentSteps} steps fit into the episodes of this file.`, hint: 'Give a smaller number of steps.' })
  const half = Math.floor(starts.length / 2)
  const at = (index: number): Segment => segmentOf({ observations: reshaped(observations, starts[index]!, segmentSteps), actions: reshaped(actions, starts[index]!, segmentSteps), rewards: reshaped(rewards, starts[index]!, segmentSteps) }, 0, null)
  for (let pair = 0; pair < half; pair += 1) yield toPart({ pairId: `pair-${pair + 1}`, line: pair + 1, pair: { world, a: at(pair), b: at(pair + half) }, secondPreferred: null, judge: '' })
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
    if (shape[1] !== time || data.length < (index + 1) * time * width) throw new AppError({ code: 'dataset-invalid', message: 'The arrays of this file have different numbers of segments or steps.', hint: 'obs, action and reward begin with the same two sizes.' })
    return Array.from({ length: time }, (_, t) => Array.from(data.subarray((index * time + t) * width, (index * time + t + 1) * width)))
  }
  return { observations: rows(observations), actions: rows(actions), rewards: rows(rewards).map((row) => row[0]!), qpos: null, score, behaviour: null, origin: null }
}

/** Nested observations are joined with a dot; a plain vector is what a policy here can see. */
function observationsOf(arrays: Readonly<Record<string, NpyArray>>): NpyArray {
  return arrays['obs'] ?? need(arrays, 'obs.state')
}

function need(arrays: Readonly<Record<string, NpyArray>>, name: string): NpyArray {
  const found = arrays[name]
  if (found !== undefined) return found
  throw new AppError({ code: 'dataset-invalid', message: `The file has no array "${name}"; it has ${Object.keys(arrays).join(', ') || 'none'}.`, hint: 'Files of CPL have obs, action, reward and a score such as rl_sum, or obs_1, obs_2 and label.' })
}
