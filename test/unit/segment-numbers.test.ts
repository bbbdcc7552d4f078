import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NewPart } from '../../main/core/formats/parsed-rows.ts'
import { writeNpz, type ArrayToWrite } from '../../main/core/formats/npz.ts'
import { readSegmentLines } from '../../main/core/formats/read-segments.ts'
import { readSegmentNpz, type NpzOptions } from '../../main/core/formats/read-segment-npz.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'segments ü '))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function all(parts: AsyncIterable<NewPart>): Promise<{
  readonly kept: number[]
  readonly outcomes: (string | undefined)[]
  readonly left: (readonly [number, string])[]
}> {
  const found = {
    kept: [] as number[],
    outcomes: [] as (string | undefined)[],
    left: [] as (readonly [number, string])[],
  }
  for await (const part of parts) {
    if ('problem' in part) found.left.push([part.problem.line, part.problem.reason])
    else if ('item' in part) {
      found.kept.push(part.item.line)
      found.outcomes.push(part.item.labels?.[0]?.outcome)
    }
  }
  return found
}

const array = (shape: readonly number[], changes: Readonly<Record<number, number>> = {}): ArrayToWrite => {
  const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, at) => at % 7)
  for (const [at, value] of Object.entries(changes)) data[Number(at)] = value
  return { shape, data }
}

async function fromNpz(arrays: Readonly<Record<string, ArrayToWrite>>, options: NpzOptions = { world: null }) {
  const file = path.join(folder, 'some.npz')
  await writeNpz(file, arrays)
  return all(readSegmentNpz(file, options))
}

describe('numbers that are none', () => {
  test('a file with a NaN score and a NaN observation loses those two pairs, and no tie is made', async () => {
    const { kept, outcomes, left } = await all(
      readSegmentNpz(path.resolve(import.meta.dirname, '../fixtures/cpl/not_numbers.npz'), { world: null }),
    )
    expect(left).toEqual([
      [2, 'The score rl_sum of segment 2 is NaN.'],
      [3, 'The observations of segment 3 hold NaN at step 1.'],
    ])
    expect([kept, outcomes]).toEqual([
      [1, 4],
      ['b', 'b'],
    ])
  })

  test.each([
    ['obs', { 0: NaN }, 1, 'The observations of segment 1 hold NaN at step 1.'],
    ['obs', { 35: Infinity }, 3, 'The observations of segment 6 hold Infinity at step 3.'],
    ['action', { 17: -Infinity }, 3, 'The actions of segment 6 hold -Infinity at step 3.'],
    ['reward', { 4: NaN }, 2, 'The rewards of segment 2 hold NaN at step 2.'],
    ['rl_sum', { 5: Infinity }, 3, 'The score rl_sum of segment 6 is Infinity.'],
  ])('the present form, %s %o', async (name, change, line, reason) => {
    const arrays = { obs: array([6, 3, 2]), action: array([6, 3, 1]), reward: array([6, 3]), rl_sum: array([6]) }
    const changed = arrays[name as 'obs']
    const { kept, left } = await fromNpz({ ...arrays, [name]: array(changed.shape, change as Record<number, number>) })
    expect(left).toEqual([[line, reason]])
    expect(kept).toEqual([1, 2, 3].filter((one) => one !== line))
  })

  test('the older form: segments, labels that are none, and labels of another meaning', async () => {
    const labels = { shape: [5], data: Float32Array.of(0, NaN, -1, 1, 0.5) }
    const sides = {
      obs_1: array([5, 2, 2]),
      obs_2: array([5, 2, 2], { 12: NaN }),
      action_1: array([5, 2, 1]),
      action_2: array([5, 2, 1]),
      reward_1: array([5, 2]),
      reward_2: array([5, 2]),
    }
    const { kept, outcomes, left } = await fromNpz({ ...sides, label: labels })
    expect(left).toEqual([
      [2, 'The label of pair 2 is NaN.'],
      [3, 'The label of pair 3 is -1.'],
      [4, 'The observations of segment 2 of pair 4 hold NaN at step 1.'],
    ])
    expect([kept, outcomes]).toEqual([
      [1, 5],
      ['a', 'tie'],
    ])
  })

  test('a replay buffer: a bad segment takes no good one with it', async () => {
    const { kept, left } = await fromNpz(
      {
        obs: array([10, 2], { 5: NaN }),
        action: array([10, 1]),
        reward: array([10]),
        done: { shape: [10], data: Float32Array.of(0, 0, 0, 0, 0, 0, NaN, 0, 0, 0) },
      },
      { world: null, segmentSteps: 2 },
    )
    expect(left).toEqual([
      [3, 'The observations of steps 3 to 4 hold NaN at step 1.'],
      [7, 'The array done holds NaN at step 7.'],
    ])
    expect(kept).toEqual([1])
  })

  const segment = {
    observations: [[1, 2]],
    actions: [[0]],
    rewards: [0.5],
    qpos: [[0]],
    score: 1,
    behaviour: null,
    origin: null,
  }
  const line = (a: string): string => `{"world": null, "a": ${a}, "b": ${JSON.stringify(segment)}}`
  const whole = JSON.stringify(segment)
  test.each([
    ['null in observations', whole.replace('[1,2]', '[1,null]'), 'a.observations.0.1'],
    ['1e999 in actions', whole.replace('"actions":[[0]]', '"actions":[[1e999]]'), 'a.actions.0.0'],
    [
      'more than single precision holds',
      whole.replace('[1,2]', '[1,1e39]'),
      'more than single precision can hold, at step 1.',
    ],
    ['null among rewards', whole.replace('0.5', 'null'), 'a.rewards.0'],
    ['-1e999 in qpos', whole.replace('"qpos":[[0]]', '"qpos":[[-1e999]]'), 'a.qpos.0.0'],
    ['an infinite score', whole.replace('"score":1', '"score":1e999'), 'a.score'],
    ['NaN as Python writes it', whole.replace('"score":1', '"score": NaN'), 'The row holds NaN'],
  ])('our own lines: %s', async (_what, bad, reason) => {
    const file = path.join(folder, 'lines.jsonl')
    writeFileSync(file, `${line(whole)}\n${line(bad)}\n`)
    const { kept, left } = await all(readSegmentLines(file))
    expect(kept).toEqual([1])
    expect(left).toEqual([[2, expect.stringContaining(reason)]])
    expect(left[0]![1].length).toBeLessThan(200)
  })

  test('a line full of them is told in one sentence', async () => {
    const file = path.join(folder, 'full.jsonl')
    writeFileSync(
      file,
      line(JSON.stringify({ ...segment, observations: Array.from({ length: 64 }, () => [null, null]) })),
    )
    const { left } = await all(readSegmentLines(file))
    expect(left[0]![1]).toMatch(/; and \d+ more\.$/)
    expect(left[0]![1].length).toBeLessThan(250)
  })
})

test('our own lines are read gzipped, with a byte order mark, and as an array', async () => {
  const segment = {
    observations: [[1]],
    actions: [[0]],
    rewards: [1],
    qpos: null,
    score: null,
    behaviour: null,
    origin: null,
  }
  const row = JSON.stringify({ world: null, a: segment, b: segment, preferred: 'b' })
  for (const [name, bytes] of [
    ['x.jsonl.gz', gzipSync(`${row}\n`)],
    ['x.jsonl', `\uFEFF${row}\r\n`],
    ['x.json', `[${row},\n${row}]`],
  ] as const) {
    writeFileSync(path.join(folder, name), bytes)
    expect((await all(readSegmentLines(path.join(folder, name)))).outcomes, name).toEqual(
      name === 'x.json' ? ['b', 'b'] : ['b'],
    )
  }
})
