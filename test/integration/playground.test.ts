import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AppEvent, EventPayload } from '../../shared/contract.ts'
import type { Generation, GenerationRequest } from '../../shared/contract/playground.ts'
import type { ModelId, RunId } from '../../shared/domain.ts'
import { type Client, inProcess } from '../../shared/rpc.ts'
import { type App, createApp } from '../../main/app/app.ts'
import { findWorker } from '../../main/app/find-programs.ts'
import { type Generator, startGenerator } from '../../main/app/playground/generator.ts'
import { createGeneratorPool } from '../../main/app/playground/pool.ts'
import { waitUntil } from '../support/make-app.ts'
import { makeModelFolder } from '../support/model-folder.ts'
import { importTiny, TINY_TRAINING, tinyRequest, waitForState } from '../support/tiny-app.ts'
import { sampleDirectly } from '../support/sample-directly.ts'

const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab pláy '))
const settings = {
  temperature: 0.8,
  topK: 40,
  topP: 0.95,
  minP: 0.01,
  repetitionPenalty: 1.1,
  maxTokens: 12,
  stopStrings: [],
}

let app: App
let client: Client
let runId: RunId
let modelId: ModelId
let folder: string
const seen: AppEvent[] = []

async function start(
  request: Partial<GenerationRequest> & Pick<GenerationRequest, 'source'>,
): Promise<Generation['generationId']> {
  return (
    await client.call('playground.generate', {
      prompt: { kind: 'text', text: 'q1?' },
      settings,
      seed: 5,
      engine: 'wasm',
      ...request,
    })
  ).generationId
}

async function ended(generationId: Generation['generationId']): Promise<Generation> {
  await waitUntil('the generation to end', async () =>
    ['done', 'failed'].includes((await client.call('playground.get', { generationId })).state),
  )
  return client.call('playground.get', { generationId })
}

async function write(request: Parameters<typeof start>[0]): Promise<Generation> {
  return ended(await start(request))
}

function told<N extends 'playground.text' | 'playground.state' | 'playground.done'>(
  name: N,
  id: string,
): EventPayload<N>[] {
  return seen
    .filter((event) => event.name === name && (event.payload as { generationId: string }).generationId === id)
    .map((event) => event.payload as EventPayload<N>)
}

/** Greedy random weights repeat themselves and never end: so long that there is time to act. */
const LONG = { ...settings, temperature: 0, maxTokens: 4000, repetitionPenalty: 1 }

beforeAll(async () => {
  app = await createApp({ dataFolder })
  client = inProcess(app.handlers)
  app.events.subscribe((event) => seen.push(event))
  const datasetId = await importTiny(client, dataFolder)
  const { runIds } = await client.call('runs.start', {
    request: tinyRequest(datasetId, { engine: 'wasm', training: { ...TINY_TRAINING, maxLength: 64 } }),
  })
  runId = runIds[0]!
  folder = (await makeModelFolder(path.join(dataFolder, 'a model'))).path
  const config = path.join(folder, 'config.json')
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), max_position_embeddings: 8192 }))
  await client.call('models.add', { source: { kind: 'folder', path: folder, place: 'link' }, name: 'Tiny Llama' })
  await waitForState(client, runId)
  await waitUntil('the model', async () => (await client.call('models.list', {})).length > 0)
  modelId = (await client.call('models.list', {}))[0]!.modelId
})

afterAll(async () => {
  await app.close('checkpoint')
  rmSync(dataFolder, { recursive: true, force: true })
})

describe('a generation', () => {
  it('is what sampling directly gives: tokens, text and log-probs; events in order; the sum is the score of the completion', async () => {
    const result = await write({ source: { kind: 'run', runId, checkpoint: 'last' }, alternatives: 2, count: 2 })
    expect(result).toMatchObject({
      state: 'done',
      engine: 'wasm',
      layout: 'plain',
      error: null,
      title: expect.stringContaining('step 8'),
    })
    const run = await client.call('runs.get', { runId })
    const direct = await sampleDirectly(run.checkpoints.at(-1)!.path, result)
    result.completions.forEach((completion, row) => {
      const same = direct.samples[row]!
      expect(completion).toMatchObject({ seed: 5 + row, text: same.text, reason: same.reason })
      expect(completion.tokens.map((token) => token.id)).toEqual(same.ids)
      expect(completion.tokens.map((token) => token.logProb)).toEqual(same.modelLogProbs)
      expect(completion.tokens.map((token) => token.drawnLogProb)).toEqual(same.logProbs)
      expect(completion.tokens.map((token) => token.text).join('')).toBe(completion.text)
      expect(completion.tokens.every((token) => token.alternatives.length === 2)).toBe(true)
      const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)
      expect(sum(completion.tokens.map((token) => token.logProb))).toBeCloseTo(sum(direct.scores[row]!), 3)
    })
    expect(told('playground.state', result.generationId).map((event) => event.state)).toEqual([
      'loading',
      'loading',
      'writing',
    ])
    for (const row of [0, 1]) {
      const pieces = told('playground.text', result.generationId).filter((event) => event.row === row)
      let count = 0
      for (const piece of pieces) {
        expect(piece.from).toBe(count)
        count += piece.tokens.length
      }
      expect(count).toBe(result.completions[row]!.tokens.length)
    }
    expect(told('playground.done', result.generationId)).toMatchObject([
      {
        state: 'done',
        completions: result.completions.map(({ tokens, ...rest }) => ({ ...rest, tokenCount: tokens.length })),
      },
    ])
    expect(seen.findLast((event) => event.name.startsWith('playground.'))!.name).toBe('playground.done')
  })

  it('greedy is the argmax of the same model; a seed repeats, another does not, and one that was not given is told', async () => {
    const source = { kind: 'model', modelId } as const
    const plain = await write({
      source,
      settings: { ...settings, temperature: 0, repetitionPenalty: 1 },
      alternatives: 1,
    })
    expect(
      plain.completions[0]!.tokens.every((token) => token.alternatives[0]!.id === token.id && token.drawnLogProb === 0),
    ).toBe(true)
    const text = async (seed: number | null): Promise<string> => (await write({ source, seed })).completions[0]!.text
    expect(await text(7)).toBe(await text(7))
    expect(await text(7)).not.toBe(await text(8))
    const drawn = await write({ source, seed: null })
    expect(await text(drawn.completions[0]!.seed)).toBe(drawn.completions[0]!.text)
  })

  it('a chat with a run opens the assistant’s turn as training did; a folder that nobody registered writes too', async () => {
    const messages = [{ role: 'user' as const, content: 'q1? <|end|>' }]
    const chat = await write({ source: { kind: 'run', runId, checkpoint: 'best' }, prompt: { kind: 'chat', messages } })
    expect(chat).toMatchObject({
      state: 'done',
      layout: 'tags',
      promptTokens: Buffer.byteLength('<user>\nq1? <|end|>\n') + 1 + '<assistant>\n'.length,
    })
    expect(await write({ source: { kind: 'folder', path: folder } })).toMatchObject({
      state: 'done',
      layout: 'plain',
      promptTokens: 3,
      title: 'a model',
    })
  })

  it('is cancelled within one token, also while it waits or loads', async () => {
    const source = { kind: 'model', modelId } as const
    const generationId = await start({ source, settings: LONG })
    await waitUntil('some text', () => told('playground.text', generationId).length > 1)
    const before = (await client.call('playground.get', { generationId })).completions[0]!.tokens.length
    await client.call('playground.cancel', { generationId })
    const result = await ended(generationId)
    expect(result).toMatchObject({
      state: 'done',
      completions: [
        {
          reason: 'cancelled',
          text: expect.stringContaining(result.completions[0]!.tokens.map((token) => token.text).join('')),
        },
      ],
    })
    expect(result.completions[0]!.tokens.length).toBeLessThan(before + 200) // on its way when the cancel was sent; of 4000
    const busy = await start({ source, settings: LONG })
    const early = await start({ source })
    await client.call('playground.cancel', { generationId: early })
    await client.call('playground.cancel', { generationId: busy })
    expect((await ended(early)).completions[0]).toMatchObject({ reason: 'cancelled', tokens: [] })
    expect((await ended(busy)).completions[0]).toMatchObject({ reason: 'cancelled' })
    await client.call('playground.cancel', { generationId: early }) // of one that has ended: nothing
  })

  it('two sides write at the same time, each in a process of its own', async () => {
    const both = await Promise.all([
      start({ source: { kind: 'model', modelId }, settings: LONG }),
      start({ source: { kind: 'folder', path: folder }, settings: LONG }),
    ])
    await waitUntil('text on both sides', () => both.every((id) => told('playground.text', id).length > 0))
    const states = await Promise.all(
      both.map(async (generationId) => (await client.call('playground.get', { generationId })).state),
    )
    for (const generationId of both) await client.call('playground.cancel', { generationId })
    await Promise.all(both.map(ended))
    expect(states).toContain('writing')
  })

  it('one model writes for both sides, one after the other', async () => {
    const source = { kind: 'model', modelId } as const
    const both = await Promise.all([start({ source }), start({ source })])
    const [a, b] = await Promise.all(both.map(ended))
    expect(a!.completions).toEqual(b!.completions)
  })

  it('stop strings end it and are cut', async () => {
    const source = { kind: 'model', modelId } as const
    const plain = (await write({ source })).completions[0]!
    const stop = [...plain.text].slice(2, 4).join('')
    const cut = (await write({ source, settings: { ...settings, stopStrings: [stop] } })).completions[0]!
    expect(cut).toMatchObject({ reason: 'stop', stopString: stop, text: plain.text.slice(0, plain.text.indexOf(stop)) })
  })
})

describe('what cannot be written', () => {
  it.each([
    [{ source: { kind: 'run', runId: 'no-such' as RunId, checkpoint: 'last' } }, 'not-found'],
    [{ source: { kind: 'model', modelId: 'no-such' as ModelId } }, 'not-found'],
    [{ source: { kind: 'folder', path: '/no/such/folder' } }, 'file-not-found'],
    [{ source: { kind: 'folder', path: '/' }, settings: { temperature: -1 } }, 'input-invalid'],
  ] as const)('%j is refused at once as %s', async (request, code) => {
    await expect(
      client.call('playground.generate', { prompt: { kind: 'text', text: 'x' }, ...request } as never),
    ).rejects.toMatchObject({ code })
  })

  it('a prompt longer than the model knows fails in words', async () => {
    const result = await write({
      source: { kind: 'run', runId, checkpoint: 'last' },
      prompt: { kind: 'text', text: 'a'.repeat(70) },
    })
    expect(result).toMatchObject({
      state: 'failed',
      error: { code: 'too-large', message: expect.stringContaining('64 places') },
    })
  })

  it('an engine that is not here fails in words', async () => {
    const result = await write({ source: { kind: 'model', modelId }, engine: 'tensorflow' })
    expect(result).toMatchObject({
      state: 'failed',
      error: { code: 'engine-unavailable', hint: expect.stringMatching(/.+/) },
    })
  })

  it('a generation nobody knows is not found', async () => {
    await expect(client.call('playground.get', { generationId: 'generation-0' as never })).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(client.call('playground.cancel', { generationId: 'generation-0' as never })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe('the sources', () => {
  it('are the policies with a checkpoint and the models, and the engine that auto takes', async () => {
    const sources = await client.call('playground.sources', {})
    expect(sources.runs).toMatchObject([{ runId, lastStep: 8, methodName: 'SFT' }])
    expect(sources.models).toMatchObject([{ modelId, name: 'Tiny Llama', problem: null, hasChatTemplate: false }])
    expect(sources.engine).toMatchObject({ name: 'wasm', why: expect.stringMatching(/.+/) })
  })
})

describe('processes', () => {
  const spec = (): Parameters<typeof startGenerator>[1] => ({
    engine: 'wasm',
    threads: null,
    enginesFolder: null,
    model: { kind: 'folder', path: folder, trainedHere: false },
  })
  const job = {
    prompt: { kind: 'text', text: 'abc' },
    template: true,
    settings: LONG,
    seed: 1,
    count: 1,
    alternatives: 0,
  } as const

  it('a crash is an error with a hint, and the next request starts another', async () => {
    const started: Generator[] = []
    const pool = createGeneratorPool({ most: 2, idleMs: 60_000 })
    const open = (): Generator => {
      const generator = startGenerator(findWorker(), spec())
      started.push(generator)
      return generator
    }
    const { signal } = new AbortController()
    const lease = (await pool.acquire('one', open, signal))!
    await lease.generator.ready
    const messages: string[] = []
    const error = await new Promise((resolve) =>
      lease.generator.submit({ ...job, id: 'j' }, (message) => {
        messages.push(message.type)
        if (message.type === 'token' && messages.length === 3) process.kill(lease.generator.pid!, 'SIGKILL')
        if (message.type === 'error') resolve(message.error)
      }),
    )
    expect(error).toMatchObject({
      code: 'trainer-failed',
      message: expect.stringContaining('SIGKILL'),
      hint: expect.stringContaining('again'),
    })
    await lease.generator.gone
    lease.release()
    const next = (await pool.acquire('one', open, signal))!
    expect(next.generator).not.toBe(lease.generator)
    expect(await next.generator.ready).toContain('WebAssembly')
    await pool.close()
    await Promise.all(started.map((one) => one.gone))
  })

  it('two at most: an idle one gives way, the least recently used first; while all work, a third waits', async () => {
    const started: string[] = []
    const stopped: string[] = []
    const fake = (name: string): Generator => {
      started.push(name)
      const gone = Promise.withResolvers<void>()
      return {
        pid: null,
        ready: Promise.resolve('fake'),
        submit: () => undefined,
        cancel: () => undefined,
        kill: () => undefined,
        gone: gone.promise,
        async stop() {
          stopped.push(name)
          gone.resolve()
        },
      }
    }
    const pool = createGeneratorPool({ most: 2, idleMs: 60_000 })
    const abort = new AbortController()
    const take = (
      name: string,
      signal = new AbortController().signal,
    ): Promise<Awaited<ReturnType<typeof pool.acquire>>> => pool.acquire(name, () => fake(name), signal)
    const a = (await take('a'))!
    const b = (await take('b'))!
    const third = take('c')
    const fourth = take('d', abort.signal)
    abort.abort()
    expect(await fourth).toBeNull()
    expect(started).toEqual(['a', 'b'])
    b.release()
    const c = (await third)!
    expect([started, stopped]).toEqual([['a', 'b', 'c'], ['b']])
    a.release()
    c.release()
    ;(await take('a'))!.release()
    await take('e')
    expect(stopped).toEqual(['b', 'c'])
    await pool.close()
    expect(stopped.toSorted()).toEqual(['a', 'b', 'c', 'e'])
  })

  it('ends after it was idle', async () => {
    const pool = createGeneratorPool({ most: 2, idleMs: 50 })
    const lease = (await pool.acquire('one', () => startGenerator(findWorker(), spec()), new AbortController().signal))!
    await lease.generator.ready
    expect(isAlive(lease.generator.pid!)).toBe(true)
    lease.release()
    await lease.generator.gone
    expect(isAlive(lease.generator.pid!)).toBe(false)
    await pool.close()
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
