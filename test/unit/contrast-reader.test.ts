import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readContrastFile } from '../../main/data/contrast-reader.ts'
import type { NewPart } from '../../main/data/add-dataset.ts'

const fixtures = path.resolve(import.meta.dirname, '../fixtures/texts')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'texts ü '))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function read(file: string): Promise<NewPart[]> {
  const parts: NewPart[] = []
  for await (const part of readContrastFile(path.isAbsolute(file) ? file : path.join(fixtures, file))) parts.push(part)
  return parts
}

async function written(text: string): Promise<NewPart[]> {
  const file = path.join(folder, 'file.txt')
  writeFileSync(file, text)
  return read(file)
}

const dataOf = (parts: readonly NewPart[]): unknown[] => parts.flatMap((part) => ('item' in part ? [part.item.data] : []))
const problemsOf = (parts: readonly NewPart[]): (readonly [number, string])[] => parts.flatMap((part) => ('problem' in part ? [[part.problem.line, part.problem.code] as const] : []))

describe('texts that belong together', () => {
  test('GRACE’s own rows, triplets and n-tuples', async () => {
    expect(dataOf(await read('supervised.jsonl'))[0]).toEqual({ form: 'triple', query: 'rain cause', positive: 'Clouds cool and drops form.', negatives: ['Cars need oil.'], source: 'made-up' })
    expect(dataOf(await read('triplet.jsonl'))).toEqual([{ form: 'triple', query: 'a', positive: 'b', negatives: ['c'], source: null }])
    expect(dataOf(await read('n_tuple.jsonl'))).toEqual([{ form: 'triple', query: 'a', positive: 'b', negatives: ['c', 'd'], source: null }])
    expect(dataOf(await written('{"query":"q","pos":"p","negatives":["x","y"]}\n'))).toEqual([{ form: 'triple', query: 'q', positive: 'p', negatives: ['x', 'y'], source: null }])
  })

  test('a line is a text; blank ones are skipped and counted', async () => {
    const parts = await read('unsupervised.txt')
    expect(dataOf(parts)).toEqual([{ form: 'text', text: 'One sentence per line.' }, { form: 'text', text: 'Blank lines are skipped.' }])
    expect(parts.map((part) => ('item' in part ? part.item.line : 0))).toEqual([1, 3])
    expect(dataOf(await written('{"text":"alone"}'))).toEqual([{ form: 'text', text: 'alone' }])
  })

  test.each(['glue_train.tsv', 'st_pairs.jsonl', 'sts-train.csv', 'mteb_test.jsonl'])('STS-B as %s: scores run from 0 to 1', async (file) => {
    const parts = await read(file)
    expect(problemsOf(parts)).toEqual([])
    for (const data of dataOf(parts)) expect(data).toMatchObject({ form: 'scored-pair', score: expect.toSatisfy((score: number) => score >= 0 && score <= 1) })
  })

  test('columns past the sentences, and quotes that do not match, are no trouble', async () => {
    expect(dataOf(await read('sts-train.csv'))).toEqual([
      { form: 'scored-pair', first: 'A cat sits.', second: 'A cat is sitting.', score: 1 },
      { form: 'scored-pair', first: 'She said "stop.', second: 'He left town.', score: 1.4 / 5 },
      { form: 'scored-pair', first: 'One.', second: 'Two.', score: 0.6 },
    ])
  })

  test('a broken line says where and why, the others stay', async () => {
    const parts = await written('{"query":"q","positive":"p"}\n{"query":"q"\n[1]\n{"query":"only"}\n\n{"query":"r","positive":"s"}\n')
    expect(problemsOf(parts)).toEqual([[2, 'json-broken'], [3, 'row-not-object'], [4, 'column-missing']])
    expect(dataOf(parts)).toHaveLength(2)
    expect(problemsOf(await written('g\tf\t2012\t1\t2.0\ta\tb\ng\tf\t2012\t2\thigh\ta\tb\ng\tf\n'))).toEqual([[2, 'not-a-number'], [3, 'cells-missing']])
  })

  test('a table of another kind is turned down', async () => {
    await expect(written('a\tb\tc\nd\te\tf\n')).rejects.toThrow('The first line has 3 columns that are none of the known forms.')
  })
})
