import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Input, Output } from '../../shared/contract.ts'
import type { Match, Player } from '../../shared/contract/matches.ts'
import type { RunId } from '../../shared/domain.ts'
import { lengthReward } from '../../main/core/learn/rewards.ts'
import { makeApp, waitUntil, type TestApp } from '../support/make-app.ts'
import { importTiny, TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'

// One against another: real workers, real runs, judged by a rule, by a reward model, by a model that is asked, and by people.

let made: TestApp
let datasetId: string
let sft: RunId
let other: RunId
let reward: RunId

beforeAll(async () => {
  made = await makeApp()
  datasetId = await importTiny(made.client, made.dataFolder)
  const start = async (changes: Parameters<typeof tinyRequest>[1]): Promise<RunId> => {
    const { runIds } = await made.client.call('runs.start', { request: tinyRequest(datasetId, changes) })
    return runIds[0]!
  }
  const training = { ...TINY_TRAINING, samplePrompts: 0 }
  sft = await start({ training })
  other = await start({ training: { ...training, learningRate: 0.05 }, seeds: [2] })
  reward = await start({ method: 'reward-model', training })
  for (const runId of [sft, other, reward]) expect(await waitForState(made.client, runId)).toBe('finished')
})
afterAll(() => made.end())

const settings = { temperature: 1, maxTokens: 6 }

async function play(request: Omit<Input<'matches.start'>, 'settings'>): Promise<Match> {
  const { matchId } = await made.client.call('matches.start', { settings, ...request })
  await waitUntil('the match', async () => {
    const { state } = await made.client.call('matches.get', { matchId })
    return state !== 'waiting' && state !== 'running'
  })
  return made.client.call('matches.get', { matchId })
}

const boutsOf = async ({ matchId }: Match): Promise<Output<'matches.bouts'>['bouts']> =>
  (await made.client.call('matches.bouts', { matchId, limit: 500 })).bouts
const run = (runId: RunId): Player => ({ kind: 'run', runId, checkpoint: 'last' })
const rule = { kind: 'length', target: 4 } as const

test('by a rule: each bout follows from its two answers, and the same request gives the same answers', async () => {
  const request = { players: [run(sft), run(other)], judge: rule, samples: 2, seed: 5 } as const
  const match = await play(request as never)
  expect([match.state, match.error]).toEqual(['finished', null])
  const bouts = await boutsOf(match)
  const { used, available } = match.result!.promptsOf
  expect([bouts.length, used <= available, used > 3]).toEqual([2 * used, true, true])
  for (const { answers, outcome } of bouts) {
    const [one, two] = answers.map(({ text }) => lengthReward(text, 4)) as [number, number]
    expect(answers.map(({ score }) => score)).toEqual([one, two])
    expect(outcome).toBe(one > two ? 1 : one === two ? 0.5 : 0)
  }
  const { wins, ties, losses, winRate } = match.result!.score!
  expect(wins + ties + losses).toBe(bouts.length)
  expect(winRate.rate).toBeCloseTo((wins + ties / 2) / bouts.length, 12)
  const [bestOf] = match.result!.players.map((one) => one.bestOf)
  expect(bestOf!.map(({ n }) => n)).toEqual([1, 2])
  const first = bouts.filter(({ sample }) => sample === 0).map(({ answers }) => answers[0].score!)
  const second = bouts.filter(({ sample }) => sample === 1).map(({ answers }) => answers[0].score!)
  const better = first.reduce((sum, one, at) => sum + Math.max(one, second[at]!), 0) / first.length
  expect(bestOf![1]!.score).toBeCloseTo(better, 12)
  const again = await play(request as never)
  expect(await boutsOf(again)).toEqual(bouts)
  expect(again.matchId).not.toBe(match.matchId)
  const otherwise = await play({ ...request, seed: 6 } as never)
  expect((await boutsOf(otherwise)).map(({ answers }) => answers[0].text)).not.toEqual(
    bouts.map(({ answers }) => answers[0].text),
  )
  // The files tell the same as the calls, and nothing else is left behind.
  const folder = path.join(made.dataFolder, 'matches', match.matchId)
  expect(readdirSync(folder).toSorted()).toEqual(['bouts.jsonl', 'match.json'])
  expect(JSON.parse(readFileSync(path.join(folder, 'match.json'), 'utf8'))).toEqual(match)
})

test('a policy against itself ties everywhere', async () => {
  const { result } = await play({ players: [run(sft), run(sft)], judge: { kind: 'reward-model', runId: reward } })
  expect(result!.score).toMatchObject({ wins: 0, losses: 0, winRate: { rate: 0.5 }, lengthControlled: null })
})

test('a reward model is set against people on labeled pairs of the same side', async () => {
  const match = await play({
    players: [
      { kind: 'data', answers: 'chosen' },
      { kind: 'data', answers: 'rejected' },
    ],
    judge: { kind: 'reward-model', runId: reward },
    datasetId: datasetId as never,
  })
  const { judge, players, score } = match.result!
  expect(judge.title).toMatch(/^Reward model s1 · step/)
  // What is judged is what the people judged, one pair a prompt: the win rate is the agreement.
  expect(judge.agreement!.rate).toBeCloseTo(score!.winRate.rate, 12)
  expect(judge.agreement!.pairs).toBe(score!.bouts)
  expect(players.map(({ title }) => title)).toEqual(['the preferred answers', 'the other answers'])
  expect(players.map(({ tokens }) => tokens)).toEqual([null, null])
})

test('a model that is asked says how it leans', async () => {
  const { result } = await play({
    players: [run(sft), run(other)],
    judge: { kind: 'model', source: run(sft) as never },
  })
  const { position, agreement } = result!.judge
  expect(position!.first).toBeGreaterThanOrEqual(0)
  expect(position!.consistent).toBeLessThanOrEqual(1)
  expect(agreement!.pairs).toBeGreaterThan(0)
  const { ties, bouts } = result!.score!
  expect(position!.consistent).toBeCloseTo(1 - ties / bouts, 12)
})

test('people judge blind on the bench, and their labels are the score', async () => {
  const match = await play({ players: [run(sft), { kind: 'data', answers: 'chosen' }], judge: { kind: 'people' } })
  const { labelIn, score } = match.result!
  expect(score).toBeNull()
  // Nobody sees who wrote what before it is judged.
  expect(await boutsOf(match)).toEqual([])
  const rows = await made.client.call('datasets.rows', { datasetId: labelIn!, offset: 0, limit: 100 })
  expect(rows.rows.length).toBe(match.result!.promptsOf.used)
  const { annotatorId } = await made.client.call('annotators.add', { name: 'Ada' })
  const who = { datasetId: labelIn!, annotatorId }
  const queue = await made.client.call('labels.queue', { ...who, filter: {} })
  for (const [at, item] of queue.items.slice(0, 3).entries())
    await made.client.call('labels.add', {
      ...who,
      pairId: item.pairId,
      outcome: (['a', 'b', 'tie'] as const)[at]!,
      strength: null,
      comment: '',
      shownOrder: item.shownOrder,
      durationMs: 1,
      clientKey: `the-vote-${at}`,
    })
  const judged = await made.client.call('matches.get', { matchId: match.matchId })
  expect(judged.result!.score).toMatchObject({ bouts: 3, wins: 1, ties: 1, losses: 1, winRate: { rate: 0.5 } })
  expect((await boutsOf(match)).map(({ outcome }) => outcome)).toEqual([1, 0, 0.5])
  await made.client.call('matches.remove', { matchId: match.matchId })
  await expect(made.client.call('matches.get', { matchId: match.matchId })).rejects.toThrow('There is no match')
  expect((await made.client.call('datasets.get', { datasetId: labelIn! })).labelCount).toBe(3)
})

test('what cannot be played says why', async () => {
  const chosen: Player = { kind: 'data', answers: 'chosen' }
  const start = (request: Input<'matches.start'>) => made.client.call('matches.start', request)
  await expect(start({ players: [chosen, chosen], judge: rule })).rejects.toThrow('Neither player is a run')
  await expect(start({ players: [run(sft), chosen], judge: { kind: 'reward-model', runId: sft } })).rejects.toThrow(
    'to judge with it, a reward model is needed',
  )
  await expect(start({ players: [run(reward), chosen], judge: rule })).rejects.toThrow('to write with it')
  await expect(start({ players: [run(sft), chosen], judge: { kind: 'regex', pattern: '(a+)+' } })).rejects.toThrow(
    'repeats a group',
  )
  const gone = 'no-such-run' as RunId
  await expect(start({ players: [run(gone), chosen], judge: rule })).rejects.toThrow('no run')
})

test('one that is cancelled leaves nothing but that it was, and can be played again', async () => {
  const request = { players: [run(sft), run(other)], judge: rule, settings, clientKey: 'once' } as const
  const { matchId } = await made.client.call('matches.start', request as never)
  await made.client.call('matches.cancel', { matchId })
  expect((await made.client.call('matches.get', { matchId })).state).toBe('cancelled')
  const folder = path.join(made.dataFolder, 'matches', matchId)
  expect(readdirSync(folder)).toEqual(['match.json'])
  expect(await made.client.call('matches.start', request as never)).toEqual({ matchId })
  await waitUntil('the match', async () => (await made.client.call('matches.get', { matchId })).state === 'finished')
  // The same key again is the same match.
  expect(await made.client.call('matches.start', request as never)).toEqual({ matchId })
  expect((await made.client.call('matches.get', { matchId })).state).toBe('finished')
  const [listed] = await made.client.call('matches.list', {})
  expect(listed!.matchId).toBe(matchId)
  rmSync(folder, { recursive: true })
})

test('one that waits is cancelled at once, and played again behind those before it', async () => {
  const players = [run(sft), run(other)]
  const first = await made.client.call('matches.start', { players, judge: rule, settings, samples: 8 } as never)
  const request = { players, judge: rule, settings, clientKey: 'waits' } as never
  const { matchId } = await made.client.call('matches.start', request)
  expect((await made.client.call('matches.get', { matchId })).state).toBe('waiting')
  await made.client.call('matches.cancel', { matchId })
  const folder = path.join(made.dataFolder, 'matches', matchId)
  const stateOf = async (id: string): Promise<string> => (await made.client.call('matches.get', { matchId: id })).state
  expect([await stateOf(first.matchId), await stateOf(matchId)]).toEqual(['running', 'cancelled'])
  expect(readdirSync(folder)).toEqual(['match.json'])
  await made.client.call('matches.start', request)
  expect(await stateOf(matchId)).toBe('waiting')
  await waitUntil('the second match', async () => (await stateOf(matchId)) === 'finished')
  expect(await stateOf(first.matchId)).toBe('finished')
  expect(readdirSync(folder).toSorted()).toEqual(['bouts.jsonl', 'match.json'])
})

// Writing to /dev/full fails as writing to a full disk does.
test.skipIf(!existsSync('/dev/full'))('one whose answers the disk has no room for says so', async () => {
  const request = { players: [run(sft), run(other)], judge: rule, settings } satisfies Input<'matches.start'>
  const first = await made.client.call('matches.start', { ...request, samples: 4 })
  const { matchId } = await made.client.call('matches.start', request)
  symlinkSync('/dev/full', path.join(made.dataFolder, 'matches', matchId, 'bouts.jsonl.part'))
  const stateOf = async (): Promise<Match> => made.client.call('matches.get', { matchId })
  await waitUntil('the second match', async () => (await stateOf()).endedAtMs !== null)
  const { state, error } = await stateOf()
  expect([state, error?.code, error?.message]).toEqual([
    'failed',
    'disk-full',
    expect.stringMatching(/bouts\.jsonl\.part could not be written: the disk is full\.$/),
  ])
  expect((await made.client.call('matches.get', first)).state).toBe('finished')
})

test('one that was played when the app died is over at the next start, and leaves nothing of it', async () => {
  const match = await play({ players: [run(sft), run(sft)], judge: rule })
  const left = await makeApp((dataFolder) => {
    const folder = path.join(dataFolder, 'matches', match.matchId)
    mkdirSync(folder, { recursive: true })
    const running: Match = { ...match, state: 'running', endedAtMs: null, result: null }
    writeFileSync(path.join(folder, 'match.json'), JSON.stringify(running))
    for (const name of ['view.jsonl', 'bouts.jsonl.part']) writeFileSync(path.join(folder, name), 'half of it')
  })
  try {
    const { matchId } = match
    expect(await left.client.call('matches.get', { matchId })).toMatchObject({
      state: 'cancelled',
      note: 'It ended with the app.',
    })
    expect(readdirSync(path.join(left.dataFolder, 'matches', matchId))).toEqual(['match.json'])
  } finally {
    await left.end()
  }
})
