import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { readHead } from '../../main/base/files/bytes.ts'
import { createCsvScanner, guessDialect, splitCells, type CsvDialect } from '../../main/core/formats/readers-csv.ts'
import { createJsonScanner } from '../../main/core/formats/readers-json.ts'
import { createLineScanner, type RawRecord, type Scanner } from '../../main/base/files/lines.ts'
import { openRows, type ReadOptions, type SourceRow } from '../../main/core/formats/readers.ts'
import { sniffFormat } from '../../main/core/formats/sniff.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-readers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function write(bytes: string | Buffer): string {
  files += 1
  const file = path.join(folder, `file-${files}`)
  writeFileSync(file, bytes)
  return file
}

async function rowsOf(bytes: string | Buffer, options: ReadOptions): Promise<SourceRow[]> {
  const source = await openRows(write(bytes), options)
  const rows: SourceRow[] = []
  for await (const batch of source.batches()) rows.push(...batch)
  expect(source.bytesRead()).toBe(source.totalBytes)
  return rows
}

function scan(scanner: Scanner, pieces: readonly Buffer[]): RawRecord[] {
  return [...pieces.flatMap((piece) => scanner.push(piece)), ...scanner.end()]
}

function shown(records: readonly RawRecord[]): unknown[] {
  return records.map((record) => ({
    line: record.line,
    text: record.bytes?.toString('latin1') ?? null,
    problem: record.problem,
  }))
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((x, y) => x - y)
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
}

const samples: readonly { readonly name: string; readonly text: string; readonly make: () => Scanner }[] = [
  { name: 'lines', text: '{"a":"é😀"}\r\n\n  \n{"b":1}\nbroken\n{"last":true}', make: () => createLineScanner() },
  {
    name: 'json array',
    text: ' [ {"a":"]},\\"{é"} ,\n 3,"x,y" , [1,[2]],\n{"b":{"c":[]}}]\n',
    make: () => createJsonScanner(),
  },
  { name: 'json values', text: '{\n "a": 1\n}\n{\n "b": [2]\n}\n', make: () => createJsonScanner() },
  {
    name: 'csv',
    text: 'a,b\r\n"x,""1""\n😀",2\r3,"un"quoted\n\n4," y"" "\r\n5,"open',
    make: () => createCsvScanner({ delimiter: ',', quoted: true }),
  },
]

describe('scanners', () => {
  for (const { name, text, make } of samples) {
    it(`cuts ${name} alike at every byte`, () => {
      const bytes = Buffer.from(text)
      const whole = shown(scan(make(), [bytes]))
      expect(whole.length).toBeGreaterThan(1)
      for (let at = 0; at <= bytes.length; at += 1)
        expect(shown(scan(make(), [bytes.subarray(0, at), bytes.subarray(at)])), `cut at ${at}`).toEqual(whole)
      expect(
        shown(
          scan(
            make(),
            [...bytes].map((byte) => Buffer.from([byte])),
          ),
        ),
      ).toEqual(whole)
    })
  }

  it('cuts any bytes alike wherever the pieces end', () => {
    const alphabet = fc.constantFrom(...'{}[]",:\\\n\r\t a1é').map((char) => char)
    fc.assert(
      fc.property(
        fc.array(alphabet, { maxLength: 60 }),
        fc.array(fc.nat(80), { maxLength: 6 }),
        fc.constantFrom(...samples),
        (chars, cuts, { make }) => {
          const bytes = Buffer.from(chars.join(''))
          expect(shown(scan(make(), cutAt(bytes, cuts)))).toEqual(shown(scan(make(), [bytes])))
        },
      ),
      { numRuns: 600 },
    )
  })

  it('leaves out a row that is too long and goes on', () => {
    const long = 'x'.repeat(200)
    const lines = scan(createLineScanner(50), cutAt(Buffer.from(`{"a":1}\n${long}\n{"b":2}\n`), [60, 120]))
    expect(lines.map((record) => [record.line, record.problem?.code ?? record.bytes?.toString()])).toEqual([
      [1, '{"a":1}'],
      [2, 'row-too-long'],
      [3, '{"b":2}'],
    ])
    const elements = scan(createJsonScanner(50), cutAt(Buffer.from(`[{"a":1},"${long}",{"b":2}]`), [60, 120]))
    expect(elements.map((record) => [record.line, record.problem?.code ?? record.bytes?.toString()])).toEqual([
      [1, '{"a":1}'],
      [2, 'row-too-long'],
      [3, '{"b":2}'],
    ])
  })
})

describe('JSON', () => {
  it('gives back any array of values, element by element', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
        fc.constantFrom(0, 1, 4),
        fc.integer({ min: 1, max: 40 }),
        async (values, indent, chunkBytes) => {
          const text = JSON.stringify(values, null, indent)
          const rows = await rowsOf(text, { format: 'json', chunkBytes })
          expect(rows.map((row) => row.values)).toEqual(JSON.parse(text))
          expect(rows.map((row) => row.line)).toEqual(values.map((_, index) => index + 1))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('names the element and its line when the file is cut off', async () => {
    const rows = await rowsOf('[\n{"a": 1},\n{"a": "tw', { format: 'json' })
    expect(rows.map((row) => row.problem)).toEqual([
      null,
      {
        line: 2,
        severity: 'error',
        code: 'json-cut-off',
        reason: 'The file ends inside element 2, which began on line 3.',
        hint: expect.any(String),
      },
    ])
    expect((await rowsOf('[{"a": 1}', { format: 'json' })).map((row) => row.problem?.code)).toEqual([
      undefined,
      'json-cut-off',
    ])
  })

  it('reports text after the array and broken elements, and keeps the good ones', async () => {
    const rows = await rowsOf('[{"a": 1}, {"a" 2}, 7, {"a": 3}] [{"a": 4}]', { format: 'json' })
    expect(rows.map((row) => row.values ?? row.problem.code)).toEqual([
      { a: 1 },
      'json-broken',
      'row-not-object',
      { a: 3 },
      'json-after-end',
    ])
  })
})

describe('JSONL', () => {
  it('gives back any rows, with line numbers, BOM, CRLF, gzip or no last line end', async () => {
    const ends = fc.constantFrom('\n', '\r\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 }),
        ends,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        async (values, end, bom, last, zip, chunkBytes) => {
          const text = `${bom ? '\uFEFF' : ''}${values.map((value) => JSON.stringify(value)).join(end)}${last ? end : ''}`
          const rows = await rowsOf(zip ? gzipSync(text) : text, { format: 'jsonl', chunkBytes })
          expect(rows).toEqual(
            values.map((value, index) => ({
              line: index + 1,
              values: JSON.parse(JSON.stringify(value)),
              problem: null,
            })),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  it('reports broken rows by line and keeps the rest', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\n\n{"a":\n[1]\n{"a":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}\n{"a":2}'),
    ])
    const rows = await rowsOf(bytes, { format: 'jsonl' })
    expect(rows.map((row) => [row.line, row.values ?? row.problem.code])).toEqual([
      [1, { a: 1 }],
      [3, 'json-broken'],
      [4, 'row-not-object'],
      [5, 'not-utf8'],
      [6, { a: 2 }],
    ])
    expect(rows.flatMap((row) => row.problem ?? [])).toEqual(
      [3, 4, 5].map((line) => ({
        line,
        severity: 'error',
        code: expect.any(String),
        reason: expect.stringMatching(/\.$/),
        hint: expect.stringMatching(/\.$/),
      })),
    )
  })

  it('keeps the digits of integers that a double cannot hold', async () => {
    const rows = await rowsOf(
      '{"id":12345678901234567890,"n":12,"x":0.25000000000000000000,"t":"1234567890123456789"}',
      { format: 'jsonl' },
    )
    expect(rows[0]?.values).toEqual({ id: '12345678901234567890', n: 12, x: 0.25, t: '1234567890123456789' })
  })

  it('says that a compressed file is damaged', async () => {
    const zipped = gzipSync('{"a":1}\n'.repeat(1000))
    await expect(rowsOf(zipped.subarray(0, zipped.length - 20), { format: 'jsonl' })).rejects.toMatchObject({
      code: 'dataset-invalid',
    })
  })
})

describe('CSV', () => {
  it('reads what csv-parse reads, for any quoted table', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é', '\t', ';', '😀'),
      maxLength: 8,
    })
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
      )
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, chunkBytes, end) => {
          const header = rows[0]?.map((_, index) => `c${index}`) ?? []
          const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`
          const text = [header, ...rows].map((row) => row.map(quote).join(',')).join(end)
          const expected = parse(text, { columns: true, record_delimiter: end, skip_empty_lines: true }) as unknown[] // csv-parse's type is unknown without it
          const read = await rowsOf(text, { format: 'csv', chunkBytes })
          expect(read.map((row) => row.values)).toEqual(expected)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('numbers rows by the line they begin on, quoted line ends included', async () => {
    const rows = await rowsOf('a,b\n"x\ny",1\n\n2,3\n4\n"5 "" 6",7\n', { format: 'csv' })
    expect(rows.map((row) => [row.line, row.values ?? row.problem.code])).toEqual([
      [2, { a: 'x\ny', b: '1' }],
      [5, { a: '2', b: '3' }],
      [6, 'csv-width'],
      [7, { a: '5 " 6', b: '7' }],
    ])
  })

  it('recovers from a quote that is never closed', async () => {
    const rows = await rowsOf('a,b\n1,2\n"open,3\n4,5\n6,7\n', { format: 'csv' })
    expect(rows.map((row) => [row.line, row.values ?? row.problem.code])).toEqual([
      [2, { a: '1', b: '2' }],
      [3, 'csv-quote-open'],
      [4, { a: '4', b: '5' }],
      [5, { a: '6', b: '7' }],
    ])
  })

  it('finds semicolons, and whether tabs go with quotes', async () => {
    expect((await rowsOf('a;b\n"1;2";3\n', { format: 'csv' }))[0]?.values).toEqual({ a: '1;2', b: '3' })
    const unquoted = 'a\tb\n"5 inch\tx\n6\t"y\n'
    expect(guessDialect(Buffer.from(unquoted), true)).toEqual({ delimiter: '\t', quoted: false } satisfies CsvDialect)
    expect((await rowsOf(unquoted, { format: 'tsv' })).map((row) => row.values)).toEqual([
      { a: '"5 inch', b: 'x' },
      { a: '6', b: '"y' },
    ])
    expect((await rowsOf('a\tb\n"1\t2"\t3\n', { format: 'tsv' }))[0]?.values).toEqual({ a: '1\t2', b: '3' })
  })

  it('tells empty and repeated names apart', async () => {
    expect((await rowsOf('a,,a\n1,2,3\n', { format: 'csv' }))[0]?.values).toEqual({
      a: '1',
      'column 2': '2',
      'a (2)': '3',
    })
    expect(splitCells('a,"b"c,', { delimiter: ',', quoted: true })).toEqual(['a', 'bc', ''])
  })
})

describe('sniffing', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"a":1}\n{"a":2}\n', 'jsonl'],
    ['{"a":\n{"a":2}\n', 'jsonl'],
    ['{"a":1}', 'jsonl'],
    ['{\n  "a": 1\n}\n', 'json'],
    ['[{"a":1}]', 'json'],
    ['[\n  {"a":1}\n]', 'json'],
    ['[]', 'json'],
    ['a,b\n1,2\n', 'csv'],
    ['a;b\n1;2\n', 'csv'],
    ['a\tb\n1\t2\n', 'tsv'],
  ]
  for (const [text, format] of cases)
    it(`takes ${JSON.stringify(text)} for ${format}`, () =>
      expect(sniffFormat(Buffer.from(text), true, 'x.dat')).toBe(format))

  it('refuses what is no table of text, and says what it is', async () => {
    expect(() => sniffFormat(Buffer.from('hello\nworld\n'), true, 'x')).toThrow(/neither JSON nor a table/)
    expect(() => sniffFormat(Buffer.from('  \n'), true, 'x')).toThrow(/is empty/)
    await expect(readHead(write('PAR1 etc'), 100)).rejects.toMatchObject({
      code: 'format-unknown',
      message: expect.stringContaining('Parquet'),
    })
    await expect(readHead(write(Buffer.from([1, 0, 2])), 100)).rejects.toMatchObject({ code: 'format-unknown' })
    await expect(readHead(path.join(folder, 'nothing'), 100)).rejects.toMatchObject({ code: 'file-not-found' })
    await expect(readHead(folder, 100)).rejects.toMatchObject({ code: 'input-invalid' })
  })
})
