import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inspectFile } from '../../main/core/formats/inspect.ts'
import type { NewItem, NewPart } from '../../main/core/formats/parsed-rows.ts'
import { readUnpaired } from '../../main/core/formats/read-unpaired.ts'
import { findUnpairedColumns } from '../../main/core/formats/unpaired-columns.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab unpaired '))
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}

const jsonl = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

async function read(file: string): Promise<{ items: NewItem[]; codes: string[] }> {
  const parts: NewPart[] = []
  for await (const part of readUnpaired(file)) parts.push(part)
  return {
    items: parts.flatMap((part) => ('item' in part ? [part.item] : [])),
    codes: parts.flatMap((part) => ('problem' in part ? [part.problem.code] : [])),
  }
}

const outcomes = ({ items }: { items: NewItem[] }): (string | undefined)[] =>
  items.map(({ labels }) => labels?.[0]?.outcome)

describe('labels of single answers', () => {
  test.each([
    [[true, false, null]],
    [[1, 0, '']],
    [['true', 'False', undefined]],
    [['up', 'down', null]],
    [['good', 'BAD', 'none']],
    [['👍', '👎', null]],
    [[1, -1, null]],
    [['1.0', '0.0', '']],
  ])('%j are good, bad and nothing', async (values) => {
    const rows = values.map((label, at) => ({ prompt: `p${at}`, completion: 'c', label }))
    expect(outcomes(await read(write('labels.jsonl', jsonl(rows))))).toEqual(['a', 'b', undefined])
  })

  test.each([
    ['stars', [5, 1, 3], '"5", "3"'],
    ['words of another kind', ['good', 'so-so', 'bad'], '"so-so"'],
    ['an undecided 0', [-1, 0, 1], '"-1", "0", "1"'],
  ])('%s are refused, wherever they stand', async (_what, values, shown) => {
    const rows = values.map((label, at) => ({ prompt: `p${at}`, completion: 'c', label }))
    await expect(read(write('stars.jsonl', jsonl(rows)))).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining(shown),
      hint: expect.stringContaining('true or false'),
    })
  })
})

test('prompts and answers may be turns; an answer to turns is one', async () => {
  const turns = [{ role: 'user', content: 'Hi' }]
  const { items, codes } = await read(
    write(
      'turns.jsonl',
      jsonl([
        { prompt: turns, completion: [{ role: 'assistant', content: 'Hello' }], label: true, source: 'web' },
        { prompt: turns, completion: 'Go away', label: false },
        { prompt: 'p', completion: 7, label: true },
        { prompt: 'p', completion: '', label: true },
      ]),
    ),
  )
  expect(items.map(({ data }) => data)).toEqual([
    { prompt: turns, completion: [{ role: 'assistant', content: 'Hello' }], metadata: { source: 'web' } },
    { prompt: turns, completion: [{ role: 'assistant', content: 'Go away' }], metadata: {} },
    { prompt: 'p', completion: '', metadata: {} },
  ])
  expect(items[0]!.group).toBe(items[1]!.group)
  expect(codes).toEqual([expect.stringContaining('answer'), 'answer-empty'])
})

test('a table, a JSON array, people’s own columns, ids and sides are read', async () => {
  const table = await read(write('t.csv', 'prompt,completion,label,split\nq1,"a, b",1,train\nq2,c,0,test\n'))
  expect(table.items.map(({ data, split }) => [(data as { completion: string }).completion, split])).toEqual([
    ['a, b', 'train'],
    ['c', 'test'],
  ])
  const array = await read(
    write(
      'a.json',
      JSON.stringify([
        { question: 'q', answer: 'x', id: 'k' },
        { question: 'q', answer: 'y', id: 'k' },
      ]),
    ),
  )
  expect(array.items.map(({ pairId, labels }) => [pairId, labels])).toEqual([
    ['k', []],
    ['k.2', []],
  ])
  const people = await read(
    write('p.jsonl', jsonl([{ prompt: 'q', completion: 'x', 'label:ann': true, 'label:bob': 'skip', split: 'train' }])),
  )
  expect(people.items[0]).toMatchObject({
    split: null,
    labels: [
      { annotator: 'ann', outcome: 'a' },
      { annotator: 'bob', outcome: 'skip' },
    ],
  })
})

test('a file of pairs is none of single answers, and the look at a file says which it is', async () => {
  const options = { mapping: null, limit: 5 }
  const single = write('single.jsonl', jsonl([{ prompt: 'p', completion: 'c', label: true }]))
  expect((await inspectFile(single, options)).unpaired).toEqual({
    prompt: 'prompt',
    completion: 'completion',
    labels: ['label'],
    rows: [{ line: 1, prompt: 'p', completion: 'c', judged: 'good' }],
  })
  const pairs = write('pairs.jsonl', jsonl([{ prompt: 'p', chosen: 'c', rejected: 'd' }]))
  expect((await inspectFile(pairs, options)).unpaired).toBeNull()
  await expect(read(pairs)).rejects.toMatchObject({
    code: 'input-invalid',
    hint: expect.stringContaining('completion'),
  })
  expect(findUnpairedColumns(['prompt', 'chosen', 'rejected'])).toBeNull()
})
