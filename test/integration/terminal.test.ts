import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve, type Host } from '../../main/doors/headless/serve.ts'
import { announceHost, withdrawHost } from '../../main/doors/headless/http-client.ts'
import { runCli, type CliResult } from '../support/cli.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

/** What a file of a stranger may hold: the clipboard, the title, a cleared screen, C1, a carriage return, a turned order. */
const EVIL =
  '\u001b]52;c;ZXZpbA==\u0007\u001b]0;title\u0007\u001b[2J\u009b31m\u0090q\u009c\u007f\b\rlost\u202egnp\u2066'
const STEERING = /(?![\t\n])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
const training = [
  '--tokenizer',
  'byte',
  '--steps',
  '2',
  '--batch-size',
  '2',
  '--micro-batch-size',
  '2',
  '--max-length',
  '48',
  '--eval-pairs',
  '2',
  '--sample-prompts',
  '1',
  '--sample-tokens',
  '2',
  '--engine',
  'cpu',
]

let made: TestApp
let host: Host
let folder: string

const run = (args: readonly string[], input = ''): Promise<CliResult> =>
  runCli(args, { dataFolder: made.dataFolder, input })

/** Nothing steers, and the text was there: shown, not dropped. */
function expectShown({ stdout, stderr }: CliResult, shown = '␛]52;c;ZXZpbA==␇'): void {
  const all = `${stdout}${stderr}`
  expect(all.match(STEERING)).toBeNull()
  expect(all).toContain(shown)
}

beforeAll(async () => {
  made = await makeApp()
  host = await serve({ app: made.app, rendererFolder: null })
  announceHost(made.dataFolder, host, false)
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab-evil-'))
})
afterAll(async () => {
  withdrawHost(made.dataFolder)
  await host.close()
  await made.end()
  rmSync(folder, { recursive: true, force: true })
})

describe('no verb sends a terminal what stands in a file', () => {
  it('import, inspect, data and label', async () => {
    const file = path.join(folder, 'evil\u001b[2J.jsonl')
    const rows = Array.from({ length: 8 }, (_one, at) =>
      JSON.stringify({
        prompt: `${at} ${EVIL}`,
        chosen: `yes ${EVIL}`,
        rejected: `no\nline ${EVIL}`,
        [`note ${EVIL}`]: EVIL,
      }),
    )
    writeFileSync(file, [...rows, `{"prompt": "${'\u009b'}2J" ${'\u0085'}`].join('\n'))
    expectShown(await run(['inspect', file]))
    expectShown(await run(['import', file, '--name', `set ${EVIL}`]))
    expectShown(await run(['data']))
    expectShown(await run(['label', 'set', '--annotator', `ann ${EVIL}`], '1\nu\n2\nq\n'))
    const json = await run(['data', '--json'])
    expect(json.stdout.match(STEERING)).toBeNull()
    expect((JSON.parse(json.stdout) as { name: string }[])[0]?.name).toBe(`set ${EVIL}`)
  })

  it('errors, which quote what was given', async () => {
    for (const args of [['inspect', path.join(folder, `none ${EVIL}`)], [`no${EVIL}`]]) expectShown(await run(args))
  })

  it('train and generate', async () => {
    const trained = await run([
      'train',
      'sft',
      '--data',
      'set',
      '--model',
      'new:nano',
      '--name',
      `run ${EVIL}`,
      ...training,
    ])
    expect(trained.status).toBe(0)
    expectShown(trained)
    const [one] = await made.client.call('runs.list', {})
    // A byte-level model that has seen two steps writes every byte there is.
    const written = await run([
      'generate',
      '--model',
      `run:${one!.runId}`,
      '--prompt',
      'x',
      '--seed',
      '1',
      '--count',
      '3',
      '--max-tokens',
      '24',
    ])
    expect(`${written.stdout}${written.stderr}`.match(STEERING)).toBeNull()
    expect(written.status).toBe(0)
  })

  it('and the log that a person looks into', async () => {
    made.app.log.warn(`of ${EVIL}\nanother line`, { name: EVIL })
    expect(readFileSync(made.app.log.path, 'utf8').replaceAll('\n', '').match(STEERING)).toBeNull()
  })
})
