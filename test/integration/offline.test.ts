import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { runCli, runJson, startCli } from '../support/cli.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'pairlab offliné '))
const log = path.join(folder, 'guard.log')
const guard = new URL('../support/offline-guard.mjs', import.meta.url).href
const env = { NODE_OPTIONS: `--import ${guard}`, PAIRLAB_GUARD_LOG: log }
const options = { dataFolder: path.join(folder, 'data'), env }

interface Note {
  readonly kind: string
  readonly target: string
  readonly pid: number
  readonly argv: readonly string[]
}

function notes(): Note[] {
  return existsSync(log)
    ? readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Note)
    : []
}

function attempts(): Note[] {
  return notes().filter((note) => note.kind !== 'guard')
}

beforeEach(() => rmSync(log, { force: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the guard of this test', () => {
  it.each([
    ['fetch', "fetch('http://192.0.2.1/').catch(() => {})"],
    ['a name', "fetch('http://pairlab.invalid/').catch(() => {})"],
    ['a socket', "require('node:net').connect(80, '192.0.2.1').on('error', () => {})"],
    [
      'a child',
      `require('node:child_process').spawnSync(process.execPath, ['-e', "fetch('http://192.0.2.1/').catch(() => {})"])`,
    ],
  ])('notices %s', (_what, code) => {
    spawnSync(process.execPath, ['-e', code], { env: { ...process.env, ...env } })
    expect(attempts().length).toBeGreaterThan(0)
  })

  it('lets the loopback interface be', () => {
    const code =
      "const s = require('node:http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', async () => { process.stdout.write(await (await fetch('http://127.0.0.1:' + s.address().port)).text()); s.close() })"
    expect(
      spawnSync(process.execPath, ['-e', code], { env: { ...process.env, ...env }, encoding: 'utf8' }).stdout,
    ).toBe('x')
    expect(attempts()).toEqual([])
  })
})

describe('Pairlab', () => {
  it('imports, trains and compares without reaching for the network', async () => {
    const file = path.join(folder, 'pairs.jsonl')
    writeFileSync(
      file,
      Array.from({ length: 12 }, (_one, at) =>
        JSON.stringify({ prompt: `Say ${at}.`, chosen: `${at}`, rejected: 'No.' }),
      ).join('\n'),
    )
    await runJson(['import', file, '--name', 'numbers'], options)
    const trained = await runCli(
      [
        'train',
        'sft',
        '--data',
        'numbers',
        '--model',
        'new:nano',
        '--tokenizer',
        'byte',
        '--steps',
        '2',
        '--batch-size',
        '2',
        '--micro-batch-size',
        '2',
        '--max-length',
        '32',
        '--eval-pairs',
        '2',
        '--sample-prompts',
        '1',
        '--sample-tokens',
        '2',
        '--engine',
        'cpu',
      ],
      options,
    )
    expect(trained).toMatchObject({ status: 0 })
    await runJson(['compare'], options)
    expect(attempts()).toEqual([])
    // The training process was guarded, too.
    expect(notes().some((note) => note.argv.some((argument) => argument === 'train'))).toBe(true)
  })

  it('serves the page without reaching for the network', async () => {
    const child = startCli(['serve', '--port', '0', '--json'], options)
    let text = ''
    const { url } = await new Promise<{ url: string }>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text) as { url: string })
      })
      child.on('exit', () => reject(new Error(`serve ended: ${text}`)))
    })
    const { origin, searchParams } = new URL(url)
    const entered = (await (
      await fetch(`${origin}/enter`, { method: 'POST', body: searchParams.get('code') })
    ).json()) as { value: { key: string } }
    const answer = await fetch(`${origin}/call/system.info`, {
      method: 'POST',
      headers: { authorization: `Bearer ${entered.value.key}` },
      body: '{}',
    })
    expect(await answer.json()).toMatchObject({ ok: true })
    child.kill('SIGTERM')
    await new Promise((resolve) => child.on('close', resolve))
    expect(attempts()).toEqual([])
  })
})
