import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { flagName } from '../../shared/form.ts'
import { trainingConfig } from '../../shared/training-config.ts'
import { algorithms } from '../../main/core/learn/registry.ts'
import { runCli, runJson, startCli } from '../support/cli.ts'

const dataFolder = mkdtempSync(path.join(tmpdir(), 'pairlab clí '))
const options = { dataFolder }
const golden = fileURLToPath(new URL('../golden', import.meta.url))
/** As small as a run can be: what is tested is the road, not the learning. */
const TINY = [
  '--model',
  'new:nano',
  '--tokenizer',
  'byte',
  '--steps',
  '3',
  '--eval-every',
  '0',
  '--checkpoint-every',
  '0',
  '--batch-size',
  '2',
  '--micro-batch-size',
  '2',
  '--max-length',
  '48',
  '--eval-pairs',
  '4',
  '--sample-prompts',
  '1',
  '--sample-tokens',
  '4',
  '--engine',
  'wasm',
]

const pairs = [
  { prompt: 'Say hello.', chosen: 'Hello!', rejected: 'No.' },
  { prompt: 'Count to two.', chosen: 'One, two.', rejected: 'Two, one.' },
  { prompt: 'Name a colour.', chosen: 'Green.', rejected: 'A tree.' },
  { prompt: 'Say goodbye.', chosen: 'Goodbye!', rejected: 'Hello!' },
  { prompt: 'Is it raining?', chosen: 'I cannot see the sky.', rejected: 'Yes.' },
]
const file = path.join(dataFolder, 'mÿ pairs.jsonl')

beforeAll(() => writeFileSync(file, [...pairs.map((pair) => JSON.stringify(pair)), '{"prompt": "broken"'].join('\n')))
afterAll(() => rmSync(dataFolder, { recursive: true, force: true }))

describe('help and usage', () => {
  it('teaches: every verb, the whole road, the exit status', async () => {
    const { status, stdout } = await runCli(['--help'], options)
    expect(status).toBe(0)
    for (const word of [
      'import',
      'inspect',
      'label',
      'train',
      'runs',
      'compare',
      'export',
      'serve',
      'golden',
      'reproduce',
      'demo',
      'doctor',
      'recover',
      'The whole road',
      'Exit status',
    ])
      expect(stdout).toContain(word)
  })

  // One method of each kind of data; test/unit/train-command.test.ts looks at all of them.
  it.each(
    [...new Set(algorithms.map(({ data }) => data))].map((kind) => algorithms.find(({ data }) => data === kind)!.id),
  )('train %s has a flag for each of its settings', async (id) => {
    const { stdout } = await runCli(['train', id, '--help'], options)
    const config = algorithms.find((algorithm) => algorithm.id === id)?.config as unknown as z.ZodObject
    for (const key of [...Object.keys(config.shape), ...Object.keys(trainingConfig.shape)])
      expect(stdout).toContain(`--${flagName(key)} `)
  })

  it.each([
    [['teach'], /unknown command 'teach'/],
    [['import'], /missing required argument/],
    [['datasets', '--colour'], /unknown option '--colour'/],
    [['train', 'dpo'], /--data/],
    [['label', 'x'], /Who is labeling/],
    [['compare', '--format', 'pdf'], /pdf/],
  ])('ends with 2 after %j', async (args, pattern) => {
    const { error } = (await runJson(args, options, 2)) as { error: { code: string; message: string; hint: string } }
    expect(error.code).toBe('usage-invalid')
    expect(error.message).toMatch(pattern)
    expect(error.hint).not.toBe('')
  })

  it('says what is wrong on standard error, and nothing on standard output', async () => {
    const { status, stdout, stderr } = await runCli(['datasets', '--colour'], options)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/unknown option '--colour'[^]*--help/)
  })

  it('says what and what to do, in two lines, with a status for the class', async () => {
    const missing = await runCli(['import', 'no-such-file.jsonl'], options)
    expect([missing.status, missing.stderr.trim().split('\n').length]).toEqual([4, 2])
    const unknown = await runCli(['runs', 'show', 'nothing'], options)
    expect([unknown.status, unknown.stderr.trim().split('\n').length]).toEqual([4, 2])
  })
})

describe('from a file to a comparison', () => {
  it('inspects, imports and lists', async () => {
    const inspected = (await runJson(['inspect', file, '--rows', '10'], options)) as {
      rows: { sentence: string }[]
      problems: { line: number }[]
    }
    expect(inspected.rows).toHaveLength(5)
    expect(inspected.problems.map((problem) => problem.line)).toEqual([6])
    const imported = await runJson(['import', file, '--name', 'mine'], options)
    expect(imported).toMatchObject({ name: 'mine', itemCount: 5, rejectedRowCount: 1 })
    expect(await runJson(['datasets'], options)).toMatchObject([{ name: 'mine', itemCount: 5 }])
    expect((await runCli(['datasets'], options)).stdout).toMatch(/mine\s+5/)
  })

  it('labels from the keyboard, undoes, and keeps what was answered', async () => {
    const labeled = await runCli(['label', 'mine', '--annotator', 'ann'], { ...options, input: '1\n2\nu\n3\nq\n' })
    expect(labeled.status).toBe(0)
    expect(labeled.stdout).toContain('2 of 5 pairs labeled by ann')
    await runJson(['label', 'add', 'mine', '4', 'b', '--annotator', 'ann', '--strength', 'clearly'], options)
    const { path: exported, rows } = (await runJson(['export', 'mine', '--format', 'label-events'], options)) as {
      path: string
      rows: number
    }
    const events = readFileSync(exported, 'utf8').trim().split('\n')
    expect([events.length, rows >= 5]).toEqual([rows, true])
    expect((await runCli(['label', 'add', 'mine', '4', 'best', '--annotator', 'ann'], options)).status).toBe(2)
  })

  it('checks a run without starting it, and refuses values outside the schema', async () => {
    const check = await runJson(['train', 'dpo', '--data', 'mine', ...TINY, '--check'], options)
    expect(check).toMatchObject({ problems: [] })
    expect(await runJson(['runs'], options)).toEqual([])
    expect(await runJson(['train', 'dpo', '--data', 'mine', '--learning-rate', '0'], options, 2)).toMatchObject({
      error: { code: 'usage-invalid', message: expect.stringContaining('--learning-rate') },
    })
    expect((await runCli(['train', 'dpo', '--data', 'mine', '--model', 'old'], options)).status).toBe(2)
    expect((await runCli(['train', 'dpo', '--data', 'yours'], options)).status).toBe(4)
  })

  it('trains seeds in processes of their own, shows and compares them', async () => {
    const runs = await runJson(['train', 'sft', '--data', 'mine', '--seeds', '1-2', '--name', 'tiny', ...TINY], options)
    expect(runs).toMatchObject([
      { state: 'finished', seed: 1, step: 3 },
      { state: 'finished', seed: 2, step: 3 },
    ])
    expect((await runCli(['runs'], options)).stdout).toMatch(/finished\s+sft\s+mine\s+3\/3/)
    const [first] = runs as { runId: string; facts: object }[]
    expect(await runJson(['runs', 'show', first?.runId ?? ''], options)).toMatchObject({
      runId: first?.runId,
      state: 'finished',
    })
    expect((await runCli(['runs', 'samples', first?.runId ?? ''], options)).stdout).toContain('→')
    const comparison = await runJson(['compare'], options)
    expect(comparison).toMatchObject({ groups: [{ method: 'sft', seeds: [1, 2] }] })
    expect((await runCli(['compare'], options)).stdout).toContain('n = 2')
    expect((await runCli(['compare', '--format', 'csv'], options)).stdout).toContain(',')
    expect((await runCli(['compare', '--format', 'latex'], options)).stdout).toContain('tabular')
  })
})

describe('beside a running app', () => {
  it('shows the first pairs as the model will read them', async () => {
    const checked = await runCli(
      ['train', 'dpo', '--data', 'mine', ...TINY, '--model', 'run:tiny-1', '--check'],
      options,
    )
    expect(checked.stdout).toMatch(/^Text is written .*; a completion ends with <\|endoftext\|>$/m)
    const line = checked.stdout.split('\n').find((one) => one.includes(' ⟶ '))
    expect(line).toMatch(/^\S+: .*·.* ⟶ .*<\|endoftext\|>$/)
  })

  it('verbs go through it, a second host is refused, and it ends in order', async () => {
    const child = startCli(['serve', '--json'], options)
    let text = ''
    const { url } = await new Promise<{ url: string }>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text) as { url: string })
      })
      child.on('exit', () => reject(new Error(`serve ended: ${text}`)))
    })
    const address = path.join(dataFolder, 'serve.json')
    try {
      expect(statSync(address).mode & 0o077).toBe(process.platform === 'win32' ? 0o066 : 0) // Windows has no such bits
      expect(await runJson(['datasets'], options)).toMatchObject([{ name: 'mine' }])
      expect(await runJson(['serve'], options, 8)).toMatchObject({
        error: {
          code: 'db-locked',
          message: expect.stringContaining('already running'),
          hint: expect.stringContaining('serve --open'),
        },
      })
      expect(url).toContain('?code=')
    } finally {
      child.kill('SIGTERM')
    }
    const status = await new Promise((resolve) => child.on('close', resolve))
    expect([status, existsSync(address)]).toEqual([0, false])
    expect(await runJson(['datasets'], options)).toMatchObject([{ name: 'mine' }])
  })

  it('an address that a crash left behind is no obstacle', async () => {
    writeFileSync(path.join(dataFolder, 'serve.json'), JSON.stringify({ port: 9, token: 'x', pid: 1, page: true }))
    expect(await runJson(['datasets'], options)).toMatchObject([{ name: 'mine' }])
  })

  it('verbs at the same moment wait for each other', async () => {
    const lists = await Promise.all([1, 2, 3].map(() => runJson(['datasets'], options)))
    expect(lists.map((list) => (list as unknown[]).length)).toEqual([1, 1, 1])
  })
})

describe('checks', () => {
  it('doctor names what is here and what is missing', async () => {
    const { findings, broken } = (await runJson(['doctor'], options)) as {
      findings: { what: string; state: string; mend: string }[]
      broken: number
    }
    expect(broken).toBe(0)
    expect(findings.map((finding) => finding.what)).toEqual(
      expect.arrayContaining(['Node', 'Database', 'Engine wasm', 'Electron', 'Chromium', 'Data folder', 'Free disk']),
    )
    expect(findings.filter((finding) => finding.state !== 'ok' && finding.mend === '')).toEqual([])
  })

  it('doctor ends with 1 where the data folder cannot be written', async () => {
    const blocked = path.join(dataFolder, 'a-file')
    writeFileSync(blocked, '')
    expect((await runCli(['doctor', '--data-dir', path.join(blocked, 'inner')], options)).status).toBe(1)
  })

  it('golden counts what passed, what failed and what it does not know', async () => {
    const folder = path.join(dataFolder, 'golden')
    mkdirSync(folder)
    for (const name of ['dpo.json', 'ipo.json']) cpSync(path.join(golden, name), path.join(folder, name))
    writeFileSync(path.join(folder, 'unheard_of.json'), readFileSync(path.join(golden, 'dpo.json'), 'utf8'))
    const good = await runCli(['golden', folder], options)
    expect(good.status).toBe(0)
    expect(good.stdout.trim().split('\n').at(-1)).toMatch(/^[1-9]\d* passed, 0 failed, [1-9]\d* not covered$/)
    expect(good.stdout).toContain('unheard_of.json')
    const vectors = readFileSync(path.join(golden, 'dpo.json'), 'utf8')
    writeFileSync(
      path.join(folder, 'dpo.json'),
      vectors.replace(/"loss":\s*(\[\s*)?-?\d/, (match) => `${match}9`),
    )
    const bad = await runCli(['golden', folder], options)
    expect(bad.status).toBe(1)
    expect(bad.stdout.trim().split('\n').at(-1)).toMatch(/ [1-9]\d* failed,/)
  })

  it("reproduces the bandit's closed form", async () => {
    const result = await runCli(['reproduce', 'copg-bandit'], options)
    expect(result.status).toBe(0)
    expect(result.stdout).toContain('CoPG')
  })

  it('shows what an experiment found even where it cannot be kept', async () => {
    const full = path.join(dataFolder, 'no room')
    mkdirSync(full)
    writeFileSync(path.join(full, 'reproductions'), 'in the way of the folder')
    const result = await runCli(['reproduce', 'pgrank-exact', '--seeds', '1'], { dataFolder: full })
    expect(result.status).not.toBe(0)
    expect(result.stdout).toMatch(/pgrank-exact: (holds|inconclusive) \(/)
    expect(result.stderr).toContain('reproductions')
  })
})
