import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { describe, expect, test } from 'vitest'
import { patchGenerationEnd, patchGenerationText } from '../../renderer/api/generations.ts'
import {
  endWords,
  findProblems,
  historyOf,
  INITIAL_CHOICES,
  presentSource,
  readSeed,
  readSettings,
  readSource,
} from '../../renderer/playground/playground-state.ts'
import {
  samplingSettings,
  type GeneratedToken,
  type Generation,
  type PlaygroundSources,
} from '../../shared/contract/playground.ts'
import type { EventPayload } from '../../shared/contract.ts'

const token = (text: string): GeneratedToken => ({
  id: text.length,
  piece: text,
  text,
  logProb: -1,
  drawnLogProb: -1,
  alternatives: [],
})
const generation = (parts: readonly string[], changes: Partial<Generation> = {}): Generation => ({
  generationId: 'g' as Generation['generationId'],
  title: 't',
  request: {} as Generation['request'],
  state: 'writing',
  engine: 'wasm',
  engineWhy: '',
  device: '',
  layout: 'tags',
  promptTokens: 1,
  tokensPerSec: null,
  error: null,
  completions: [{ seed: 1, text: parts.join(''), tokens: parts.map(token), reason: null, stopString: null }],
  ...changes,
})

/** A page that knows this much when the events come. */
function after(
  known: Generation | null,
  ...events: readonly { readonly name: string; readonly payload: object }[]
): { readonly text: string | undefined; readonly refetched: boolean; readonly state: string | undefined } {
  const cache = new QueryClient()
  const key = ['playground.get', { generationId: 'g' }]
  if (known !== null) cache.setQueryData(key, known)
  for (const { name, payload } of events) {
    if (name === 'playground.text')
      patchGenerationText(cache, { generationId: 'g', ...payload } as EventPayload<'playground.text'>)
    else patchGenerationEnd(cache, { generationId: 'g', ...payload } as EventPayload<'playground.done'>)
  }
  const data = cache.getQueryData<Generation>(key)
  return {
    text: data?.completions[0]?.text,
    refetched: cache.getQueryState(key)?.isInvalidated ?? false,
    state: data?.state,
  }
}
const text = (from: number, ...parts: readonly string[]): { name: string; payload: object } => ({
  name: 'playground.text',
  payload: { row: 0, from, tokens: parts.map(token), tokensPerSec: 1 },
})
const done = (tokenCount: number): { name: string; payload: object } => ({
  name: 'playground.done',
  payload: {
    state: 'done',
    tokensPerSec: 2,
    error: null,
    completions: [{ seed: 1, text: 'abc.', reason: 'end', stopString: null, tokenCount }],
  },
})

describe('events of a generation', () => {
  test('new tokens join on; those that came with the snapshot already count once', () => {
    expect(after(generation([]), text(0, 'a', 'b'), text(2, 'c'))).toMatchObject({ text: 'abc', refetched: false })
    expect(after(generation(['a', 'b']), text(0, 'a', 'b'), text(1, 'b', 'c'))).toMatchObject({
      text: 'abc',
      refetched: false,
    })
  })

  test('a hole is fetched whole, and so is an end that tells of more tokens', () => {
    expect(after(generation(['a']), text(3, 'd'))).toMatchObject({ text: 'a', refetched: true })
    expect(after(generation(['a', 'b', 'c']), done(4)).refetched).toBe(true)
    expect(after(generation(['a', 'b', 'c']), done(3))).toEqual({ text: 'abc.', refetched: false, state: 'done' })
  })

  test('of a generation that the page does not know nothing is made up', () => {
    expect(after(null, text(0, 'a'), done(1)).text).toBeUndefined()
  })
})

describe('what was chosen', () => {
  test('untouched settings are the contract’s defaults; typed ones are read, wrong ones are named', () => {
    expect(findProblems(INITIAL_CHOICES)).toEqual({})
    expect(readSettings(INITIAL_CHOICES)).toEqual(samplingSettings.parse({}))
    const typed = { ...INITIAL_CHOICES, typed: { temperature: '0.7', maxTokens: '12' }, stop: '\\n\\nUser:\n\n###' }
    expect(readSettings(typed)).toMatchObject({ temperature: 0.7, maxTokens: 12, stopStrings: ['\n\nUser:', '###'] })
    expect(
      Object.keys(
        findProblems({ ...INITIAL_CHOICES, typed: { temperature: 'hot', topP: '0', topK: '1.5' }, seed: '-1' }),
      ).toSorted(),
    ).toEqual(['seed', 'temperature', 'topK', 'topP'])
    expect([readSeed(''), readSeed(' 7 '), readSeed('4294967296'), readSeed('x')]).toEqual([
      null,
      7,
      undefined,
      undefined,
    ])
  })

  test('sources are read from addresses, and replaced when they are gone', () => {
    expect(readSource('run:dpo-1@best')).toEqual({ kind: 'run', runId: 'dpo-1', checkpoint: 'best' })
    expect(readSource('run:dpo-1')).toMatchObject({ checkpoint: 'last' })
    expect(readSource('model:m-1')).toEqual({ kind: 'model', modelId: 'm-1' })
    expect([readSource('run:../x'), readSource('')]).toEqual([null, null])
    const sources = {
      runs: [
        { runId: 'a', bestStep: null, lastStep: 4 },
        { runId: 'b', bestStep: 2, lastStep: 4 },
      ],
      models: [
        { modelId: 'm', problem: 'gone' },
        { modelId: 'n', problem: null },
      ],
    } as unknown as PlaygroundSources
    expect(presentSource('run:a@best', sources, 1)).toBe('run:a@best')
    expect([0, 1, 2, 3].map((at) => presentSource('run:gone', sources, at))).toEqual([
      'run:a',
      'run:b@best',
      'model:n',
      'model:n',
    ])
  })
})

describe('a conversation', () => {
  const turns = [
    { id: '1', text: 'one', left: 'l1', right: 'r1' },
    { id: '2', text: 'two', left: null, right: 'r2' },
  ]
  const written: Record<string, Generation> = {
    l1: generation(['L1\n']),
    r1: generation(['R1\n'], { layout: 'template' }),
    r2: generation(['R2']),
  }
  test('each side remembers what it saw and said itself', () => {
    const find = (id: string): Generation | undefined => written[id]
    expect(historyOf(turns, 'left', '', find)).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'L1' },
    ])
    expect(historyOf(turns, 'right', 'Be short.', find).map((turn) => turn.content)).toEqual([
      'Be short.',
      'one',
      'R1\n',
      'two',
      'R2',
    ])
  })

  test('every end has its words', () => {
    expect(
      (['end', 'length', 'stop', 'context', 'cancelled'] as const).map((reason) =>
        endWords({ reason, stopString: '\n' }),
      ),
    ).toEqual(['ended its turn', 'reached max tokens', 'stopped at "\\n"', 'no place left in the model', 'stopped'])
  })
})

describe('a snapshot on its way', () => {
  const key = ['playground.get', { generationId: 'g' }]
  const payload = { generationId: 'g' as Generation['generationId'] }

  test.each([
    ['the first', null],
    ['a later', generation(['a'])],
  ] as const)('%s that is older than an event is asked for again', async (_which, known) => {
    const cache = new QueryClient()
    if (known !== null) cache.setQueryData(key, known)
    const answers = [generation(['a']), generation(['a', 'b', 'c'], { state: 'done' })]
    const { promise, resolve } = Promise.withResolvers<Generation>()
    let asked = 0
    const observer = new QueryObserver<Generation>(cache, {
      queryKey: key,
      staleTime: Number.POSITIVE_INFINITY,
      queryFn: () => (asked++ === 0 ? promise : Promise.resolve(answers[1]!)),
    })
    const stop = observer.subscribe(() => undefined)
    if (known !== null) void observer.refetch()
    patchGenerationText(cache, {
      ...payload,
      ...(text(1, 'b', 'c').payload as object),
    } as EventPayload<'playground.text'>)
    patchGenerationEnd(cache, { ...payload, ...(done(3).payload as object) } as EventPayload<'playground.done'>)
    resolve(answers[0]!) // was made before the events
    await expect
      .poll(() => [
        asked,
        cache.getQueryData<Generation>(key)?.state,
        cache.getQueryData<Generation>(key)?.completions[0]?.tokens.length,
      ])
      .toEqual([2, 'done', 3])
    stop()
  })
})
