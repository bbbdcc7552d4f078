import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { eachOwnCopy } from '../../main/core/learn/ranking/own-copies.ts'
import { gradesByQuery, textOf, type Row } from '../../main/core/retrieval/collection.ts'
import { isBeirFolder, readBeirFolder, readJudgments } from '../../main/core/retrieval/read-beir.ts'
import {
  MOST_FEATURES,
  readFeatureLists,
  readFeatureRows,
  widestFeature,
  type FeatureList,
} from '../../main/core/retrieval/read-letor.ts'
import { collectRows } from '../../main/core/retrieval/read-lines.ts'
import {
  readCandidates,
  readIdTriples,
  readMarcoJudgments,
  readMarcoQueries,
  readPassages,
  readTextTriples,
} from '../../main/core/retrieval/read-msmarco.ts'
import { isRankingFolder, readRankings } from '../../main/core/retrieval/to-dataset.ts'
import { formatTrecRun } from '../../main/core/learn/ranking/trec-run.ts'
import { readTrecJudgments, readTrecRun } from '../../main/core/retrieval/trec.ts'

const fixtures = path.resolve(import.meta.dirname, '../fixtures')
const folder = mkdtempSync(path.join(tmpdir(), 'pairlab-retrieval-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function write(text: string | Buffer, name = `file-${(files += 1)}`): string {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

async function read<T>(rows: AsyncIterable<readonly Row<T>[]>): Promise<{ values: T[]; problems: string[] }> {
  const { values, problems } = await collectRows(rows)
  return { values, problems: problems.map(({ line, code }) => `${line} ${code}`) }
}

describe('BEIR', () => {
  it('reads a folder: titles may be missing, grades may be 0, queries need no judgment', async () => {
    const set = await readBeirFolder(path.join(fixtures, 'beir_tiny'))
    expect(set.documents.map((document) => [document.docId, textOf(document)])).toEqual([
      ['d1', 'Iron Iron rusts in damp air.'],
      ['4983', 'Tea holds caffeine.'],
      ['d3', 'A document with no title key.'],
    ])
    expect(set.queries.map((query) => query.queryId)).toEqual(['1', 'q2', 'q9'])
    expect(set.judgments).toEqual({
      test: [
        { queryId: '1', docId: 'd1', grade: 2 },
        { queryId: '1', docId: 'd3', grade: 0 },
        { queryId: 'q2', docId: '4983', grade: 1 },
      ],
      train: [{ queryId: 'q2', docId: '4983', grade: 1 }],
    })
    expect(set.problems).toEqual([])
    expect(gradesByQuery(set.judgments['test']!).get('1')).toEqual(
      new Map([
        ['d1', 2],
        ['d3', 0],
      ]),
    )
    expect([isBeirFolder(path.join(fixtures, 'beir_tiny')), isBeirFolder(fixtures)]).toEqual([true, false])
  })

  it('keeps the first judgment of a file without a header, and drops a header only', async () => {
    expect((await read(readJudgments(write('1\td1\t2\n1\td2\t0\n')))).values).toHaveLength(2)
    expect((await read(readJudgments(write('query-id\tcorpus-id\tscore\n1\td1\t2.0\n')))).values).toEqual([
      { queryId: '1', docId: 'd1', grade: 2 },
    ])
  })

  it('names file and line of what it leaves out, and keeps the rest', async () => {
    write(
      '{"_id":"a","text":"one"}\n{"_id":"a","text":"again"}\nbroken\n{"_id":7,"text":"seven"}\n{"text":"nameless"}\n{"_id":"b","text":3}\n',
      'set/corpus.jsonl',
    )
    write(gzipSync('{"_id":"q","text":"ask"}\n'), 'set/queries.jsonl.gz')
    write(
      'query-id\tcorpus-id\tscore\nq\ta\t1\nq\tzz\t1\nnobody\ta\t1\nq\ta\tgood\nq a 1\nq\t7\t-1\n',
      'set/qrels/test.tsv',
    )
    const set = await readBeirFolder(path.join(folder, 'set'))
    expect(set.documents.map((document) => document.docId)).toEqual(['a', '7'])
    expect(set.judgments['test']).toEqual([
      { queryId: 'q', docId: 'a', grade: 1 },
      { queryId: 'q', docId: 'zz', grade: 1 },
      { queryId: 'q', docId: '7', grade: 0 },
    ])
    expect(
      set.problems.map(({ file, line, severity, code }) => `${file} ${line} ${severity} ${code}`).toSorted(),
    ).toEqual([
      'corpus.jsonl 2 error id-repeated',
      'corpus.jsonl 3 error json-broken',
      'corpus.jsonl 5 error id-missing',
      'corpus.jsonl 6 error text-missing',
      'qrels/test.tsv 3 warning document-unknown',
      'qrels/test.tsv 4 error query-unknown',
      'qrels/test.tsv 5 error grade-not-integer',
      'qrels/test.tsv 6 error qrels-width',
      'qrels/test.tsv 7 warning grade-negative',
    ])
    for (const problem of set.problems)
      expect([problem.reason, problem.hint].every((text) => text.endsWith('.') || text.endsWith('…'))).toBe(true)
  })

  it('says which part is missing', async () => {
    write('{"_id":"a","text":"one"}\n', 'half/corpus.jsonl')
    await expect(readBeirFolder(path.join(folder, 'half'))).rejects.toThrow('There is no queries.jsonl in')
    write('{"_id":"q","text":"ask"}\n', 'half/queries.jsonl')
    await expect(readBeirFolder(path.join(folder, 'half'))).rejects.toThrow('There are no judgments in')
    write('q\tother\tx\n', 'half/qrels/test.tsv')
    await expect(readBeirFolder(path.join(folder, 'half'))).rejects.toThrow('no judgment that can be used')
  })

  it('reads the bundled Cranfield collection whole', async () => {
    const set = await readBeirFolder(path.resolve(import.meta.dirname, '../../resources/samples/cranfield'))
    expect([
      set.documents.length,
      set.queries.length,
      Object.values(set.judgments).flat().length,
      set.problems.length,
    ]).toEqual([1400, 225, 1837, 0])
    expect(
      Object.fromEntries(Object.entries(set.judgments).map(([split, list]) => [split, gradesByQuery(list).size])),
    ).toEqual({ dev: 30, test: 60, train: 135 })
  })
})

describe('TREC', () => {
  it('reads judgments and runs', async () => {
    expect((await read(readTrecJudgments(path.join(fixtures, 'trec/qrels.trec')))).values).toEqual([
      { queryId: 'q1', docId: 'd1', grade: 2 },
      { queryId: 'q1', docId: 'd3', grade: 0 },
    ])
    expect((await read(readTrecRun(path.join(fixtures, 'trec/run.trec')))).values).toEqual([
      { queryId: 'q1', docId: 'd1', rank: 1, score: 12.5, tag: 'myrun' },
      { queryId: 'q1', docId: 'd3', rank: 2, score: 9.75, tag: 'myrun' },
    ])
    expect(
      (await read(readTrecRun(write('q1 Q0 d1 1 x t\nq1 Q0 d1 1 2\nq1  Q0\td1 1 2 t\nq Q0 d one 2 t\n')))).problems,
    ).toEqual(['1 score-not-number', '2 run-width', '4 rank-not-integer'])
    expect((await read(readTrecJudgments(write('q1 0 d1 x\nq1 0 d1\n')))).problems).toEqual([
      '1 grade-not-integer',
      '2 qrels-width',
    ])
  })

  it('writes runs that it reads back: scores exact, ties by falling id', async () => {
    const text = [
      ...formatTrecRun([{ queryId: 'q', docIds: ['b', 'a', 'c'], scores: [1 / 3, 1 / 3, 2] }], 'my run', 2),
    ].join('')
    expect(text).toBe('q Q0 c 1 2 my-run\nq Q0 b 2 0.3333333333333333 my-run\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 8 }),
        async (scores) => {
          const docIds = scores.map((_, at) => `d${at}`)
          const { values, problems } = await read(
            readTrecRun(write([...formatTrecRun([{ queryId: 'q', docIds, scores }], 't')].join(''))),
          )
          expect(problems).toEqual([])
          for (const { docId, score } of values) expect(score).toBe(scores[Number(docId.slice(1))]! + 0) // −0 is written as 0
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('numbers that are none', () => {
  it.each(['NaN', 'Infinity', '-inf', '1e39', '1e400', ''])('a feature of %s leaves its row out', async (value) => {
    const { values, problems } = await read(
      readFeatureRows(write(`2 qid:1 1:0.5\n1 qid:1 1:${value}\n0 qid:1 1:0.25\n`)),
    )
    expect([values.map((row) => row.features), problems]).toEqual([[[[1, 0.5]], [[1, 0.25]]], ['2 feature-broken']])
  })

  it.each(['nan', 'NaN', 'inf', '0.5', '9'.repeat(400)])(
    'a grade of %s is listed, in the first line too',
    async (grade) => {
      for (const [text, line] of [
        [`q\td\t${grade}\nq\te\t1\n`, 1],
        [`query-id\tcorpus-id\tscore\nq\te\t1\nq\td\t${grade}\n`, 3],
      ] as const) {
        expect(await read(readJudgments(write(text)))).toEqual({
          values: [{ queryId: 'q', docId: 'e', grade: 1 }],
          problems: [`${line} grade-not-integer`],
        })
      }
      expect((await read(readFeatureRows(write(`${grade} qid:1 1:1\n1 qid:1 1:2\n`)))).problems).toEqual([
        '1 grade-not-integer',
      ])
    },
  )
})

describe('LETOR', () => {
  async function lists(
    file: string,
    name: string,
  ): Promise<{ lists: FeatureList[]; problems: string[]; width: number }> {
    const width = await widestFeature(file)
    const found: FeatureList[] = []
    const problems: string[] = []
    for await (const { list, problem } of readFeatureLists(file, name, width)) {
      if (list === null) problems.push(`${problem.line} ${problem.code}`)
      else found.push(list)
    }
    return { lists: found, problems, width }
  }

  it('reads sparse rows into dense lists', async () => {
    const set = await lists(path.join(fixtures, 'letor/train.txt'), 'train.txt')
    expect(set.lists.map(({ features, ...list }) => ({ ...list, features: Array.from(features) }))).toEqual([
      { queryId: '10', grades: [2, 0], docIds: ['GX1', '10#2'], features: [0.5, 0, 1.25, Math.fround(0.1), 3, 0] },
      { queryId: '11', grades: [1], docIds: ['11#1'], features: [1, 0, Math.fround(0.2)] },
    ])
  })

  it('names the line of what it leaves out', async () => {
    const set = await lists(
      write(
        '# a comment\n1 qid:1 1:1\n1 1:1\nx qid:1 1:1\n1 qid:1 2:1 1:1\n1 qid:1 1:one\n1 qid:1 0:1\n1 qid:1 3:\n0 qid:2 2:1\n1 qid:1 1:2\n',
      ),
      'f',
    )
    expect(set.problems).toEqual([
      '3 qid-missing',
      '4 grade-not-integer',
      '5 feature-order',
      '6 feature-broken',
      '7 feature-broken',
      '8 feature-broken',
      '10 qid-apart',
    ])
    expect(set.lists.map((list) => list.grades)).toEqual([[1], [0]])
    await expect(widestFeature(write('hello\n'))).rejects.toThrow('has no row with a query and features')
  })

  it('takes no memory for what the number of a feature or the length of a list claims', async () => {
    const set = await lists(
      write(`2 qid:1 500000000:1\n1 qid:1 3:1\n1 qid:2 ${MOST_FEATURES}:1\n${'0 qid:3 1:1\n'.repeat(200)}`),
      'f',
    )
    expect([set.width, set.problems]).toEqual([MOST_FEATURES, ['1 feature-too-high', '4 list-too-long']])
    expect(set.lists.map((list) => list.queryId)).toEqual(['1', '2'])
  })
})

describe('MS MARCO', () => {
  const at = (name: string): string => path.join(fixtures, 'msmarco', name)
  it('reads every table, quotation marks as letters', async () => {
    expect((await read(readPassages(at('collection.tsv')))).values).toEqual([
      { docId: '0', title: '', text: 'Rust is iron oxide.' },
      { docId: '7', title: '', text: 'He said "no" - quotes are not quoting.' },
    ])
    expect((await read(readMarcoQueries(at('queries.train.tsv')))).values).toEqual([
      { queryId: '121352', text: 'define rust' },
    ])
    expect((await read(readMarcoJudgments(at('qrels.train.tsv')))).values).toEqual([
      { queryId: '121352', docId: '0', grade: 1 },
    ])
    expect((await read(readTextTriples(at('triples.train.small.tsv')))).values).toEqual([
      { query: 'define rust', positive: 'Rust is iron oxide.', negative: 'He said "no" - quotes are not quoting.' },
    ])
    expect((await read(readIdTriples(at('qidpidtriples.train.full.2.tsv')))).values).toEqual([
      { queryId: '121352', positiveId: '0', negativeId: '7' },
    ])
    expect((await read(readCandidates(at('top1000.dev.tsv')))).values).toEqual([
      { queryId: '121352', docId: '0', query: 'define rust', text: 'Rust is iron oxide.' },
    ])
  })
  it('names the line of a row with too few or empty cells', async () => {
    expect(await read(readPassages(write('1\ttext\n2\n3\t \n4\ta\tb\n\xff')))).toEqual({
      values: [{ docId: '1', title: '', text: 'text' }],
      problems: ['2 tsv-width', '3 cell-empty', '4 tsv-width', '5 tsv-width'],
    })
    expect((await read(readPassages(write(Buffer.from([0x31, 0x09, 0xff, 0x0a]))))).problems).toEqual(['1 not-utf8'])
  })

  it('is read as judged lists: the splits of its tables, a query once however many tables name it', async () => {
    const set = path.join(folder, 'märco')
    write(gzipSync('1\tRost ist Eisenoxid.\n2\t鐵鏽是氧化鐵。\n3\tTea.\n'), 'märco/collection.tsv.gz')
    write('10\tother words\n11\tيصدأ الحديد\n12\tunjudged\n', 'märco/queries.dev.tsv')
    write('10\twas ist Rost?\n11\tيصدأ الحديد\n', 'märco/queries.dev.small.tsv')
    write('20\tdefine tea\n', 'märco/queries.train.tsv')
    write('10 0 1 1\n11\t0\t2\t1\n99 0 1 1\n', 'märco/qrels.dev.small.tsv')
    write('20\t0\t3\t1\n20\t0\t77\t1\n20\t0\t1\t-1\n', 'märco/qrels.train.tsv')
    write('not read', 'märco/triples.train.small.tsv')
    expect([isRankingFolder(set), isRankingFolder(path.join(fixtures, 'msmarco'))]).toEqual([true, true])
    const parts = []
    for await (const part of readRankings(set)) parts.push(part)
    expect(parts.flatMap((part) => ('query' in part ? [part.query] : []))).toMatchObject([
      { queryId: '10', split: 'validation', data: { text: 'was ist Rost?', judgments: [['1', 1]] } },
      { queryId: '11', split: 'validation', data: { text: 'يصدأ الحديد', judgments: [['2', 1]] } },
      {
        queryId: '20',
        split: 'train',
        data: {
          judgments: [
            ['3', 1],
            ['77', 1],
            ['1', 0],
          ],
        },
      },
    ])
    expect(parts.flatMap((part) => ('document' in part ? [part.document.docId] : []))).toEqual(['1', '2', '3'])
    expect(parts.flatMap((part) => ('problem' in part ? [`${part.problem.reason} ${part.problem.code}`] : []))).toEqual(
      [
        'queries.dev.tsv: The query 10 has other words in an earlier file. id-repeated',
        'qrels.dev.small.tsv: There is no query 99. query-unknown',
        'qrels.train.tsv: There is no document 77. document-unknown',
        'qrels.train.tsv: The grade -1 is below 0. grade-negative',
      ],
    )
  })

  it('says which part holds nothing', async () => {
    write('1\ttext\n', 'empty/collection.tsv')
    write('1\tquery\n', 'empty/queries.train.tsv')
    write('', 'empty/qrels.train.tsv')
    const reading = async (): Promise<void> => {
      for await (const _part of readRankings(path.join(folder, 'empty'))) continue
    }
    await expect(reading()).rejects.toThrow('qrels.train.tsv has no judgment that can be used.')
  })
})

it('copies of queries are looked for in steps, so that a large collection silences nobody', () => {
  const documents = Array.from({ length: 2000 }, (_none, at) => ({ docId: `d${at}`, title: '', text: `Text ${at}.` }))
  const work = eachOwnCopy([{ queryId: 'q', text: 'text 1999' }], documents)
  let steps = 0
  let step = work.next()
  for (; step.done !== true; step = work.next()) steps += 1
  expect([steps, [...step.value.sameText], step.value.sameId.size]).toEqual([4, ['q'], 0])
})
