// The npz files of CPL's code in their three forms.
import { AppError } from '../../../shared/errors.ts'
import { type Segment } from '../../../shared/segment-pair.ts'
import type { NewPart } from './parsed-rows.ts'
import type { NpyArray } from '../../base/files/npy.ts'
import { readNpz } from './npz.ts'
import { preferenceOf, toPart } from './segment-items.ts'
import { leftOut, whereUnreal } from './unreal-numbers.ts'

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
