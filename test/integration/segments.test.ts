import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readNpz } from '../../main/core/formats/npz.ts'
import { createMlp, type MlpConfig } from '../../main/core/learn/models/mlp.ts'
import { tf } from '../../main/core/learn/tf.ts'
import { decodeSafeTensors } from '../../main/core/learn/models/safetensors.ts'
import type { ActingPlayer } from '../../shared/contract/watch.ts'
import { ROLL_OUT_SEED } from '../../shared/segments.ts'
import type { DatasetSummary } from '../../shared/contract/datasets.ts'
import type { SegmentPair } from '../../shared/segment-pair.ts'
import type { RunRequestInput } from '../../shared/run-spec.ts'
import { killAfterCheckpoint } from '../support/kill-trainer.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { waitForState } from '../support/tiny-app.ts'
import { allEvents, exitOf, spawnTrainer } from '../support/tiny-run.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/cpl/${name}.npz`, import.meta.url))

let test: TestApp
let points: DatasetSummary
beforeAll(async () => {
  test = await makeApp()
  points = await test.client.call('segments.collect', {
    world: 'point-mass',
    pairs: 24,
    segmentSteps: 16,
    name: 'Points',
  })
})
afterAll(() => test.end())

function request(
  method: string,
  changes: { readonly steps?: number; readonly config?: RunRequestInput['config']; readonly seeds?: number[] } = {},
): RunRequestInput {
  return {
    method,
    config: { width: 8, evalEpisodes: 3, ...changes.config },
    training: {
      steps: changes.steps ?? 8,
      batchSize: 4,
      evalEvery: 4,
      checkpointEvery: 4,
      learningRate: 0.01,
      keepCheckpoints: 9,
    },
    model: { kind: 'networks' },
    data: { datasetId: points.datasetId },
    engine: 'cpu',
    seeds: changes.seeds ?? [1],
  }
}

describe('collection', () => {
  it('makes a data set of judged pairs, the same one from the same seed', async () => {
    expect(points).toMatchObject({ kind: 'segment-pairs', itemCount: 24, labeledCount: 24, annotators: ['regret'] })
    const again = await test.client.call('segments.collect', {
      world: 'point-mass',
      pairs: 24,
      segmentSteps: 16,
      name: 'Points again',
    })
    expect(again.fingerprint).toBe(points.fingerprint)
    const other = await test.client.call('segments.collect', {
      world: 'point-mass',
      pairs: 24,
      segmentSteps: 16,
      seed: 2,
      label: 'none',
      name: 'Unjudged',
    })
    expect(other).toMatchObject({ labeledCount: 0, itemCount: 24 })
    expect(other.fingerprint).not.toBe(points.fingerprint)
  })

  it('keeps each episode on one side of the split, however many segments it gave', async () => {
    // 50 pairs are no whole number of episodes, of which each gives several.
    const { datasetId } = await test.client.call('segments.collect', {
      world: 'point-mass',
      pairs: 50,
      segmentSteps: 16,
      name: 'Episodes',
    })
    const { runIds } = await test.client.call('runs.start', {
      request: { ...request('bc', { steps: 1 }), data: { datasetId } },
    })
    const { spec } = await test.client.call('runs.get', { runId: runIds[0]! })
    const sides = new Map<number, Set<string>>()
    let segments = 0
    for (const line of readFileSync(spec.data.viewPath, 'utf8').trim().split('\n')) {
      const { split, data } = JSON.parse(line) as { split: string; data: SegmentPair }
      for (const { origin } of [data.a, data.b]) {
        segments += 1
        sides.set(origin!.episode, (sides.get(origin!.episode) ?? new Set()).add(split))
      }
    }
    expect(segments).toBe(100)
    expect(sides.size).toBeLessThan(50)
    expect([...sides.values()].every((one) => one.size === 1)).toBe(true)
    expect(new Set([...sides.values()].flatMap((one) => [...one])).size).toBe(3)
    await waitForState(test.client, runIds[0]!)
  })

  it('names the worlds, and says what is wrong with a request', async () => {
    expect((await test.client.call('worlds.list', {})).map((world) => world.id)).toContain('half-cheetah')
    await expect(test.client.call('segments.collect', { world: 'moon', pairs: 1, name: 'x' })).rejects.toMatchObject({
      code: 'spec-invalid',
      message: 'There is no world called "moon".',
    })
    await expect(
      test.client.call('segments.collect', { world: 'lqr', pairs: 1, segmentSteps: 1, name: 'x' }),
    ).rejects.toMatchObject({ code: 'input-invalid' })
  })
})

describe('labeling', () => {
  it('shows what was done and how it looked, and nothing that would tell', async () => {
    const { client } = test
    const { datasetId } = await client.call('segments.collect', {
      world: 'pendulum',
      pairs: 2,
      segmentSteps: 5,
      label: 'none',
      name: 'To judge',
    })
    const { annotatorId } = await client.call('annotators.add', { name: 'Mara' })
    const [item] = (await client.call('labels.queue', { datasetId, annotatorId, filter: {} })).items
    expect(Object.keys(item!.segments!.a)).toEqual(['qpos', 'actions'])
    expect([item!.segments!.world, item!.segments!.a.qpos!.length, item!.segments!.b.actions.length, item!.a]).toEqual([
      'pendulum',
      5,
      5,
      '',
    ])
    await client.call('labels.add', {
      datasetId,
      annotatorId,
      pairId: item!.pairId,
      outcome: 'b',
      strength: 'clearly',
      shownOrder: item!.shownOrder,
      durationMs: 5,
      clientKey: 'segment-label-1',
    })
    expect((await client.call('datasets.get', { datasetId })).balance).toMatchObject({ b: 1, unlabeled: 1 })
    const { path: file } = await client.call('segments.export', { datasetId, format: 'segments-jsonl' })
    expect(
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { preferred: string | null }).preferred)
        .filter((one) => one !== null),
    ).toEqual(['b'])
  })
})

describe('training', () => {
  it.each([
    ['cpl', { reference: true }],
    ['sft-pref', {}],
    ['bc', {}],
    ['percent-bc', {}],
    ['p-iql', {}],
  ] as const)('%s trains, and is judged by acting', async (method, config) => {
    const { client } = test
    const [whole] = (await client.call('runs.start', { request: request(method, { config }) })).runIds
    expect(await waitForState(client, whole!)).toBe('finished')
    const done = await client.call('runs.get', { runId: whole! })
    expect(done.mainMetric).toBe('eval/return')
    expect(done.mainValue).toBeLessThan(0)
    expect(done.facts).toMatchObject({ world: 'point-mass', trainSegments: expect.any(Number) })
  })

  it.each([
    ['cpl', { reference: true, bcShare: 0.5 }],
    ['p-iql', { rewardShare: 0.5 }],
  ] as const)('%s, killed and gone on with, ends with the very same weights', async (method, config) => {
    const { client, dataFolder } = test
    const [whole] = (await client.call('runs.start', { request: request(method, { config, steps: 40 }) })).runIds
    await waitForState(client, whole!)
    const folder = path.join(dataFolder, `killed-${method}`)
    mkdirSync(folder)
    copyFileSync(path.join(dataFolder, 'runs', whole!, 'spec.json'), path.join(folder, 'spec.json'))
    expect(await killAfterCheckpoint(folder)).toBe('SIGKILL')
    expect(await exitOf(spawnTrainer(folder))).toBe(0)
    expect(allEvents(folder).findLast((event) => event.type === 'ready')).toMatchObject({
      resumedFromStep: expect.any(Number),
    })
    const last = (from: string) =>
      decodeSafeTensors(readFileSync(path.join(from, 'checkpoints', '00000040', 'model.safetensors'))).tensors
    expect(last(folder)).toEqual(last(path.join(dataFolder, 'runs', whole!)))
  })

  it('stops at once while it acts in an evaluation, which leaves no number', async () => {
    const slow = { world: 'reacher', pairs: 6, segmentSteps: 16, name: 'Arms' }
    const { datasetId } = await test.client.call('segments.collect', slow)
    const asked = { ...request('bc', { config: { evalEpisodes: 1000 } }), data: { datasetId } }
    const [runId] = (await test.client.call('runs.start', { request: asked })).runIds
    // Six pairs are scored in no time: nearly all of an evaluation is acting.
    await waitUntil('the first evaluation', async () => {
      const { state } = await test.client.call('runs.get', { runId: runId! })
      expect(['queued', 'starting', 'evaluating']).toContain(state)
      return state === 'evaluating'
    })
    await test.client.call('runs.stop', { runId: runId!, mode: 'stop' })
    expect(await waitForState(test.client, runId!)).toBe('cancelled')
    expect((await test.client.call('runs.get', { runId: runId! })).metricNames).not.toContain('eval/return')
  })

  it('compares methods by return', async () => {
    const { client } = test
    const runs = await client.call('runs.list', {})
    expect(runs.length).toBeGreaterThan(4)
    const table = await client.call('comparisons.get', {
      runIds: runs.map((run) => run.runId),
      groupBy: 'method',
      metric: 'eval/return',
    })
    expect(JSON.stringify(table)).toContain('eval/return')
  })

  it('lets a trained policy act, the same numbers as in training', async () => {
    const { client } = test
    const run = (await client.call('runs.list', {})).find((one) => one.method === 'bc' && one.state === 'finished')!
    const made = await client.call('segments.collect', {
      world: 'point-mass',
      pairs: 2,
      segmentSteps: 4,
      behaviour: 'learned',
      runId: run.runId,
      noise: 0,
      name: 'By BC',
    })
    const { pair } = await client.call('segments.row', { datasetId: made.datasetId, index: 0 })
    expect(pair.a.behaviour).toBe(`learned by ${run.runId}`)
    const { tensors } = decodeSafeTensors(
      readFileSync(path.join(test.dataFolder, 'runs', run.runId, 'checkpoints', '00000008', 'model.safetensors')),
    )
    const config: MlpConfig = { inputs: 6, hidden: [8, 8], outputs: 2, activation: 'relu', output: 'tanh' }
    const policy = createMlp(
      config,
      Object.fromEntries(
        Object.entries(tensors).map(([name, { shape, data }]) => [
          name.replace('policy/', ''),
          { shape, data: Float32Array.from(data) },
        ]),
      ),
    )
    const expected = tf.tidy(() => policy.apply(tf.tensor2d(pair.a.observations)).arraySync()) as number[][]
    policy.dispose()
    pair.a.actions.forEach((row, t) => row.forEach((value, axis) => expect(value).toBeCloseTo(expected[t]![axis]!, 4)))
    await expect(
      client.call('segments.collect', {
        world: 'pendulum',
        pairs: 1,
        behaviour: 'learned',
        runId: run.runId,
        name: 'x',
      }),
    ).rejects.toMatchObject({
      code: 'spec-invalid',
      message: 'That policy was trained in point-mass, not in pendulum.',
    })
    await expect(
      client.call('segments.collect', { world: 'pendulum', pairs: 1, behaviour: 'learned', name: 'x' }),
    ).rejects.toMatchObject({ code: 'usage-invalid' })
    await expect(client.call('segments.row', { datasetId: made.datasetId, index: 99 })).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  it('is watched as it was evaluated: the same starts give the same returns', async () => {
    const { client, dataFolder } = test
    const run = (await client.call('runs.list', {})).find((one) => one.method === 'bc' && one.state === 'finished')!
    const measured = JSON.parse(
      readFileSync(path.join(dataFolder, 'runs', run.runId, 'held-out', 'eval-8.json'), 'utf8'),
    ) as { ids: string[]; metrics: { return: { at: number[]; value: number[] } } }
    const seed = ROLL_OUT_SEED + run.seed
    const watched = (player: ActingPlayer, episode: number, from: number, steps: number) =>
      client.call('watch.act', { world: 'point-mass', player, start: { seed, episode }, from, steps })
    const player = { kind: 'run', runId: run.runId, checkpoint: 'last' } as const
    for (const episode of [0, 2]) {
      const first = await watched(player, episode, 0, 100)
      const rest = await watched(player, episode, 100, 100)
      expect([first.ended, rest.ended, rest.rewards.length]).toEqual([false, true, 28])
      const at = measured.ids.indexOf(`start ${seed}, episode ${episode}`)
      const counted = measured.metrics.return.value[measured.metrics.return.at.indexOf(at)]!
      expect([...first.rewards, ...rest.rewards].reduce((sum, reward) => sum + reward, 0)).toBe(counted)
      expect([first.engine, first.checkpointStep]).toEqual(['cpu', 8])
      expect(await watched(player, episode, 0, 100)).toEqual(first) // looked at again
    }
    const script = { kind: 'script', script: 'expert', noise: 0 } as const
    const beside = await watched(script, 2, 0, 200)
    expect(beside.qpos[0]).toEqual((await watched(player, 2, 0, 1)).qpos[0])
    expect(beside).toMatchObject({ engine: null, checkpointStep: null, ended: true })
    const players = await client.call('watch.players', { runId: run.runId })
    expect(players).toContainEqual({
      title: 'as in the data: weak, noise 0.3',
      group: 'data',
      player: { kind: 'script', script: 'weak', noise: 0.3 },
    })
    expect(players.filter((one) => one.group === 'runs').length).toBeGreaterThan(2)
    await expect(watched({ ...player, checkpoint: 7 }, 0, 0, 1)).rejects.toMatchObject({ code: 'spec-invalid' })
    await expect(
      client.call('watch.act', { world: 'pendulum', player, start: { seed }, from: 0, steps: 1 }),
    ).rejects.toMatchObject({ message: 'That policy was trained in point-mass, not in pendulum.' })
    await client.call('watch.end', {})
    expect(await watched(script, 2, 0, 200)).toEqual(beside) // a new process, the same episode
  })

  it('says what does not fit', async () => {
    const { client } = test
    const check = await client.call('runs.check', {
      request: { ...request('cpl'), model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } } },
    })
    expect(check.problems).toEqual([
      { path: 'model.kind', message: 'CPL makes its own networks: give "networks" as the model.' },
    ])
  })
})

describe('files', () => {
  it('reads the three forms of CPL', async () => {
    const { client } = test
    const [recent, old, replay] = await Promise.all(
      ['new_format', 'old_format', 'replay_buffer'].map((name) =>
        client.call('segments.import', { path: fixture(name), name, segmentSteps: name === 'replay_buffer' ? 4 : 64 }),
      ),
    )
    expect(recent).toMatchObject({ itemCount: 6, labeledCount: 6, annotators: ['rl_sum'] })
    expect(old).toMatchObject({ itemCount: 6, labeledCount: 6, annotators: ['label'] })
    expect(replay!.labeledCount).toBe(0)
    const scores = (await readNpz(fixture('new_format')))['rl_sum']!.data
    const detail = await client.call('datasets.get', { datasetId: recent!.datasetId })
    const better = Array.from({ length: 6 }, (_, pair) => Math.sign(scores[pair + 6]! - scores[pair]!))
    expect(detail.balance).toMatchObject({
      a: better.filter((sign) => sign < 0).length,
      b: better.filter((sign) => sign > 0).length,
      tie: better.filter((sign) => sign === 0).length,
    })
  })

  it.each(['segments-jsonl', 'cpl-npz'] as const)('writes %s that give the same data again', async (format) => {
    const { client } = test
    const { path: file, rows } = await client.call('segments.export', { datasetId: points.datasetId, format })
    expect(rows).toBe(24)
    const again = await client.call('segments.import', { path: file, name: `From ${format}`, world: 'point-mass' })
    expect(again).toMatchObject({ itemCount: 24, labeledCount: 24, rejectedRowCount: 0 })
    const [first, second] = await Promise.all(
      [points, again].map(async ({ datasetId }) => (await client.call('datasets.get', { datasetId })).balance),
    )
    expect(second).toEqual(first)
    if (format === 'cpl-npz') {
      const { obs, action, reward, rl_sum: scores } = await readNpz(file)
      expect([obs!.shape, action!.shape, reward!.shape, scores!.shape]).toEqual([
        [48, 16, 6],
        [48, 16, 2],
        [48, 16],
        [48],
      ])
    }
  })

  it('keeps good lines and names the others', async () => {
    const { client, dataFolder } = test
    const file = path.join(dataFolder, 'some.jsonl')
    const segment = {
      observations: [[1, 2]],
      actions: [[0]],
      rewards: [0.5],
      qpos: null,
      score: null,
      behaviour: null,
      origin: null,
    }
    writeFileSync(
      file,
      [
        JSON.stringify({ world: null, a: segment, b: segment, preferred: 'tie' }),
        'no json',
        JSON.stringify({ world: null, a: segment, b: { ...segment, rewards: [] } }),
      ].join('\n'),
    )
    const made = await client.call('segments.import', { path: file, name: 'Some' })
    expect(made).toMatchObject({ itemCount: 1, labeledCount: 1, rejectedRowCount: 2 })
    await expect(
      client.call('segments.export', { datasetId: made.datasetId, format: 'segments-jsonl' }),
    ).resolves.toMatchObject({ rows: 1 })
    const broken = path.join(dataFolder, 'broken.npz')
    copyFileSync(file, broken)
    await expect(client.call('segments.import', { path: broken, name: 'Broken' })).rejects.toMatchObject({
      code: 'dataset-invalid',
    })
    await expect(
      client.call('segments.import', { path: path.join(dataFolder, 'none.npz'), name: 'None' }),
    ).rejects.toMatchObject({ code: 'file-not-found' })
  })
})
