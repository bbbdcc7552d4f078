import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { kMeans, vMeasure } from '../../main/core/benchmarks/clustering.ts'
import { embeddingTasks, separation, type EmbeddingTask } from '../../main/core/benchmarks/embedding-tasks.ts'
import { creditOf, rewardItems, scoreRewards } from '../../main/core/benchmarks/reward-bench.ts'
import { listTables, tasksIn } from '../../main/core/benchmarks/places.ts'
import { readTable, type Table } from '../../main/core/benchmarks/tables.ts'
import { createRandom } from '../../main/core/learn/random.ts'

const fixtures = fileURLToPath(new URL('../fixtures/benchmarks/', import.meta.url))

let root: string
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pairlab benchmarks '))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function tablesOf(place: string): Promise<Table[]> {
  return Promise.all(listTables(place).map((name) => readTable(place, name)))
}

describe('RewardBench', () => {
  test('the second, scored as NumPy scores it after the published rules', async () => {
    const items = rewardItems(await tablesOf(path.join(fixtures, 'reward-bench-2')))
    expect(items.map(({ completions, right }) => [completions.length, right])).toEqual([
      [4, 1],
      [4, 1],
      [4, 1],
      [4, 1],
      [4, 1],
      [4, 1],
      [7, 4],
      [3, 1],
      [7, 4],
    ])
    const scores = [
      [1.55, 0.82, 0.33, -1.3],
      [2.11, 0.45, -0.54, 0.58],
      [1.56, 0.29, 0.03, 0.55],
      [1, 1, 0.5, 0.2],
      [0.1, 0.3, 0.3, 0],
      [2, 0.1, 0.3, 0.2],
      [1.5, 1.4, 1.6, 1.45, 0.2, 0.1, 0.9],
      [1, 0.4, 0.9],
      [1.2, 0.8, 1.3, 0.9, 0.85, 0.1, 0.2],
    ]
    const found = scoreRewards(items, scores)
    const by = Object.fromEntries(found.subsets.map((one) => [one.subset, one]))
    expect([by['Factuality']!.score, by['Focus']!.score, by['Math']!.score]).toEqual([1, 1, 0.25])
    expect(by['Ties']!.score).toBeCloseTo(0.6505232461594211, 12)
    expect(by['Ties']!.parts).toEqual({
      refAccuracy: 1,
      tiedAccuracy: 0.5,
      preferred: 0.5,
      preferredHard: 0.5,
      margin: expect.closeTo(0.05232461594211818, 12),
    })
    expect(found.mean).toBeCloseTo((1 + 1 + 0.25 + 0.6505232461594211) / 4, 12)
  })

  it('gives a share of the credit where others score as high, and none where one scores higher', () => {
    expect([
      creditOf({ right: 1 }, [1, 0, 0, 0]),
      creditOf({ right: 1 }, [1, 1, 0, 0]),
      creditOf({ right: 1 }, [1, 1, 1, 1]),
      creditOf({ right: 1 }, [1, 2, 0, 0]),
    ]).toEqual([1, 0.5, 0.25, 0])
  })

  test('the first has one completion a side, as text', () => {
    const rows = [{ id: 7, prompt: 'p', chosen: 'yes', rejected: 'no', subset: 'alpacaeval-easy' }]
    expect(rewardItems([{ name: 't', rows }])).toEqual([
      { id: '7', subset: 'alpacaeval-easy', prompt: 'p', completions: ['yes', 'no'], right: 1 },
    ])
  })

  test('a row of another form is named with its table and its place', () => {
    const of = (row: Record<string, unknown>): (() => unknown) => {
      const good = { id: 1, prompt: 'p', chosen: 'a', rejected: 'b' }
      return () => rewardItems([{ name: 'data/test.jsonl', rows: [good, row] }])
    }
    expect(of({ id: 2, prompt: 'p', chosen: 'a' })).toThrow(/^data\/test\.jsonl, row 2: .*rejected/)
    expect(of({ id: 2, prompt: 'p', chosen: [], rejected: ['b'] })).toThrow('row 2: a prompt needs a chosen')
  })
})

describe('tables', () => {
  test('the same rows from JSON lines, JSON by rows and by columns, TSV, and gzipped', async () => {
    const rows = [
      { a: 'x', b: '1' },
      { a: 'ÿ', b: '2' },
    ]
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('\n')
    writeFileSync(path.join(root, '1.jsonl'), `\uFEFF${lines}`)
    writeFileSync(path.join(root, '2.json'), JSON.stringify(rows))
    writeFileSync(path.join(root, '3.json'), JSON.stringify({ a: ['x', 'ÿ'], b: ['1', '2'] }))
    writeFileSync(path.join(root, '4.tsv'), 'a\tb\r\nx\t1\r\nÿ\t2\r\n')
    writeFileSync(path.join(root, '5.jsonl.gz'), gzipSync(lines))
    writeFileSync(path.join(root, 'dataset_info.json'), '{}')
    writeFileSync(path.join(root, 'README.md'), '# no table')
    const found = await tablesOf(root)
    expect(found.map(({ name }) => name)).toEqual(['1.jsonl', '2.json', '3.json', '4.tsv', '5.jsonl.gz'])
    for (const { name, rows: read } of found) expect([name, read]).toEqual([name, rows])
  })

  test('Parquet, with integers of 64 bits and lists', async () => {
    const [table] = await tablesOf(path.join(fixtures, 'parquet'))
    expect(table!.name).toBe('data/test-00000-of-00001.parquet')
    const items = rewardItems([table!])
    expect(items).toEqual(rewardItems(await tablesOf(path.join(fixtures, 'reward-bench-2'))))
  })

  test('a folder with tables is a task, also where they lie by split; a folder of such folders is one task each', () => {
    const namesOf = (name: string): string[] => tasksIn(path.join(fixtures, name)).map((one) => one.name)
    expect(namesOf('mteb')).toEqual(['clustering', 'pairs', 'reranking', 'retrieval'])
    expect([namesOf('sts'), namesOf('parquet'), namesOf('mteb/retrieval')]).toEqual([
      ['sts'],
      ['parquet'],
      ['retrieval'],
    ])
    expect(namesOf('sts/test.jsonl')).toEqual(['test'])
    expect(() => tasksIn(path.join(root, 'nowhere'))).toThrow('There is nothing at')
    if (process.platform !== 'win32') expect(() => tasksIn('/dev/zero')).toThrow('neither a file nor a folder')
  })

  test.skipIf(process.platform === 'win32')(
    'in a cache of downloads, whose files are links, and one leads nowhere',
    () => {
      const snapshot = path.join(root, 'snapshots', '3f2a')
      mkdirSync(snapshot, { recursive: true })
      symlinkSync(path.join(fixtures, 'sts', 'test.jsonl'), path.join(snapshot, 'test.jsonl'))
      symlinkSync(path.join(fixtures, 'mteb', 'pairs'), path.join(snapshot, 'pairs'))
      symlinkSync(path.join(root, 'gone'), path.join(snapshot, 'dev.jsonl'))
      symlinkSync(snapshot, path.join(snapshot, 'again'))
      const pairs = listTables(path.join(fixtures, 'mteb', 'pairs')).map((name) => `pairs/${name}`)
      expect(listTables(snapshot)).toEqual([...pairs, 'test.jsonl'])
    },
  )

  test('what cannot be read says which file, and where', async () => {
    const broken = path.join(root, 'broken')
    expect(() => listTables(broken)).toThrow('There is nothing at')
    const file = path.join(root, 'torn.jsonl')
    writeFileSync(file, '{"a": 1}\n{"a": \n')
    await expect(readTable(file, '')).rejects.toThrow(`${file}, line 2, is not JSON`)
    const pointer = path.join(root, 'pointer.parquet')
    writeFileSync(pointer, 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')
    await expect(readTable(pointer, '')).rejects.toThrow('cannot be read as Parquet')
  })
})

describe('tasks in MTEB’s layout', () => {
  /** Words of a text as a vector: enough for a measure to have something to measure. */
  function vectorOf(text: string): Float32Array {
    const vector = new Float32Array(64)
    for (const word of text.toLowerCase().match(/[a-z]{3,}/g) ?? []) {
      let place = 7
      for (const letter of word) place = (31 * place + letter.charCodeAt(0)) % 64
      vector[place]! += 1
    }
    return vector
  }
  async function only(name: string): Promise<EmbeddingTask> {
    const [task, ...others] = embeddingTasks(await tablesOf(path.join(fixtures, name)))
    expect(others).toEqual([])
    return task!
  }

  test('each is known by its columns, and measured on its test side', async () => {
    const kinds = ['sts', 'mteb/pairs', 'mteb/retrieval', 'mteb/reranking', 'mteb/clustering']
    const tasks = await Promise.all(kinds.map(only))
    expect(tasks.map(({ type, split }) => [type, split])).toEqual([
      ['STS', 'test'],
      ['PairClassification', 'test'],
      ['Retrieval', 'test'],
      ['Reranking', 'test'],
      ['Clustering', 'test'],
    ])
    for (const task of tasks) {
      const { main_score: score } = task.measure(vectorOf)
      expect(score).toBeGreaterThan(0.3)
      expect(score).toBeLessThanOrEqual(1)
    }
  })

  test('retrieval counts judged documents that are not there, grades as gains, and the test side alone', async () => {
    const task = await only('mteb/retrieval')
    const first = new Map([
      ['What do trains run on?', [1, 0]],
      ['Trains run on rails between cities.', [1, 0]],
    ])
    // Everything else lies at right angles: in the order of trec_eval, by falling id.
    const found = task.measure((text) => Float32Array.from(first.get(text) ?? [0, 1]))
    const log = Math.log2
    const q1 = (2 + 1 / log(3)) / (2 + 1 / log(3)) // d1, then d5, the last of its equals by id
    const q2 = 1 / log(5) // d5 d4 d3 d2
    const q3 = 1 / log(4) / (1 + 1 / log(3)) // d5 d4 d3; “gone” is nowhere
    expect(found['ndcg_at_10']).toBeCloseTo((q1 + q2 + q3) / 3, 12)
    expect(found['recall_at_100']).toBeCloseTo((1 + 1 + 0.5) / 3, 12)
  })

  test('what is none says which columns there are', () => {
    expect(() => embeddingTasks([{ name: 'test.jsonl', rows: [{ foo: 1, bar: 2 }] }])).toThrow('test.jsonl (foo, bar)')
  })

  test('average precision, accuracy and F1 at the best threshold are those of scikit-learn', () => {
    const reference = JSON.parse(readFileSync(path.join(fixtures, 'sklearn.json'), 'utf8')) as {
      separation: { scores: number[]; right: number[]; ap: number; accuracy: number; f1: number }
      clusters: { classes: string[]; clusters: number[]; v: number }[]
    }
    const { scores, right, ...expected } = reference.separation
    const found = separation(
      scores,
      right.map((one) => one === 1),
    )
    for (const name of ['ap', 'accuracy', 'f1'] as const)
      expect([name, found[name]]).toEqual([name, expect.closeTo(expected[name], 12)])
    for (const { classes, clusters, v } of reference.clusters) expect(vMeasure(classes, clusters)).toBeCloseTo(v, 12)
  })

  test('k-means finds clusters that lie apart, the same for a seed', () => {
    const random = createRandom(1)
    const points = Array.from({ length: 60 }, (_none, at) =>
      Float32Array.from([10 * (at % 3) + 0.1 * random.normal(), 0.1 * random.normal()]),
    )
    const classes = points.map((_point, at) => String(at % 3))
    expect(vMeasure(classes, kMeans(points, 3, createRandom(5)))).toBe(1)
    expect(kMeans(points, 3, createRandom(5))).toEqual(kMeans(points, 3, createRandom(5)))
  })
})
