import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Generation } from '../../shared/contract/playground.ts'
import { runCli, runJson, startCli } from '../support/cli.ts'
import { makeModelFolder } from '../support/model-folder.ts'

const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab generaté '))
const options = { dataFolder }
const folder = path.join(dataFolder, 'tiny llama')
const GENERATE = [
  'generate',
  '--model',
  folder,
  '--engine',
  'wasm',
  '--temperature',
  '0.7',
  '--top-k',
  '20',
  '--max-tokens',
  '8',
  '--seed',
  '3',
]

beforeAll(async () => {
  await makeModelFolder(folder)
  const config = path.join(folder, 'config.json')
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), max_position_embeddings: 8192 }))
})
afterAll(() => rmSync(dataFolder, { recursive: true, force: true }))

describe('pairlab generate', () => {
  it('writes the same text to a person and to a program, from a flag and from standard input', async () => {
    const json = (await runJson(
      [...GENERATE, '--prompt', 'abc', '--count', '2', '--alternatives', '1'],
      options,
    )) as Generation
    expect(json).toMatchObject({
      state: 'done',
      layout: 'plain',
      promptTokens: 3,
      completions: [{ seed: 3 }, { seed: 4 }],
    })
    for (const { tokens } of json.completions)
      expect(tokens.every((token) => token.logProb < 0 && token.alternatives.length === 1)).toBe(true)
    const { status, stdout, stderr } = await runCli(GENERATE, { ...options, input: 'abc\n' })
    expect([status, stdout]).toEqual([0, `${json.completions[0]!.text}\n`])
    expect(stderr).toMatch(/tiny llama: (length|end), seed 3, wasm/)
  })

  it('Ctrl+C ends it with what was written, and status 130', async () => {
    const child = startCli(
      [
        'generate',
        '--model',
        folder,
        '--engine',
        'wasm',
        '--temperature',
        '0',
        '--max-tokens',
        '8000',
        '--prompt',
        'abc',
      ],
      options,
    )
    let told = ''
    child.stdout?.once('data', () => child.kill('SIGINT'))
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect([status, told]).toEqual([130, expect.stringContaining('tiny llama: cancelled')])
  })

  it.each([
    [['--model', 'nothing:x', '--prompt', 'a'], 2, 'usage-invalid'],
    [['--model', folder, '--prompt', 'a', '--top-p', '2'], 2, 'usage-invalid'],
  ])('ends with its status after %j', async (flags, status, code) => {
    expect(await runJson(['generate', ...flags], options, status)).toMatchObject({
      error: { code, hint: expect.stringMatching(/.+/) },
    })
  })
})
