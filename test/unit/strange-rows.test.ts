import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { importMapping, inspection } from '../../shared/contract/import-mapping.ts'
import { responsePair } from '../../shared/data-kinds.ts'
import { inspectFile } from '../../main/core/formats/inspect.ts'
import { readPairs } from '../../main/core/formats/read-pairs.ts'
import { readSegmentLines } from '../../main/core/formats/read-segments.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pairlab-rows-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text)
  return path.join(folder, name)
}

/** The way of an import: what is guessed crosses a door, then every row is read. */
async function importOf(
  file: string,
): Promise<{ records: ReturnType<typeof responsePair.parse>[]; problems: string[]; columns: string[] }> {
  const seen = inspection.parse(JSON.parse(JSON.stringify(await inspectFile(file, { mapping: null, limit: 20 }))))
  const mapping = importMapping.parse(JSON.parse(JSON.stringify(seen.mapping)))
  let text = ''
  const problems: string[] = []
  for await (const piece of readPairs(file, mapping)) {
    text += piece.records
    problems.push(...piece.problems.map(({ line, code }) => `${line} ${code}`))
  }
  return {
    records: text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => responsePair.parse(JSON.parse(line))),
    problems,
    columns: seen.columns.map((column) => `${column.name}: ${column.type}, ${column.missing} missing`),
  }
}

const good = (more: string): string => `{"prompt":"p","chosen":"yes","rejected":"no"${more}}`

describe('a row that is nested without end', () => {
  const deep = (open: string, close: string): string =>
    good(`,"extra":${open.repeat(100_000)}1${close.repeat(100_000)}`)
  it.each([
    ['lists', deep('[', ']')],
    ['objects', deep('{"a":', '}')],
    ['lists beside a long number', deep('[12345678901234567890,', ']')],
    ['the row itself', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('is left out alone: %s', async (_what, line) => {
    const { records, problems } = await importOf(write('a.jsonl', `${line}\n${good('')}\n`))
    expect([records.map((record) => record.line), problems.map((problem) => problem.split(' ')[0])]).toEqual([
      [2],
      ['1'],
    ])
  })
  it('is left out of an array too, and of segments', async () => {
    const { records, problems } = await importOf(write('a.json', `[${deep('[', ']')},\n${good('')}]`))
    expect([records.map((record) => record.line), problems]).toEqual([[2], ['1 row-too-deep']])
    const parts = []
    for await (const part of readSegmentLines(write('s.jsonl', `${deep('[', ']')}\n{}\n`)))
      parts.push('problem' in part ? `${part.problem.line} ${part.problem.code}` : 'item')
    expect(parts).toEqual(
      ['1 row-too-deep', '2 not-a-number'].map((one, at) => (at === 1 ? expect.stringMatching(/^2 /) : one)),
    )
  })
})

describe('a column whose name every object inherits', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']
  it('is a column like others, and missing where it is missing', async () => {
    const { records, problems, columns } = await importOf(
      write('a.jsonl', `${good(names.map((name, at) => `,"${name}":${at}`).join(''))}\n${good('')}\n`),
    )
    expect([problems, columns.slice(3)]).toEqual([[], names.map((name) => `${name}: number, 1 missing`)])
    expect(records.map((record) => Object.entries(record.metadata))).toEqual([names.map((name, at) => [name, at]), []])
  })
  it('can be the header of a table', async () => {
    const { records } = await importOf(
      write('a.csv', `prompt,chosen,rejected,${names.join(',')}\np,yes,no,${names.join(',')}\n`),
    )
    expect(records.map((record) => Object.entries(record.metadata))).toEqual([names.map((name) => [name, name])])
  })
  it('can have a role', () => {
    const columns = importMapping.parse(
      JSON.parse(
        '{"format":"jsonl","layout":"mapped","columns":{"__proto__":"prompt","constructor":"a","toString":"b"}}',
      ),
    ).columns
    expect([Object.entries(columns), columns['valueOf']]).toEqual([
      [
        ['__proto__', 'prompt'],
        ['constructor', 'a'],
        ['toString', 'b'],
      ],
      undefined,
    ])
    expect(
      importMapping.safeParse({ format: 'jsonl', layout: 'mapped', columns: { x: 'none' } }).error?.issues[0]?.path,
    ).toEqual(['columns', 'x'])
  })
})
