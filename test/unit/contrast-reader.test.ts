import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readContrastFile, type ContrastOptions } from '../../main/core/formats/contrast-reader.ts'
import type { NewPart } from '../../main/core/formats/parsed-rows.ts'

const fixtures = path.resolve(import.meta.dirname, '../fixtures/texts')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'texts ü '))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function read(file: string, options: ContrastOptions = {}): Promise<NewPart[]> {
  const parts: NewPart[] = []
  for await (const part of readContrastFile(path.isAbsolute(file) ? file : path.join(fixtures, file), options))
    parts.push(part)
  return parts
}

async function written(text: string, options: ContrastOptions = {}): Promise<NewPart[]> {
  const file = path.join(folder, 'file.txt')
  writeFileSync(file, text)
  return read(file, options)
}

const dataOf = (parts: readonly NewPart[]): unknown[] =>
  parts.flatMap((part) => ('item' in part ? [part.item.data] : []))
const problemsOf = (parts: readonly NewPart[]): (readonly [number, string])[] =>
  parts.flatMap((part) => ('problem' in part ? [[part.problem.line, part.problem.code] as const] : []))

describe('texts that belong together', () => {
  test('GRACE’s own rows, triplets and n-tuples', async () => {
    expect(dataOf(await read('supervised.jsonl'))[0]).toEqual({
      form: 'triple',
      query: 'rain cause',
      positive: 'Clouds cool and drops form.',
      negatives: ['Cars need oil.'],
      source: 'made-up',
    })
    expect(dataOf(await read('triplet.jsonl'))).toEqual([
      { form: 'triple', query: 'a', positive: 'b', negatives: ['c'], source: null },
    ])
    expect(dataOf(await read('n_tuple.jsonl'))).toEqual([
      { form: 'triple', query: 'a', positive: 'b', negatives: ['c', 'd'], source: null },
    ])
    expect(dataOf(await written('{"query":"q","pos":"p","negatives":["x","y"]}\n'))).toEqual([
      { form: 'triple', query: 'q', positive: 'p', negatives: ['x', 'y'], source: null },
    ])
  })

  test('a line is a text; blank ones are skipped and counted', async () => {
    const parts = await read('unsupervised.txt')
    expect(dataOf(parts)).toEqual([
      { form: 'text', text: 'One sentence per line.' },
      { form: 'text', text: 'Blank lines are skipped.' },
    ])
    expect(parts.map((part) => ('item' in part ? part.item.line : 0))).toEqual([1, 3])
    expect(dataOf(await written('{"text":"alone"}'))).toEqual([{ form: 'text', text: 'alone' }])
  })

  test.each(['glue_train.tsv', 'st_pairs.jsonl', 'sts-train.csv', 'mteb_test.jsonl'])(
    'STS-B as %s: scores run from 0 to 1',
    async (file) => {
      const parts = await read(file)
      expect(problemsOf(parts)).toEqual([])
      for (const data of dataOf(parts))
        expect(data).toMatchObject({
          form: 'scored-pair',
          score: expect.toSatisfy((score: number) => score >= 0 && score <= 1),
        })
    },
  )

  test('columns past the sentences, and quotes that do not match, are no trouble', async () => {
    expect(dataOf(await read('sts-train.csv'))).toEqual([
      { form: 'scored-pair', first: 'A cat sits.', second: 'A cat is sitting.', score: 1 },
      { form: 'scored-pair', first: 'She said "stop.', second: 'He left town.', score: 1.4 / 5 },
      { form: 'scored-pair', first: 'One.', second: 'Two.', score: 0.6 },
    ])
  })

  test('a broken line says where and why, the others stay', async () => {
    const parts = await written(
      '{"query":"q","positive":"p"}\n{"query":"q"\n[1]\n{"query":"only"}\n\n{"query":"r","positive":"s"}\n',
    )
    expect(problemsOf(parts)).toEqual([
      [2, 'json-broken'],
      [3, 'row-not-object'],
      [4, 'column-missing'],
    ])
    expect(dataOf(parts)).toHaveLength(2)
    expect(problemsOf(await written('g\tf\t2012\t1\t2.0\ta\tb\ng\tf\t2012\t2\thigh\ta\tb\ng\tf\n'))).toEqual([
      [2, 'not-a-number'],
      [3, 'cells-missing'],
    ])
  })

  test('a table of another kind is turned down', async () => {
    await expect(written('a\tb\tc\nd\te\tf\n')).rejects.toThrow('has 3 columns (a, b, c) without names that are known')
    await expect(written('first,second,how\na,b,1\nc,d,4\n')).rejects.toThrow(
      'a header whose names are not known: first, second, how',
    )
  })
})

describe('scores', () => {
  const pair = (score: unknown, second = 'b'): string =>
    `${JSON.stringify({ sentence1: 'a', sentence2: second, score })}\n`
  const scoresOf = (parts: readonly NewPart[]): unknown[] =>
    dataOf(parts).map((data) => (data as { score?: number }).score)

  test('written as text are scores, and a pair that has none is never a positive', async () => {
    const parts = await written(
      pair('4.8') +
        pair('0.1') +
        pair(null) +
        pair('') +
        pair('NaN') +
        pair('high') +
        '{"sentence1":"a","sentence2":"b","score":1e999}\n',
    )
    expect(scoresOf(parts)).toEqual([4.8 / 5, 0.1 / 5])
    expect(problemsOf(parts)).toEqual([3, 4, 5, 6, 7].map((line) => [line, 'not-a-number']))
  })

  test.each([
    ['0 to 1', [0.2, 1], [0.2, 1]],
    ['0 to 5', ['0', '5'], [0, 1]],
    ['-1 to 1', [-1, 0, '1'], [0, 0.5, 1]],
  ])('run from %s', async (_scale, given, expected) => {
    expect(scoresOf(await written(given.map((score) => pair(score)).join('')))).toEqual(expected)
  })

  test('of a scale that is not known are asked for, and read on the scale that is given', async () => {
    await expect(written(pair(2) + pair(87))).rejects.toMatchObject({
      code: 'input-invalid',
      hint: expect.stringContaining('--scale 0..10'),
    })
    expect(scoresOf(await written(pair(2) + pair(50), { scale: '0..100' }))).toEqual([0.02, 0.5])
    expect(scoresOf(await written(pair(1) + pair(3) + pair(5), { scale: '1..5' }))).toEqual([0, 0.5, 1])
    expect(problemsOf(await written(pair(7) + pair(3), { scale: '0..5' }))).toEqual([[1, 'score-outside']])
    await expect(written(pair(1), { scale: '5..0' })).rejects.toMatchObject({ code: 'usage-invalid' })
  })

  test.each([
    ['1 to 5', [1, 3, 5], 'Say which is meant: --scale 1..5 or --scale 0..5.'],
    ['1 to 3', [1, 2, 3], 'Say which is meant: --scale 1..5 or --scale 0..5.'],
    [
      '0 to 3',
      [0, '3', 1.5],
      'Give the lowest and the highest possible score, for example --scale 0..3 or --scale 0..5.',
    ],
    ['0 to 10', [0, 10], 'Give the lowest and the highest possible score with --scale, for example --scale 0..10.'],
  ])('that run from %s could be on several scales', async (_scale, given, hint) => {
    await expect(written(given.map((score) => pair(score)).join(''))).rejects.toMatchObject({
      code: 'input-invalid',
      hint,
    })
  })

  test('of STS-B that stay below 1 have two readings', async () => {
    const rows = 'split\tgenre\tdataset\tyear\tsid\tscore\tsentence1\tsentence2\ntrain\tx\ty\t2012\t1\t0.8\ta\tb\n'
    await expect(written(rows)).rejects.toMatchObject({ hint: 'Say which is meant: --scale 0..1 or --scale 0..5.' })
    expect(scoresOf(await written(rows, { scale: '0..1' }))).toEqual([0.8])
  })

  test.each(['entailment', 'contradiction', 0, 1, '2'])('a label %j of NLI is no similarity', async (label) => {
    await expect(written(`${JSON.stringify({ premise: 'p', hypothesis: 'h', label })}\n`)).rejects.toMatchObject({
      code: 'input-invalid',
      hint: expect.stringContaining('triplets'),
    })
  })

  test('a label that is a fraction, or whose scale is given, is one', async () => {
    expect(scoresOf(await written('{"texts":["a","b"],"label":0.3}\n'))).toEqual([0.3])
    expect(
      scoresOf(await written('{"question1":"a","question2":"b","is_duplicate":"1"}\n', { scale: '0..1' })),
    ).toEqual([1])
  })
})

describe('tables with commas and semicolons', () => {
  const scored = [
    { form: 'scored-pair', first: 'a cat, sat', second: 'the "cat" sat', score: 4.8 / 5 },
    { form: 'scored-pair', first: 'a dog', second: 'oil price', score: 0.1 / 5 },
  ]
  const rows = (separator: string): string =>
    `"a cat, sat"${separator}"the ""cat"" sat"${separator}4.8\r\na dog${separator}oil price${separator}0.1\r\n`

  test.each([
    ['a header', `sentence1,sentence2,score\r\n${rows(',')}`],
    ['a byte order mark', `\uFEFFsentence1,sentence2,score\r\n${rows(',')}`],
    ['no header', rows(',')],
    ['semicolons', `Sentence 1;Sentence 2;Similarity\n${rows(';')}`],
    [
      'the score in the second column',
      'sentence1,score,sentence2\n"a cat, sat",4.8,"the ""cat"" sat"\na dog,0.1,oil price\n',
    ],
    ['the score first and no header', '4.8,"a cat, sat","the ""cat"" sat"\n0.1,a dog,oil price\n'],
  ])('%s', async (_what, text) => {
    const parts = await written(text)
    expect([dataOf(parts), problemsOf(parts)]).toEqual([scored, []])
    writeFileSync(path.join(folder, 'file.csv.gz'), gzipSync(text))
    expect(dataOf(await read(path.join(folder, 'file.csv.gz')))).toEqual(scored)
  })

  test('SICK’s scores run from 1 to 5, whatever the lowest and the highest in a file are', async () => {
    const sick = (...scores: number[]): string =>
      `pair_ID,sentence_A,sentence_B,relatedness_score\n${scores.map((score, at) => `${at},a,b,${score}\n`).join('')}`
    expect(dataOf(await written(sick(1, 4, 2)))).toMatchObject([{ score: 0 }, { score: 0.75 }, { score: 0.25 }])
    await expect(written(sick(0, 4))).rejects.toMatchObject({
      message: expect.stringContaining("where SICK's run from 1 to 5"),
    })
  })

  test('sentence-transformers’ stsbenchmark keeps its split, and a quote is a letter in it', async () => {
    const line = (split: string, score: string): string =>
      `${split}\tmain\tMSR\t2012\t1\t${score}\ta "cat sat\tthe cat sat\n`
    const parts = await written(
      `split\tgenre\tdataset\tyear\tsid\tscore\tsentence1\tsentence2\n${line('train', '4.8')}${line('dev', '0.5')}${line('test', '5')}`,
    )
    expect(parts.map((part) => 'item' in part && part.item.split)).toEqual(['train', 'validation', 'test'])
    expect(dataOf(parts)[0]).toEqual({
      form: 'scored-pair',
      first: 'a "cat sat',
      second: 'the cat sat',
      score: 4.8 / 5,
    })
  })

  test('triplets by name; a single column with its header', async () => {
    expect(dataOf(await written('anchor,positive,negative\na,"b, c",d\n'))).toEqual([
      { form: 'triple', query: 'a', positive: 'b, c', negatives: ['d'], source: null },
    ])
    expect(dataOf(await written('text\n"one, two"\nthree\n'))).toEqual([
      { form: 'text', text: 'one, two' },
      { form: 'text', text: 'three' },
    ])
  })

  test('lines that have commas are lines, and where they could be columns somebody has to say', async () => {
    expect(dataOf(await written('Well, yes.\nNo.\nOne, two, three.\n'))).toHaveLength(3)
    expect(dataOf(await written('[music] plays\nplain\n'))).toEqual([
      { form: 'text', text: '[music] plays' },
      { form: 'text', text: 'plain' },
    ])
    await expect(written('Well, yes.\nBut, no.\n')).rejects.toMatchObject({
      hint: expect.stringContaining('Say which form it has, csv or lines'),
    })
    expect(dataOf(await written('Well, yes.\nBut, no.\n', { as: 'lines' }))).toEqual([
      { form: 'text', text: 'Well, yes.' },
      { form: 'text', text: 'But, no.' },
    ])
    expect(dataOf(await written('Well, yes.\nBut, no.\n', { as: 'csv' }))[1]).toEqual({
      form: 'triple',
      query: 'But',
      positive: 'no.',
      negatives: [],
      source: null,
    })
    expect(dataOf(await written('q\tp\tn\nr\ts\tt\n', { as: 'tsv' }))[0]).toEqual({
      form: 'triple',
      query: 'q',
      positive: 'p',
      negatives: ['n'],
      source: null,
    })
  })
})

describe('lists', () => {
  test('a list a line is query, positive and negatives', async () => {
    expect(dataOf(await written('["a query","its answer"]\n["b query","b answer","no answer"]\n'))).toEqual([
      { form: 'triple', query: 'a query', positive: 'its answer', negatives: [], source: null },
      { form: 'triple', query: 'b query', positive: 'b answer', negatives: ['no answer'], source: null },
    ])
    expect(problemsOf(await written('["a","b"]\n["a",5]\n["alone"]\n'))).toEqual([
      [2, 'list-not-texts'],
      [3, 'list-not-texts'],
    ])
  })

  test('a whole file that is an array: of objects, of lists, of texts', async () => {
    for (const text of ['[{"query":"a","positive":"b"}]', '[\n  {"query": "a",\n   "positive": "b"}\n]', '[["a","b"]]'])
      expect(dataOf(await written(text)), text).toEqual([
        { form: 'triple', query: 'a', positive: 'b', negatives: [], source: null },
      ])
    expect(dataOf(await written('[\n"one",\n"two"\n]'))).toEqual([
      { form: 'text', text: 'one' },
      { form: 'text', text: 'two' },
    ])
    await expect(written('["one","two"]')).rejects.toMatchObject({
      hint: expect.stringContaining('Say which form it has, jsonl or json'),
    })
    expect(dataOf(await written('["one","two"]', { as: 'json' }))).toHaveLength(2)
  })

  test('several positives become an item each, of one group; sets and texts are read by their order', async () => {
    const parts = await written('{"query":"a","pos":["b","e"],"neg":["c","d"]}\n{"set":["x","y"]}\n')
    expect(parts.map((part) => 'item' in part && [part.item.pairId, part.item.group])).toEqual([
      ['line-1', 'a'],
      ['line-1.2', 'a'],
      ['line-2', 'x'],
    ])
    expect(dataOf(parts)).toEqual(
      [
        ['a', 'b', ['c', 'd']],
        ['a', 'e', ['c', 'd']],
        ['x', 'y', []],
      ].map(([query, positive, negatives]) => ({ form: 'triple', query, positive, negatives, source: null })),
    )
  })
})
