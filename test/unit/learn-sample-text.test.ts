import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byteTokenizer, trainBpe } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { createDecoder, presetConfig, type Decoder } from '../../main/core/learn/models/decoder.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { sampleCompletions, type SampledToken } from '../../main/core/learn/sampling/sample.ts'
import { createTextRow, sampleTexts } from '../../main/core/learn/sampling/sample-text.ts'
import { loadTokenizer, type Tokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { openEngine } from '../../main/workers/engine/choose.ts'
import { completionLogProbs } from '../../main/core/learn/completion-log-probs.ts'

const bytes = loadTokenizer(byteTokenizer())
const words = loadTokenizer(trainBpe(['banana bandana naïve café 🎉 banana band', 'a banana and a band'], 300))

/** What each token made certain, and the row afterwards. */
function stream(
  tokenizer: Tokenizer,
  ids: readonly number[],
  stops: readonly string[] = [],
): { readonly told: string[]; readonly text: string; readonly stopString: string | null } {
  const row = createTextRow(tokenizer, stops)
  const told: string[] = []
  for (const [at, id] of ids.entries()) {
    const { text, stopped } = row.push(id, at === ids.length - 1)
    told.push(text)
    if (stopped) break
  }
  return { told, text: row.text, stopString: row.stopString }
}

describe('text that grows', () => {
  test.each([
    ['bytes', bytes],
    ['words', words],
  ] as const)('%s: what is told adds up to the text; no half character is told', (_name, tokenizer) => {
    for (const text of ['banana', ' a naïve café 🎉🎉!', '日本語 and é', '']) {
      const { told, text: whole } = stream(tokenizer, tokenizer.encode(text))
      expect([told.join(''), whole]).toEqual([text, text])
      expect(told.some((part) => part.includes('�'))).toBe(false)
    }
    const party = tokenizer.encode('🎉')
    expect(stream(tokenizer, party).told).toEqual([...party.slice(1).map(() => ''), '🎉'])
  })

  test('a character that stays incomplete is told as broken at the end, not lost', () => {
    expect(stream(bytes, bytes.encode('a🎉').slice(0, 3)).text).toBe('a�')
  })

  test('a stop string is found across tokens and never told, not even its beginning', () => {
    const { told, text, stopString } = stream(bytes, bytes.encode('one\n\nUser: two'), ['\n\nUser:', 'zzz'])
    expect([told.join(''), text, stopString]).toEqual(['one', 'one', '\n\nUser:'])
    expect(told.slice(0, 3)).toEqual(['o', 'n', 'e'])
  })

  test('what only looked like a stop string is told after all', () => {
    expect(stream(bytes, bytes.encode('one\n\nUs'), ['\n\nUser:'])).toEqual({
      told: ['o', 'n', 'e', '', '', '', '\n\nUs'],
      text: 'one\n\nUs',
      stopString: null,
    })
  })

  test('of several stop strings the first to begin ends the text, of those that begin together the longest', () => {
    expect(stream(bytes, bytes.encode('a bcd'), ['cd', 'bc']).text).toBe('a ')
    expect(stream(words, words.encode('x banana'), ['ban', 'bana']).stopString).toBe('bana')
  })
})

describe('sampling text', () => {
  let decoder: Decoder
  beforeAll(async () => {
    await openEngine('wasm')
    decoder = createDecoder(presetConfig('nano', bytes.vocabSize), createRandom(8))
    decoder.fromTensors(
      Object.fromEntries(
        Object.entries(await decoder.toTensors()).map(([name, { shape, data }]) => [
          name,
          { shape, data: shape.length > 1 ? data.map((x) => x * 6) : data },
        ]),
      ),
    )
  })
  afterAll(() => decoder.dispose())
  const prompts = [bytes.encode('once'), bytes.encode('upon a time')]
  const options = {
    maxTokens: 20,
    temperature: 0.9,
    topP: 0.9,
    endId: bytes.endId,
    modelLogProbs: true,
    alternatives: 3,
  }

  test('the model’s log-probs are those of scoring the completion; alternatives are the likeliest tokens', async () => {
    const samples = await sampleCompletions(decoder, prompts, (row) => createRandom(row), options)
    const scored = await completionLogProbs(
      decoder,
      samples.map(({ ids }, at) => ({ prompt: prompts[at]!, completion: ids, text: '' })),
      bytes.padId,
      async () => undefined,
    )
    samples.forEach(({ modelLogProbs, logProbs, alternatives, ids }, at) => {
      expect(modelLogProbs).toHaveLength(ids.length)
      modelLogProbs.forEach((value, token) => expect(value).toBeCloseTo(scored[at]![token]!, 4))
      const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0)
      expect(sum(modelLogProbs)).toBeCloseTo(sum(scored[at]!), 3)
      expect(logProbs).not.toEqual(modelLogProbs) // those are of the distribution drawn from
      alternatives.forEach((top, token) => {
        expect(top).toHaveLength(3)
        expect(top.map((one) => one.logProb)).toEqual(top.map((one) => one.logProb).toSorted((a, b) => b - a))
        expect(top[0]!.logProb).toBeGreaterThanOrEqual(modelLogProbs[token]! - 1e-6)
      })
    })
  })

  test('streamed tokens are those returned, and a stop string cuts the text but not the ids', async () => {
    const [plain] = await sampleTexts(decoder, bytes, [prompts[0]!], () => createRandom(4), { ...options, endId: -1 })
    const stop = plain!.text.slice(3, 5)
    const told: { token: SampledToken; text: string }[] = []
    const [cut] = await sampleTexts(
      decoder,
      bytes,
      [prompts[0]!],
      () => createRandom(4),
      { ...options, endId: -1, stopStrings: [stop] },
      { onToken: (_row, token, text) => told.push({ token, text }) },
    )
    expect(cut).toMatchObject({
      reason: 'stop',
      stopString: stop,
      text: plain!.text.slice(0, plain!.text.indexOf(stop)),
    })
    expect(told.map(({ token }) => token.id)).toEqual(cut!.ids)
    expect(told.map(({ text }) => text).join('')).toBe(cut!.text)
    expect(plain!.ids.slice(0, cut!.ids.length)).toEqual(cut!.ids)
    expect(told.at(-1)!.token.last).toBe(true)
  })

  test('a cancel ends it within one token and keeps what is there', async () => {
    const signal = { aborted: false }
    let drawn = 0
    const [one] = await sampleTexts(
      decoder,
      bytes,
      [prompts[0]!],
      () => createRandom(4),
      { ...options, endId: -1 },
      {
        signal,
        onToken: () => {
          if (++drawn === 3) signal.aborted = true
        },
      },
    )
    expect([one!.ids.length, one!.reason]).toEqual([3, 'cancelled'])
  })

  test('a repetition penalty, min-p and an end token besides the tokenizer’s own take effect', async () => {
    const run = async (changes: object): Promise<readonly number[]> =>
      (await sampleCompletions(decoder, [prompts[0]!], () => createRandom(2), { ...options, ...changes }))[0]!.ids
    const greedy = await run({ temperature: 0, endId: -1 })
    const fresh = await run({ temperature: 0, endId: -1, repetitionPenalty: 1e6 })
    expect(new Set([...prompts[0]!, ...fresh]).size).toBe(new Set(prompts[0]).size + fresh.length)
    expect(await run({ temperature: 1, minP: 1, endId: -1 })).toEqual(greedy)
    expect(await run({ temperature: 1, topK: 1, endId: -1 })).toEqual(greedy)
    expect(await run({ temperature: 0, endId: -1, stopIds: [greedy[2]!] })).toEqual(
      greedy.slice(0, greedy.indexOf(greedy[2]!) + 1),
    )
  })

  test('a model’s last place ends a completion, and a prompt that fills it is refused', async () => {
    const [one] = await sampleCompletions(decoder, [prompts[0]!], () => createRandom(2), {
      ...options,
      endId: -1,
      contextLength: 9,
    })
    expect([one!.ids.length, one!.reason]).toEqual([5, 'context'])
    await expect(
      sampleCompletions(decoder, [prompts[0]!], () => createRandom(2), { ...options, contextLength: 4 }),
    ).rejects.toMatchObject({ code: 'too-large' })
  })
})
