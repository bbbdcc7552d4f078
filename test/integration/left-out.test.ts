import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeImport, describeLeftOut, readImportOutcome } from '../../main/doors/headless/import-outcome.ts'
import { followImport } from '../../main/doors/headless/follow-import.ts'
import { leftOut, type LeftOut } from '../../shared/contract/import-mapping.ts'
import { AppError } from '../../shared/errors.ts'
import { makeApp, type TestApp } from '../support/make-app.ts'

let made: TestApp
let folder: string
beforeAll(async () => {
  made = await makeApp()
  folder = mkdtempSync(path.join(tmpdir(), 'left out ü '))
})
afterAll(async () => {
  await made.end()
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, text: string): string {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const segment = {
  observations: [[1]],
  actions: [[0]],
  rewards: [1],
  qpos: null,
  score: null,
  behaviour: null,
  origin: null,
}
const pairOfSegments = JSON.stringify({ world: null, a: segment, b: segment, preferred: 'b' })

/** Each way into the app, with a good row and a bad one of its kind. */
const doors = {
  pairs: {
    name: 'pairs.jsonl',
    good: '{"prompt":"b","chosen":"x","rejected":"y"}\n',
    bad: '{"prompt":"a","chosen":"x","rejected":null}\n',
    reason: 'rejected is null.',
  },
  texts: {
    name: 'texts.jsonl',
    good: '{"query":"q","positive":"p"}\n',
    bad: '{"query":"only"}\n',
    reason: 'The line has no text for positive',
  },
  segments: {
    name: 'segments.jsonl',
    good: `${pairOfSegments}\n`,
    bad: `${pairOfSegments.replace('[1]', '[null]')}\n`,
    reason: 'expected number, received null',
  },
  letor: { name: 'letor.txt', good: '1 qid:1 1:0.5\n', bad: '1 qid:1 1:NaN\n', reason: '"1:NaN" is not a feature.' },
} as const
type Door = keyof typeof doors

async function open(door: Door, file: string): Promise<string> {
  const { client } = made
  if (door === 'texts') return (await client.call('texts.import', { path: file })).datasetId
  if (door === 'segments') return (await client.call('segments.import', { path: file, name: 'S' })).datasetId
  if (door === 'letor') return (await client.call('rankings.import', { path: file })).datasetId
  return followImport(
    client,
    async () => ({ ...(await client.call('datasets.import', { path: file })), datasetId: null }),
    () => undefined,
  )
}

async function refusalOf(door: Door, file: string): Promise<{ error: AppError; found: LeftOut }> {
  const error: unknown = await open(door, file).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(AppError)
  return { error: error as AppError, found: leftOut.parse((error as AppError).details?.['leftOut']) }
}

describe.each(Object.keys(doors) as Door[])('rows of %s that are left out', (door) => {
  const { name, good, bad, reason } = doors[door]

  test('are told one by one up to ten, counted by reason, with the path of the whole list', async () => {
    const datasetId = await open(door, write(name, bad.repeat(12) + good))
    const detail = await made.client.call('datasets.get', { datasetId: datasetId as never })
    expect(detail.rejectedRowCount).toBe(12)
    const outcome = await readImportOutcome(made.client, detail)
    expect(outcome.leftOut).toMatchObject({
      total: 12,
      reasons: [{ count: 12 }],
      path: expect.stringContaining(datasetId),
    })
    expect(outcome.leftOut!.first.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const text = describeImport('Counts', outcome, ['Next'])
    expect(text).toContain(reason)
    expect(text).toMatch(/Left out, 12 rows:\n  line 1: [^]*… and 2 more[^]*12 × /)
    expect(text).toContain(outcome.leftOut!.path)
    expect(text.indexOf('Next')).toBeGreaterThan(text.indexOf('Left out'))
    expect(readFileSync(outcome.leftOut!.path, 'utf8').trim().split('\n')).toHaveLength(12)
  })

  test('are in the error where none is left, and their list stays', async () => {
    const { error, found } = await refusalOf(door, write(`none-${name}`, bad.repeat(11)))
    expect(error.code).toBe('dataset-invalid')
    expect(error.message).toContain(reason)
    expect(`${error.message} ${error.hint}`).not.toContain('roles of the columns')
    expect(found).toMatchObject({ total: 11, reasons: [{ count: 11, reason: expect.stringContaining(reason) }] })
    expect(found.first).toHaveLength(10)
    expect(describeLeftOut(found).join('\n')).toContain('line 10: ')
    expect(path.dirname(found.path)).toBe(path.join(made.dataFolder, 'reports'))
    expect(readFileSync(found.path, 'utf8').trim().split('\n')).toHaveLength(11)
  })
})

test('the first reason stands in the message, with the value and the line', async () => {
  const file = write(
    'alpaca.jsonl',
    [1.23, 1.46, 1.69]
      .map((preference, at) => `${JSON.stringify({ prompt: `t${at}`, chosen: preference, rejected: 'y' })}\n`)
      .join(''),
  )
  const { error } = await refusalOf('pairs', file)
  expect(error.message).toContain('None of the 3 rows')
  expect(error.message).toContain('Line 1: chosen holds the number 1.23')
})

test('a BEIR folder without a usable query says which lines and why', async () => {
  write('beir/corpus.jsonl', '{"_id":"d","text":"t"}\n')
  write('beir/queries.jsonl', '{"_id":"q","text":5}\n{"text":"no id"}\n')
  write('beir/qrels/test.tsv', 'q\td\t1\n')
  const { error, found } = await refusalOf('letor', path.join(folder, 'beir'))
  expect(error.message).toContain('has no query that can be used')
  expect(found.first.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
    expect.stringContaining('1 queries.jsonl: "text" of query q'),
    expect.stringContaining('2 queries.jsonl: "_id"'),
    '1 qrels/test.tsv: There is no query q.',
  ])
})

test('the job of an import from the page carries the list too', async () => {
  const { jobId } = await made.client.call('datasets.import', { path: write('page.jsonl', doors.pairs.bad) })
  await followImport(
    made.client,
    async () => ({ jobId, datasetId: null }),
    () => undefined,
  ).catch(() => undefined)
  expect((await made.client.call('datasets.importJob', { jobId })).error?.leftOut).toMatchObject({
    total: 1,
    first: [{ line: 1, reason: 'rejected is null.' }],
  })
})

test('twenty reports of refused imports are kept, the newest', async () => {
  const file = write('again.jsonl', doors.texts.bad)
  let last = ''
  for (let number = 0; number < 22; number += 1) last = (await refusalOf('texts', file)).found.path
  expect(readdirSync(path.dirname(last))).toHaveLength(20)
  expect(existsSync(last)).toBe(true)
})

describe('a data set warns', () => {
  const warningsOf = async (door: Door, name: string, text: string): Promise<string[]> =>
    (await made.client.call('datasets.warnings', { datasetId: (await open(door, write(name, text))) as never })).map(
      (warning) => warning.code,
    )
  const rows = (prompt: (at: number) => string): string =>
    Array.from(
      { length: 30 },
      (_, at) => `${JSON.stringify({ prompt: prompt(at), chosen: `good ${at}`, rejected: `bad ${at}` })}\n`,
    ).join('')

  test('of a prompt that is empty in every row, of a single prompt, and of nothing held out', async () => {
    expect(
      await warningsOf(
        'pairs',
        'empty.jsonl',
        rows(() => ''),
      ),
    ).toEqual(['prompts-empty', 'nothing-held-out'])
    expect(
      await warningsOf(
        'pairs',
        'one.jsonl',
        rows(() => 'the same'),
      ),
    ).toEqual(['one-group', 'nothing-held-out'])
    expect(
      await warningsOf(
        'pairs',
        'two.jsonl',
        rows((at) => `prompt ${at % 2}`),
      ),
    ).toEqual(['nothing-to-validate'])
    expect(
      await warningsOf(
        'pairs',
        'many.jsonl',
        rows((at) => `prompt ${at}`),
      ),
    ).toEqual([])
  })

  test('whatever its kind', async () => {
    expect(await warningsOf('texts', 'one-text.jsonl', doors.texts.good.repeat(5))).toEqual([
      'one-group',
      'nothing-held-out',
    ])
    expect(await warningsOf('segments', 'one-segment.jsonl', doors.segments.good)).toEqual(['nothing-held-out'])
    expect(await warningsOf('letor', 'train.txt', '1 qid:1 1:1\n1 qid:2 1:1\n')).toEqual(['nothing-held-out'])
  })

  test('after its counts in the terminal, and before a run is started', async () => {
    const { client } = made
    const datasetId = (await open(
      'pairs',
      write(
        'warn.jsonl',
        rows(() => ''),
      ),
    )) as never
    const outcome = await readImportOutcome(client, await client.call('datasets.get', { datasetId }))
    expect(describeImport('Counts', outcome, ['Next']).split('\n')).toEqual([
      'Counts',
      'WARNING: The prompt is empty in every one of the 30 rows.',
      expect.any(String),
      'WARNING: No held-out side: validation and test are empty.',
      expect.any(String),
      'Next',
    ])
    const check = await client.call('runs.check', {
      request: {
        method: 'sft',
        model: { kind: 'new', preset: 'nano', tokenizer: { kind: 'byte' } },
        data: { datasetId },
      },
    })
    expect(check.advice.filter((one) => one.level === 'warning').map((one) => one.text)).toEqual(
      expect.arrayContaining([
        expect.stringContaining('The prompt is empty in every one'),
        expect.stringContaining('No held-out side'),
      ]),
    )
  })
})

test('a row with several problems is one row', async () => {
  const datasetId = await open(
    'pairs',
    write(
      'several.jsonl',
      '{"prompt":"","chosen":null,"rejected":7}\n{"prompt":"b","chosen":"x","rejected":"y"}\n{"prompt":"c","chosen":null,"rejected":"y"}\n',
    ),
  )
  const detail = await made.client.call('datasets.get', { datasetId: datasetId as never })
  const { leftOut: found } = await readImportOutcome(made.client, detail)
  expect(found!.first.map(({ line }) => line)).toEqual([1, 1, 3])
  expect([detail.rejectedRowCount, found!.total]).toEqual([2, 2])
  expect(describeLeftOut(found!)[0]).toBe('Left out, 2 rows:')
  expect(describeLeftOut(found!).join('\n')).not.toContain('more')
})
