import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runJson } from '../support/cli.ts'

const golden = (name: string): string => fileURLToPath(new URL(`../golden/models-encoders/${name}`, import.meta.url))
const root = mkdtempSync(path.join(os.tmpdir(), 'pairlab embéd '))
const options = { dataFolder: path.join(root, 'data') }
const linked = path.join(root, 'tiny bert')
const expected = JSON.parse(readFileSync(path.join(golden('bert'), 'vectors.json'), 'utf8')) as {
  texts: string[]
  embeddings: number[][]
}

beforeAll(() => cpSync(golden('bert'), linked, { recursive: true }))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function expectVectors(rows: readonly (readonly number[])[]): void {
  expect(rows.length).toBe(expected.embeddings.length)
  rows.forEach((row, at) =>
    row.forEach((value, column) => expect(Math.abs(value - expected.embeddings[at]![column]!)).toBeLessThan(2e-5)),
  )
}

describe('pairlab embed', () => {
  test('writes a matrix that NumPy reads, with a folder and a file of lines', async () => {
    const file = path.join(root, 'texts.txt')
    writeFileSync(file, `${expected.texts.join('\n')}\n`)
    const target = path.join(root, 'out.npy')
    const said = await runJson(['embed', '--model', linked, '--out', target, file], options)
    expect(said).toMatchObject({ folder: linked, engine: 'wasm', count: 8, dim: 24, cutCount: 1, out: target })
    const bytes = readFileSync(target)
    expect(bytes.subarray(0, 8).toString('latin1')).toBe('\u0093NUMPY\u0001\u0000')
    const start = 10 + bytes.readUInt16LE(8)
    expect(start % 64).toBe(0)
    expect(bytes.subarray(10, start).toString()).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(8, 24\), \} *\n$/,
    )
    expect(bytes.length).toBe(start + 8 * 24 * 4)
    expectVectors(
      expected.texts.map((_text, row) =>
        Array.from({ length: 24 }, (_none, column) => bytes.readFloatLE(start + 4 * (row * 24 + column))),
      ),
    )
    expect(readdirSync(root).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  test('writes JSON lines, with a model of the registry and objects, and tells what it does beside them', async () => {
    await runJson(['models', 'add', linked, '--copy', '--name', 'Tiny'], options)
    const [model] = (await runJson(['models'], options)) as { kind: string; path: string; state: string }[]
    expect(model).toMatchObject({ kind: 'encoder', state: 'ready' })
    expect(readdirSync(path.join(model!.path, '1_Pooling'))).toEqual(['config.json'])
    const file = path.join(root, 'texts.jsonl')
    writeFileSync(
      file,
      expected.texts.map((text, at) => JSON.stringify(at % 2 === 0 ? { body: text } : text)).join('\n'),
    )
    const { status, stdout, stderr } = await runCli(
      ['embed', '--model', 'Tiny', '--field', 'body', '--engine', 'cpu', file],
      options,
    )
    expect(status).toBe(0)
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; embedding: number[] })
    expect(rows.map((row) => row.text)).toEqual(expected.texts)
    expectVectors(rows.map((row) => row.embedding))
    expect(stderr).toContain('8 texts, encoder of 24 dimensions, 24 tokens at most')
    expect(stderr).toContain('1 of 8 texts were longer than 24 tokens')
  })

  test('reads standard input, and embeds with a decoder', async () => {
    const said = (await runJson(['embed', '--model', golden('llama_lasttoken'), '--engine', 'cpu'], {
      ...options,
      input: 'hello world\r\nthe cat',
    })) as { count: number; embeddings: number[][] }
    expect(said.count).toBe(2)
    for (const row of said.embeddings) expect(Math.hypot(...row)).toBeCloseTo(1, 5)
  })

  test.each([
    [['--model', 'nobody', '-'], 4, 'not-found'],
    [['--model', linked, '--out', 'x.csv', '-'], 2, 'usage-invalid'],
    [['--model', linked, 'no-such-file'], 4, 'file-not-found'],
  ])('%j ends with %i', async (args, status, code) => {
    const input = 'hello'
    expect(await runJson(['embed', ...args], { ...options, input }, status)).toMatchObject({ error: { code } })
  })
})

test('an encoder of the registry is refused by a method that writes completions, saying why', async () => {
  const file = path.join(root, 'pairs.jsonl')
  writeFileSync(
    file,
    Array.from({ length: 6 }, (_none, at) =>
      JSON.stringify({ prompt: `Say ${at}.`, chosen: 'Yes.', rejected: 'No.' }),
    ).join('\n'),
  )
  await runJson(['import', file, '--name', 'six'], options)
  const { status, stderr } = await runCli(
    ['train', 'sft', '--data', 'six', '--model', 'model:Tiny', '--steps', '1'],
    options,
  )
  expect(status).not.toBe(0)
  expect(stderr).toContain('"Tiny" is an encoder: it cannot write completions.')
})
