import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byteTokenizer, END_TOKEN, PAD_TOKEN, trainBpe } from '../../main/core/learn/tokens/bpe-trainer.ts'
import { createRandom } from '../../main/core/learn/random.ts'
import { loadTokenizer } from '../../main/core/learn/tokens/tokenizer.ts'
import { checkTokenizerVectors } from '../../main/core/learn/tokens/tokenizer-vectors.ts'

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../golden/tokenizer/${name}.json`, import.meta.url), 'utf8'))

/** Small texts with much repetition, so that merges overlap. */
function corpus(seed: number): string[] {
  const random = createRandom(seed)
  const stems = ['banana', 'bandana', 'an', 'nana', 'abab', 'aaaa', 'Zürich', 'naïve', '1024', "don't"]
  return Array.from({ length: 60 }, () =>
    Array.from({ length: 8 }, () => stems[random.int(stems.length)]!).join(random.int(3) === 0 ? '' : ' '),
  )
}

/** Merges found by counting everything anew each time. Ties go to the pair of lower ids. */
function plainMerges(texts: readonly string[], vocabSize: number): [string, string][] {
  const base = loadTokenizer(byteTokenizer())
  const vocab = (byteTokenizer().model as { vocab: Record<string, number> }).vocab
  const names = Object.keys(vocab).toSorted((one, two) => vocab[one]! - vocab[two]!)
  let words = texts.flatMap((text) =>
    (text.match(/'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu) ?? []).map((word) =>
      base.encode(word),
    ),
  )
  const merges: [string, string][] = []
  while (names.length < vocabSize) {
    const counts = new Map<string, number>()
    for (const word of words)
      for (let at = 1; at < word.length; at += 1)
        counts.set(`${word[at - 1]} ${word[at]}`, (counts.get(`${word[at - 1]} ${word[at]}`) ?? 0) + 1)
    const ids = (key: string): [number, number] => key.split(' ').map(Number) as [number, number]
    const best = [...counts].toSorted(
      ([one, m], [two, n]) => n - m || ids(one)[0] - ids(two)[0] || ids(one)[1] - ids(two)[1],
    )[0]
    if (best === undefined || best[1] < 2) break
    const [left, right] = ids(best[0])
    const merged = names.push(names[left]! + names[right]!) - 1
    merges.push([names[left]!, names[right]!])
    words = words.map((word) => {
      const result: number[] = []
      for (let at = 0; at < word.length; at += 1) {
        if (word[at] === left && word[at + 1] === right) {
          result.push(merged)
          at += 1
        } else result.push(word[at]!)
      }
      return result
    })
  }
  return merges
}

describe('training', () => {
  test.each([1, 2, 3])('finds the merges that counting anew finds (corpus %i)', (seed) => {
    const texts = corpus(seed)
    expect((trainBpe(texts, 330).model as { merges: unknown }).merges).toEqual(plainMerges(texts, 330))
  })

  test('does not depend on the order of the texts, and stops when nothing repeats', () => {
    const texts = corpus(4)
    expect(trainBpe(texts.toReversed(), 320)).toEqual(trainBpe(texts, 320))
    expect(loadTokenizer(trainBpe(['ab', 'cd'], 1000)).vocabSize).toBe(258)
    expect(loadTokenizer(trainBpe(texts, 300)).vocabSize).toBe(300)
  })
})

describe('encoding', () => {
  const trained = loadTokenizer(trainBpe(corpus(5), 400))

  test.each([
    ['trained', trained],
    ['bytes', loadTokenizer(byteTokenizer())],
  ] as const)('%s: every text comes back, and no text makes a special token', (_name, tokenizer) => {
    const pieces = fc.array(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(END_TOKEN, PAD_TOKEN, ' ', '\n\n', 'banana', '🎉', 'é')),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('')
        const ids = tokenizer.encode(text)
        expect(tokenizer.decode(ids)).toBe(text.normalize('NFC'))
        expect(ids).not.toContain(tokenizer.endId)
        expect(ids).not.toContain(tokenizer.padId)
      }),
      { numRuns: 150 },
    )
  })

  test('a template may write special tokens', () => {
    expect(trained.encodeWithSpecial(`an${END_TOKEN}`).at(-1)).toBe(trained.endId)
    expect(trained.decode([...trained.encode('an'), trained.endId])).toBe('an')
    expect(trained.decode([...trained.encode('an'), trained.endId], { skipSpecial: false })).toBe(`an${END_TOKEN}`)
  })

  test('letters are the same however their accents were typed', () => {
    const composed = ['Übermut tut selten gut', 'Γειά σου, Κόσμε', '한국어 문장', 'naïve café'].map((text) =>
      text.normalize('NFC'),
    )
    const apart = composed.map((text) => text.normalize('NFD'))
    expect(apart).not.toEqual(composed)
    expect(trainBpe(apart, 300)).toEqual(trainBpe(composed, 300))
    for (const tokenizer of [loadTokenizer(byteTokenizer()), loadTokenizer(trainBpe(composed, 300))]) {
      expect(apart.map((text) => tokenizer.encode(text))).toEqual(composed.map((text) => tokenizer.encode(text)))
      expect(apart.map((text) => tokenizer.encodeWithSpecial(text))).toEqual(
        composed.map((text) => tokenizer.encode(text)),
      )
    }
  })

  test('a byte is a token of its own', () => {
    const bytes = loadTokenizer(byteTokenizer())
    expect(bytes.vocabSize).toBe(258)
    expect(bytes.encode('é🎉')).toHaveLength(2 + 4)
  })

  test('what was encoded once cannot be changed through the answer', () => {
    const ids = trained.encode('banana')
    ids.push(7)
    expect(trained.decode(trained.encode('banana'))).toBe('banana')
  })

  test('a tokenizer that cannot end a turn is refused in words', () => {
    expect(() =>
      loadTokenizer({ ...byteTokenizer(), added_tokens: [], model: { type: 'BPE', vocab: { a: 0 }, merges: [] } }),
    ).toThrow(expect.objectContaining({ code: 'model-unsupported' }))
  })
})

describe('tokenizers of other programs', () => {
  test.each(['gpt2_style', 'qwen2_style'])('%s', (name) => {
    const { passed, failures } = checkTokenizerVectors(golden(`${name}.tokenizer`), golden(`${name}.vectors`))
    expect(failures).toEqual([])
    expect(passed).toBeGreaterThan(90)
  })

  test('a wrong answer is named', () => {
    const vectors = golden('gpt2_style.vectors') as { cases: { text: string; ids: number[] }[] }
    vectors.cases[5]!.ids[0]! += 1
    expect(
      checkTokenizerVectors(golden('gpt2_style.tokenizer'), vectors).failures.some((failure) =>
        failure.startsWith('encode "hello world"'),
      ),
    ).toBe(true)
  })
})

test('digits of every script are digits where a tokenizer takes them apart', () => {
  const arabic = [' 12', ' ١٢', ' १२', ' Ⅻ½'] // all are numbers in Unicode; a space before them must not join
  const base = trainBpe(
    [...arabic, ...arabic, ...arabic].map((text) => text.repeat(4)),
    300,
  ) as unknown as {
    readonly pre_tokenizer: object
  }
  const first = (individual: boolean, text: string): string => {
    const digits = { type: 'Digits', individual_digits: individual }
    const cut = { type: 'Sequence', pretokenizers: [digits, base.pre_tokenizer] }
    const tokenizer = loadTokenizer({ ...base, pre_tokenizer: cut })
    return tokenizer.decode(tokenizer.encode(text).slice(0, 1))
  }
  for (const text of arabic) {
    expect(loadTokenizer(base).encode(text).length).toBeLessThan(3) // a token of space and digits is there to be taken
    expect([first(true, text), first(false, text)]).toEqual([' ', ' '])
  }
})
