import { afterAll, beforeAll, expect, test } from 'vitest'
import { judgeField } from '../../renderer/train/judge-field.ts'
import { readDraft } from '../../renderer/train/draft.ts'
import { draftOf } from '../../renderer/train/draft-of-request.ts'
import { placeProblems, placesOf } from '../../renderer/train/problems.ts'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import { problemsOf } from '../../shared/request-problems.ts'
import { runRequest, type RunRequestInput } from '../../shared/run-spec.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'
import { importTiny, tinyRequest } from '../support/tiny-app.ts'

let running: TestApp
let datasetId: string
let algorithms: readonly AlgorithmInfo[]

beforeAll(async () => {
  running = await makeApp()
  datasetId = await importTiny(running.client, running.dataFolder)
  algorithms = await running.client.call('algorithms.list', {})
})
afterAll(() => running.end())

/** Where the form shows what the app finds wrong with a request: place → problem, and what has no place. */
async function shown(changes: Partial<RunRequestInput>) {
  const asked = tinyRequest(datasetId, changes)
  const request = runRequest.parse(asked)
  const { problems } = await running.client.call('runs.check', { request: asked })
  const algorithm = algorithms.find((one) => one.id === request.method)!
  return {
    paths: problems.map(({ path }) => path),
    ...placeProblems(problems, placesOf(draftOf(request, algorithm, judgeField), algorithm, judgeField)),
  }
}

const run = { kind: 'run', runId: 'gone-1' as never, checkpoint: 'last' } as const
const wrong: readonly (readonly [string, Partial<RunRequestInput>, path: string, place: string])[] = [
  ['a number of the method', { method: 'dpo', config: { beta: -1 } }, 'config.beta', 'config.beta'],
  [
    'a choice of the method',
    { method: 'dpo', config: { smoothing: 'no such' } },
    'config.smoothing',
    'config.smoothing',
  ],
  [
    'a part of a choice',
    { method: 'reinforce', config: { rewards: { kind: 'length', target: -5 } } },
    'config.rewards.target',
    'config.rewards.target',
  ],
  [
    'an entry of a list',
    { method: 'reinforce', config: { rewards: { kind: 'keyword', words: ['yes', ''] } } },
    'config.rewards.words.1',
    'config.rewards.words',
  ],
  [
    'a choice that there is not',
    { method: 'reinforce', config: { rewards: { kind: 'praise' } } },
    'config.rewards.kind',
    'config.rewards',
  ],
  [
    'rewards from columns that are not there',
    { method: 'reinforce', config: { rewards: { kind: 'column' } } },
    'config.rewards.kind',
    'config.rewards',
  ],
  [
    'a reward model that is gone',
    { method: 'reinforce', config: { rewards: { kind: 'reward-model', runId: 'gone-1' } } },
    'config.rewards.runId',
    'config.rewards.runId',
  ],
  [
    'a pattern that is none',
    { method: 'reinforce', config: { rewards: { kind: 'regex', pattern: '(' } } },
    'config.rewards.pattern',
    'config.rewards.pattern',
  ],
  [
    'a judge’s pattern that may never end',
    { judge: { kind: 'regex', pattern: '(a+)+$' } },
    'judge.pattern',
    'judge.pattern',
  ],
  ['a run to start from that is gone', { model: run }, 'model.runId', 'model'],
  ['a model that is gone', { model: { kind: 'registered', modelId: 'gone' as never } }, 'model.modelId', 'model'],
  ['networks for a language model', { model: { kind: 'networks' } }, 'model.kind', 'model'],
  ['data of another kind', { method: 'cpl', model: { kind: 'networks' } }, 'data.datasetId', 'data'],
  [
    'people without labels',
    { data: { datasetId: '' as never, annotators: ['Nobody'] } },
    'data.annotators',
    'data.annotators',
  ],
  [
    'one name among others with a slip in it',
    { data: { datasetId: '' as never, annotators: ['file', 'fill'] } },
    'data.annotators',
    'data.annotators',
  ],
  ['a judge that has nothing to read', { judge: { kind: 'label' } }, 'judge.kind', 'judge'],
  ['a judge that is gone', { judge: { kind: 'reward-model', runId: 'gone-1' as never } }, 'judge.runId', 'judge.runId'],
  ['seeds', { seeds: [1, 1] }, 'seeds', 'seeds'],
  [
    'what an engine cannot do',
    { engine: 'tensorflow', training: { adapt: 'lora', frozenStorage: 'bfloat16' } },
    'training.frozenStorage',
    'training.frozenStorage',
  ],
]

test.each(wrong)(
  '%s: the problem names its part of the request and stands beside that field',
  async (_what, changes, path, place) => {
    const data = changes.data === undefined ? {} : { data: { ...changes.data, datasetId: datasetId as never } }
    const found = await shown({ ...changes, ...data })
    expect(found.paths).toContain(path)
    expect(Object.keys(found.beside)).toContain(place)
    expect(found.other).toEqual([])
  },
)

test('who has labels is named where a name has none', async () => {
  const problemOf = async (...annotators: string[]): Promise<string[]> => {
    const request = tinyRequest(datasetId, { data: { datasetId: datasetId as never, annotators } })
    const { problems } = await running.client.call('runs.check', { request })
    return problems.map(({ message }) => message)
  }
  expect(await problemOf('file')).toEqual([])
  const said = ['Nobody called "fill" has labeled anything in "Tiny". Its labels are of file.']
  expect(await problemOf('file', 'fill')).toEqual(said)
  expect(await problemOf('fill')).toEqual(said)
})

test('several problems each stand beside their own field; one of a field that nobody knows is said apart, with its path', async () => {
  const { beside, other } = await shown({
    method: 'dpo',
    config: { beta: -1, colour: 'red' },
    seeds: [2, 2],
    model: run,
  })
  expect(Object.keys(beside).toSorted()).toEqual(['config.beta', 'model', 'seeds'])
  expect(other).toEqual([expect.stringMatching(/^config: .*colour/)])
})

test('a run that is started all the same is refused in the same words, and with the same paths', async () => {
  const request = tinyRequest(datasetId, { method: 'dpo', config: { beta: -1 }, model: run })
  const { problems } = await running.client.call('runs.check', { request })
  const refused = {
    code: 'spec-invalid',
    message: expect.stringMatching(/^config\.beta: .* model\.runId: There is no run "gone-1" to start from\./),
    details: { problems },
  }
  await expect(running.client.call('runs.start', { request, clientKey: 'refused-1' })).rejects.toMatchObject(refused)
})

test('what the form itself refuses, and what the contract would, has a place in every method’s form', () => {
  for (const algorithm of algorithms) {
    const draft = draftOf(
      runRequest.parse(
        tinyRequest('data', {
          method: algorithm.id,
          model: algorithm.models[0] === 'networks' ? { kind: 'networks' } : { kind: 'new' },
          training: {},
        }),
      ),
      algorithm,
      judgeField,
    )
    const { problems } = readDraft(
      {
        ...draft,
        seeds: 'x',
        threads: 'x',
        model: { ...draft.model, vocabSize: '1' },
        split: { seed: 'x', validation: 'x', test: 'x' },
      },
      algorithm,
      judgeField,
    )
    const refused = runRequest.safeParse({
      ...tinyRequest('data', { method: algorithm.id }),
      seeds: [0.5],
      threads: 0,
      engine: 'steam',
      name: 'x'.repeat(81),
      training: { steps: 0 },
    })
    const listed = [
      ...Object.entries(problems).map(([path, message]) => ({ path, message })),
      ...problemsOf(refused.error!, ''),
    ]
    expect(placeProblems(listed, placesOf(draft, algorithm, judgeField)).other).toEqual([])
  }
})
