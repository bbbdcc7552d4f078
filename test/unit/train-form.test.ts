import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { AlgorithmInfo } from '../../shared/contract/system.ts'
import { algorithmHandlers } from '../../main/app/handlers/algorithms.ts'
import { runRequest, rewardSource } from '../../shared/run-spec.ts'
import {
  draftFields,
  emptyDraft,
  isChanged,
  readDraft,
  relevantFields,
  resetField,
  setTyped,
  textOf,
  type Draft,
} from '../../renderer/train/draft.ts'
import { changeMethod } from '../../renderer/train/draft-changes.ts'
import { draftOf } from '../../renderer/train/draft-of-request.ts'
import { fieldsOf, type FormField } from '../../shared/form.ts'

const algorithms = await algorithmHandlers()['algorithms.list']({})
const [judge] = fieldsOf(z.toJSONSchema(z.strictObject({ judge: rewardSource }), { io: 'input' })) as [FormField]

function find(id: string): AlgorithmInfo {
  const found = algorithms.find((one) => one.id === id)
  if (found === undefined) throw new Error(`no method ${id}`)
  return found
}

const dpo = find('dpo')
const copg = find('copg')
const draft = emptyDraft('data', dpo)

function field(algorithm: AlgorithmInfo, path: string): ReturnType<typeof draftFields>[number] {
  const found = draftFields(algorithm, algorithm.presets[0]?.id ?? '').find((one) => one.path === path)
  if (found === undefined) throw new Error(`no field ${path}`)
  return found
}

describe.each(algorithms.map((algorithm) => [algorithm.id, algorithm] as const))('the form of %s', (_id, algorithm) => {
  test('unchanged, it is a request the host accepts, with the values of the preset', () => {
    for (const preset of algorithm.presets) {
      const { request, problems } = readDraft({ ...emptyDraft('data', algorithm), preset: preset.id }, algorithm, judge)
      expect(problems).toEqual({})
      const parsed = runRequest.parse(request)
      expect([parsed.config, parsed.training]).toMatchObject([preset.config, preset.training])
    }
  })

  test('every field has a title and a sentence', () => {
    const silent = draftFields(algorithm, 'small').filter(
      (one) => one.title === '' || (one.help === '' && one.kind !== 'union'),
    )
    expect(silent.map((one) => one.path)).toEqual([])
  })

  test('a request comes back from its form unchanged in meaning', () => {
    const { request } = readDraft(
      setTyped(emptyDraft('data', algorithm), 'training.learningRate', '1e-6'),
      algorithm,
      judge,
    )
    const again = readDraft(draftOf(runRequest.parse(request), algorithm, judge), algorithm, judge)
    expect([again.request, again.problems]).toEqual([request, {}])
  })
})

describe('what is trained', () => {
  const lora = setTyped(setTyped(draft, 'training.adapt', 'lora'), 'training.loraRank', '4')
  const paths = (one: Draft): string[] => relevantFields(one, dpo).map((field) => field.path)

  test('decides which settings are shown and sent; what was typed comes back with the choice', () => {
    expect(paths(draft)).not.toContain('training.loraRank')
    expect(paths(lora)).toContain('training.loraRank')
    expect(readDraft(lora, dpo, judge).request.training).toMatchObject({ adapt: 'lora', loraRank: 4 })
    const back = setTyped(lora, 'training.adapt', 'full')
    expect(readDraft(back, dpo, judge).request.training).not.toHaveProperty('loraRank')
    expect(readDraft(setTyped(back, 'training.adapt', 'lora'), dpo, judge).request.training).toMatchObject({
      loraRank: 4,
    })
  })

  test('starts from a registered model, which has to be chosen', () => {
    const registered = (modelId: string): Draft => ({
      ...draft,
      model: { ...draft.model, kind: 'registered', modelId },
    })
    expect(readDraft(registered(''), dpo, judge).problems).toEqual({ 'model.modelId': 'Choose a model to start from.' })
    const { request } = readDraft(registered('model-1'), dpo, judge)
    expect(request.model).toEqual({ kind: 'registered', modelId: 'model-1' })
    expect(draftOf(runRequest.parse(request), dpo, judge).model).toMatchObject({
      kind: 'registered',
      modelId: 'model-1',
    })
  })
})

test('a method shows and sends only what it reads', () => {
  const wanted = { ...draft, typed: { 'training.maxLength': '64', 'training.steps': '9', judge: 'length' } }
  const shown = (id: string, model: Draft['model']['kind']): string[] =>
    relevantFields({ ...changeMethod(wanted, find(id)), model: { ...draft.model, kind: model } }, find(id)).map(
      (one) => one.path,
    )
  expect(shown('cpl', 'networks')).not.toContain('training.maxLength')
  expect(shown('pg-rank', 'networks')).not.toContain('training.maxLength')
  expect(shown('pg-rank', 'new')).toContain('training.maxLength')
  expect(shown('grace', 'new')).toEqual(
    expect.arrayContaining(['training.maxLength', 'training.adapt', 'training.samplePrompts']),
  )
  expect(shown('grace', 'new')).not.toContain('training.sampleTokens')
  const { request } = readDraft(changeMethod(wanted, find('cpl')), find('cpl'), judge)
  expect([request.training?.maxLength, request.training?.steps, request.judge]).toEqual([undefined, 9, null])
  expect(readDraft(wanted, dpo, judge).request).toMatchObject({
    training: { maxLength: 64 },
    judge: { kind: 'length' },
  })
})

test('how the reference moves is shown where there is one, and α where it moves', () => {
  const shown = (id: string, typed: Readonly<Record<string, string>> = {}): string[] => {
    const asked = { ...emptyDraft('data', find(id)), typed }
    return relevantFields(asked, find(id))
      .map((field) => field.path)
      .filter((path) => path.startsWith('training.reference'))
  }
  const [every, mixup] = ['training.referenceSyncEvery', 'training.referenceMixup'] as const
  expect(shown('dpo')).toEqual([every])
  expect(shown('dpo', { [every]: '10' })).toEqual([every, mixup])
  for (const id of ['sft', 'simpo', 'reward-model', 'language-model', 'cpl', 'pg-rank'])
    expect([id, shown(id, { [every]: '10' })]).toEqual([id, []])
  const asked = { ...emptyDraft('data', dpo), typed: { [every]: '10', [mixup]: '0.6' } }
  expect(readDraft(asked, dpo, judge).request.training).toMatchObject({ referenceSyncEvery: 10, referenceMixup: 0.6 })
})

describe('changing a field', () => {
  test('is marked, sent, and can be taken back', () => {
    const beta = field(dpo, 'config.beta')
    const changed = setTyped(draft, 'config.beta', '0.5')
    expect([isChanged(draft, beta), isChanged(changed, beta), textOf(changed, beta)]).toEqual([false, true, '0.5'])
    expect(readDraft(changed, dpo, judge).request.config).toMatchObject({ beta: 0.5 })
    expect(isChanged(resetField(changed, 'config.beta'), beta)).toBe(false)
  })

  test('typing the same value again is no change', () => {
    const beta = field(dpo, 'config.beta')
    expect(isChanged(setTyped(draft, 'config.beta', beta.base), beta)).toBe(false)
  })

  test('what cannot be read stays as typed, with the problem beside it', () => {
    const { problems } = readDraft(setTyped(draft, 'training.steps', 'many'), dpo, judge)
    expect(problems).toEqual({ 'training.steps': 'Steps must be a number, not “many”.' })
  })

  test('another method keeps the training settings and drops the old method’s own', () => {
    const both = setTyped(setTyped(draft, 'config.labelSmoothing', '0.1'), 'training.steps', '50')
    expect(changeMethod(both, copg).typed).toEqual({ 'training.steps': '50' })
  })
})

describe('seeds', () => {
  const seedsOf = (text: string): unknown => {
    const { request, problems } = readDraft({ ...draft, seeds: text }, dpo, judge)
    return problems['seeds'] ?? request.seeds
  }

  test('are written with spaces or as a range, ten at most', () => {
    expect([seedsOf('1 2 3 4 5'), seedsOf('1-5'), seedsOf('7')]).toEqual([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [7]])
    expect([seedsOf('1-11'), seedsOf('a'), seedsOf('')]).toEqual([
      'At most 10 seeds at once, not 11.',
      'Write whole numbers: “1 2 3” or “1-3”.',
      'Write whole numbers: “1 2 3” or “1-3”.',
    ])
  })
})

describe('the reward', () => {
  const path = draftFields(copg, 'small').find((one) => one.kind === 'union')?.path ?? ''
  const withReward = (texts: Record<string, string>): Draft => ({ ...emptyDraft('data', copg), typed: texts })

  test('is a union: its variant, and the variant’s own field with its default', () => {
    expect(path).not.toBe('')
    const { request, problems } = readDraft(withReward({ [path]: 'length' }), copg, judge)
    expect([request.config, problems]).toMatchObject([
      { [path.split('.')[1] ?? '']: { kind: 'length', target: 200 } },
      {},
    ])
  })

  test('asks for what a variant cannot do without', () => {
    expect(readDraft(withReward({ [path]: 'keyword' }), copg, judge).problems).toHaveProperty([`${path}.words`])
    expect(
      readDraft(withReward({ [path]: 'keyword', [`${path}.words`]: 'please, thanks' }), copg, judge).request.config,
    ).toMatchObject({ [path.split('.')[1] ?? '']: { kind: 'keyword', words: ['please', 'thanks'] } })
  })

  test('a judge survives the way to a request and back', () => {
    const { request } = readDraft({ ...draft, typed: { judge: 'regex', 'judge.pattern': 'ok$' } }, dpo, judge)
    expect(request.judge).toEqual({ kind: 'regex', pattern: 'ok$' })
    expect(draftOf(runRequest.parse(request), dpo, judge).typed).toEqual({ judge: 'regex', 'judge.pattern': 'ok$' })
  })
})

test('the model and the split are checked beside their fields', () => {
  const wrong = {
    ...draft,
    model: { ...draft.model, vocabSize: '12' },
    split: { seed: '0', validation: '0.5', test: '0.5' },
  }
  expect(Object.keys(readDraft(wrong, dpo, judge).problems)).toEqual(['model.tokenizer.vocabSize', 'data.split.test'])
  expect(readDraft({ ...draft, model: { ...draft.model, kind: 'run' } }, dpo, judge).problems).toEqual({
    'model.runId': 'Choose a finished run to start from.',
  })
})

test('threads are the engine’s to choose unless a number is given, which survives the way back', () => {
  expect(readDraft(draft, dpo, judge).request.threads).toBeNull()
  const { request } = readDraft({ ...draft, engine: 'wasm', threads: ' 2 ' }, dpo, judge)
  expect(request).toMatchObject({ engine: 'wasm', threads: 2 })
  expect(draftOf(runRequest.parse(request), dpo, judge)).toMatchObject({ engine: 'wasm', threads: '2' })
  expect(readDraft({ ...draft, threads: 'all' }, dpo, judge).problems).toEqual({
    threads: 'The number of threads must be a whole number from 1 to 256.',
  })
})
