import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { describeWriteError } from '../../main/app/data/import-writer.ts'
import { settleFolders } from '../../main/app/data/settle-folders.ts'
import { createIdSet } from '../../main/core/formats/import-ids.ts'
import { openData, removeFolder, type OpenData } from '../support/open-data.ts'

let data: OpenData
let files: string

beforeEach(() => {
  files = mkdtempSync(path.join(tmpdir(), 'pairlab-files-'))
  data = openData()
})
afterEach(async () => {
  await data.close()
  removeFolder(data.dataFolder)
  removeFolder(files)
})

let written = 0
function write(content: string | Buffer, extension = 'jsonl'): string {
  written += 1
  const file = path.join(files, `file-${written}.${extension}`)
  writeFileSync(file, content)
  return file
}
function lines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
function manyRows(count: number): string {
  return lines(
    Array.from({ length: count }, (_, index) => ({
      id: `r${index}`,
      prompt: `question ${index % 997}`,
      chosen: `good answer ${index} ${'x '.repeat(20)}`,
      rejected: `bad ${index}`,
    })),
  )
}
function datasetFolders(folder = data.dataFolder): string[] {
  const datasets = path.join(folder, 'datasets')
  return existsSync(datasets) ? readdirSync(datasets) : []
}
function countRows(): number[] {
  return ['datasets', 'pairs', 'label_events', 'answers'].map(
    (table) => data.db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? -1,
  )
}
async function importedId(file: string, name?: string): Promise<DatasetId> {
  const job = await data.importFile(file, name === undefined ? {} : { name })
  if (job.datasetId === null) throw new Error('no data set')
  return job.datasetId
}
async function allRows(datasetId: DatasetId) {
  return (await data.call('datasets.rows', { datasetId, limit: 500 })).rows
}

describe('an import', () => {
  it('keeps good rows, reports bad ones and writes what it promises', async () => {
    const file = write(
      '{"prompt":"p","chosen":"c","rejected":"r","id":"x","extra":[1]}\n{"prompt":\n{"prompt":"p","chosen":"c2","rejected":"","id":"x"}\n{"prompt":"q","chosen":true,"rejected":"r"}\n{"prompt":"q","chosen":"c","rejected":"d"}',
    )
    const datasetId = await importedId(file)
    const folder = path.join(data.dataFolder, 'datasets', datasetId)
    expect(readdirSync(folder).sort()).toEqual(['dataset.json', 'labels.jsonl', 'records.jsonl', 'report.jsonl'])
    const records = readFileSync(path.join(folder, 'records.jsonl'), 'utf8')
    expect(
      records
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      {
        pairId: 'x',
        index: 0,
        line: 1,
        prompt: 'p',
        a: 'c',
        b: 'r',
        rewardA: null,
        rewardB: null,
        weight: 1,
        metadata: { extra: [1] },
      },
      {
        pairId: 'x (row 3)',
        index: 1,
        line: 3,
        prompt: 'p',
        a: 'c2',
        b: '',
        rewardA: null,
        rewardB: null,
        weight: 1,
        metadata: {},
      },
      {
        pairId: 'row 5',
        index: 2,
        line: 5,
        prompt: 'q',
        a: 'c',
        b: 'd',
        rewardA: null,
        rewardB: null,
        weight: 1,
        metadata: {},
      },
    ])
    const [summary] = await data.call('datasets.list', {})
    expect(summary).toMatchObject({
      datasetId,
      name: path.basename(file, '.jsonl'),
      source: file,
      fingerprint: createHash('sha256').update(records).digest('hex'),
      pairCount: 3,
      promptCount: 2,
      labelCount: 3,
      rejectedRowCount: 2,
      warningCount: 3,
      annotators: ['file'],
    })
    const report = await data.call('datasets.report', { datasetId })
    expect(report.problems.map(({ line, code }) => [line, code])).toEqual([
      [2, 'json-broken'],
      [3, 'answer-empty'],
      [3, 'id-repeated'],
      [4, 'answer-not-text'],
      [5, 'id-missing'],
    ])
    expect(report.path).toBe(path.join(folder, 'report.jsonl'))
    expect(
      (await data.call('datasets.report', { datasetId, offset: 1, limit: 2 })).problems.map((problem) => problem.code),
    ).toEqual(['answer-empty', 'id-repeated'])
  })

  it('reads gzip, BOM and CSV alike', async () => {
    const csv = '\uFEFFprompt,chosen,rejected\r\n"a, b","c ""d""",e\r\n'
    const ids = [
      await importedId(write(csv, 'csv')),
      await importedId(write(gzipSync(csv), 'csv.gz')),
      await importedId(write(csv, 'bin')),
    ]
    const rows = await Promise.all(ids.map(allRows))
    expect(rows[0]).toMatchObject([{ line: 2, prompt: 'a, b', a: 'c "d"', b: 'e' }])
    expect(rows[1]).toEqual(rows[0])
    expect(rows[2]).toEqual(rows[0])
  })

  it('tells two imports of one file apart', async () => {
    const file = write(lines([{ prompt: 'p', chosen: 'c', rejected: 'r' }]))
    await importedId(file, 'Mine')
    await importedId(file, 'Mine')
    await importedId(file, 'Mine')
    const list = await data.call('datasets.list', {})
    expect(list.map((dataset) => dataset.name).sort()).toEqual(['Mine', 'Mine (2)', 'Mine (3)'])
    expect(new Set(list.map((dataset) => dataset.fingerprint)).size).toBe(1)
  })

  it('says before it starts what is wrong with the file or the mapping', async () => {
    await expect(data.call('datasets.import', { path: path.join(files, 'none.jsonl') })).rejects.toMatchObject({
      code: 'file-not-found',
    })
    await expect(data.call('datasets.import', { path: write('{"text":"x"}\n') })).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('no column is given for a, b'),
    })
    await expect(data.call('datasets.import', { path: write('hello') })).rejects.toMatchObject({
      code: 'format-unknown',
    })
    expect(await data.call('datasets.importJobs', {})).toEqual([])
  })

  it('fails without a trace when no row is good', async () => {
    const { jobId } = await data.call('datasets.import', {
      path: write(lines([{ prompt: 'p', chosen: 1, rejected: 2 }])),
    })
    expect(await data.imports.ended(jobId)).toMatchObject({
      state: 'failed',
      datasetId: null,
      error: { message: expect.stringMatching(/^None of the 1 rows/) },
    })
    expect(countRows()).toEqual([0, 0, 0, 0])
    expect(datasetFolders()).toEqual([])
  })

  it('leaves nothing behind when it is cancelled, and can be started again', async () => {
    const file = write(manyRows(12_000))
    const { jobId } = await data.call('datasets.import', { path: file })
    while ((await data.call('datasets.importJob', { jobId })).rowsKept < 3000)
      await new Promise((resolve) => setTimeout(resolve, 2))
    expect(await data.call('datasets.list', {})).toEqual([]) // not visible while it runs
    await data.call('datasets.cancelImport', { jobId })
    const job = await data.imports.ended(jobId)
    expect(job).toMatchObject({ state: 'cancelled', datasetId: null, error: null })
    expect(job.rowsKept).toBeLessThan(12_000)
    expect(countRows()).toEqual([0, 0, 0, 0])
    expect(datasetFolders()).toEqual([])
    expect(data.eventsOf('import.progress').at(-1)?.state).toBe('cancelled')
    const datasetId = await importedId(file)
    expect((await data.call('datasets.get', { datasetId })).pairCount).toBe(12_000)
  })

  it('ends with the app, leaving nothing behind', async () => {
    await data.call('datasets.import', { path: write(manyRows(12_000)) })
    await data.close()
    data = openData(data.dataFolder)
    expect(countRows()).toEqual([0, 0, 0, 0])
    expect(datasetFolders()).toEqual([])
  })

  it('refuses a file that changes while it is read', async () => {
    const file = write(manyRows(12_000))
    const { jobId } = await data.call('datasets.import', { path: file })
    while ((await data.call('datasets.importJob', { jobId })).rowsKept < 1000)
      await new Promise((resolve) => setTimeout(resolve, 2))
    appendFileSync(file, manyRows(1))
    expect(await data.imports.ended(jobId)).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('was changed while it was read') },
    })
    expect(countRows()).toEqual([0, 0, 0, 0])
  })

  it('lets other work in between batches', async () => {
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 1)
    await importedId(write(manyRows(8000)))
    clearInterval(timer)
    expect(turns).toBeGreaterThanOrEqual(8) // one for each batch of a thousand rows, however busy the machine
  })

  it('is in the trash after a kill at any moment', async () => {
    const file = write(manyRows(20_000))
    for (const killAt of [0, 2000, 8000]) {
      await data.close()
      const reached = await killDuringImport(data.dataFolder, file, killAt)
      data = openData(data.dataFolder)
      const { troubles } = await settleFolders(data.db, data.dataFolder, 1)
      expect(troubles).toEqual([])
      expect(await data.call('datasets.list', {})).toEqual([])
      const small = await importedId(write(lines([{ prompt: 'p', chosen: 'c', rejected: `killed at ${reached}` }])))
      expect(datasetFolders()).toEqual([small])
      expect(countRows()).toEqual([1, 1, 1, 1])
      await data.call('datasets.delete', { datasetId: small })
    }
  }, 120_000)
})

function killDuringImport(folder: string, file: string, atRow: number): Promise<number> {
  const script = fileURLToPath(new URL('../support/import-child.ts', import.meta.url))
  const child = spawn(process.execPath, [script, folder, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let reached = 0
    child.stdout.on('data', (chunk: Buffer) => {
      const text = chunk.toString()
      if (text.includes('done')) reject(new Error('the import ended before it was killed'))
      reached = Number(text.trim().split('\n').at(-1))
      if (reached >= atRow) child.kill('SIGKILL')
    })
    child.on('exit', () => resolve(reached))
  })
}

describe('a data set', () => {
  it('comes back from its export of pairs with labels', async () => {
    const rows = [
      {
        key: 'one',
        prompt: 'p',
        a: 'x',
        b: ' y',
        'label:ann': 'a',
        'strength:ann': 'far',
        'label:bob': 'tie',
        reward_a: 1.5,
        reward_b: 2,
        weight: 0.5,
        topic: { deep: [1, null] },
      },
      { key: 'two', prompt: 'p\n"q"', a: '', b: 'y😀', 'label:ann': 'both-bad', 'label:bob': 'skip', topic: 'z' },
      { key: 'three', prompt: 'q', a: 'same', b: 'other', topic: null },
    ].map(({ key, ...row }) => ({ id: key, ...row }))
    const first = await importedId(write(lines(rows)))
    const exported = await data.call('datasets.export', { datasetId: first, format: 'pairs-with-labels' })
    expect(exported.rows).toBe(3)
    expect(path.dirname(exported.path)).toBe(path.join(data.dataFolder, 'exports'))
    const second = await importedId(exported.path)
    const strip = (list: Awaited<ReturnType<typeof allRows>>) =>
      list.map(({ metadata: { split: _, ...metadata }, ...row }) => ({ ...row, metadata }))
    expect(strip(await allRows(second))).toEqual(strip(await allRows(first)))
    const text = (id: DatasetId): unknown[] =>
      readFileSync(path.join(data.dataFolder, 'datasets', id, 'records.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => {
          const {
            metadata,
            split: _,
            ...record
          } = JSON.parse(line) as { metadata: Record<string, unknown>; split?: string } // a record
          delete metadata['split']
          return { ...record, metadata }
        })
    expect(text(second)).toEqual(text(first))
  })

  it('comes back from its export of conversations', async () => {
    const turns = (answer: string) => [{ role: 'assistant', content: answer }]
    const first = await importedId(
      write(
        lines([
          {
            prompt: [
              { role: 'system', content: 's' },
              { role: 'user', content: 'u' },
            ],
            chosen: turns('c'),
            rejected: turns('r'),
          },
        ]),
      ),
    )
    const exported = await data.call('datasets.export', { datasetId: first, format: 'pairs-with-labels' })
    const strip = (list: Awaited<ReturnType<typeof allRows>>) =>
      list.map(({ prompt, a, b, labels }) => ({ prompt, a, b, labels }))
    expect(strip(await allRows(await importedId(exported.path)))).toEqual(strip(await allRows(first)))
  })

  it('exports preferences with the winner first, soft labels and ties marked', async () => {
    const datasetId = await importedId(
      write(
        lines([
          {
            prompt: 'p',
            response1: 'x',
            response2: 'y',
            annotator1: 2,
            annotator2: 2,
            annotator3: 1,
            reward1: 1,
            reward2: 2,
          },
          { prompt: 'p', response1: 'x', response2: 'y', annotator1: 0, annotator2: 1, annotator3: 2 },
          { prompt: 'p', response1: 'x', response2: 'y', annotator1: null, annotator2: null, annotator3: null },
        ]),
      ),
    )
    const exported = await data.call('datasets.export', { datasetId, format: 'preferences' })
    const rows = readFileSync(exported.path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(rows).toMatchObject([
      {
        id: '0',
        prompt: 'p',
        chosen: 'y',
        rejected: 'x',
        labels: 3,
        strength: 1,
        'label:majority': 'a',
        score_chosen: 2,
        score_rejected: 1,
      },
      { id: '1', chosen: 'x', rejected: 'y', preference: 0.5, 'label:majority': 'tie' },
    ])
    expect(rows[0]).toHaveProperty('preference', expect.closeTo(2 / 3, 12))
    const again = await allRows(await importedId(exported.path))
    expect(again.map((row) => [row.a, row.labels])).toEqual([
      ['y', [{ annotator: 'majority', outcome: 'a', strength: null }]],
      ['x', [{ annotator: 'majority', outcome: 'tie', strength: null }]],
    ])
  })

  it('exports every label event', async () => {
    const datasetId = await importedId(write(manyRows(2500)))
    const exported = await data.call('datasets.export', { datasetId, format: 'label-events' })
    const events = readFileSync(exported.path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { pairId: string; kind: string })
    expect(exported.rows).toBe(2500)
    expect(events.map((event) => event.pairId)).toEqual(Array.from({ length: 2500 }, (_, index) => `r${index}`))
    expect(events[0]).toMatchObject({ kind: 'answer', outcome: 'a', annotatorId: 'file' })
  })

  it('keeps its new name, question and guideline beside the records', async () => {
    const datasetId = await importedId(write(manyRows(3)))
    await data.call('datasets.update', { datasetId, name: 'New', guideline: 'Be kind.', question: 'Which?' })
    expect(await data.call('datasets.get', { datasetId })).toMatchObject({
      name: 'New',
      guideline: 'Be kind.',
      question: 'Which?',
    })
    expect(
      JSON.parse(readFileSync(path.join(data.dataFolder, 'datasets', datasetId, 'dataset.json'), 'utf8')),
    ).toMatchObject({ name: 'New', guideline: 'Be kind.' })
    expect(data.eventsOf('datasets.changed').at(-1)).toEqual({ datasetId })
  })

  it('goes to the trash when it is deleted', async () => {
    const datasetId = await importedId(write(manyRows(1200)))
    await data.call('datasets.delete', { datasetId })
    expect(countRows()).toEqual([0, 0, 0, 0])
    expect(datasetFolders()).toEqual([])
    const [name] = readdirSync(path.join(data.dataFolder, 'trash'))
    expect(readdirSync(path.join(data.dataFolder, 'trash', name ?? '')).sort()).toEqual([
      'dataset.json',
      'deleted.json',
      'labels.jsonl',
      'records.jsonl',
      'report.jsonl',
    ])
    await expect(data.call('datasets.get', { datasetId })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('leaves the folder of a finished data set and a stray one alone at the next start', async () => {
    const datasetId = await importedId(write(manyRows(10)))
    const stray = path.join(data.dataFolder, 'datasets', 'ds-stray')
    mkdirSync(stray)
    writeFileSync(path.join(stray, 'record.txt'), '{}')
    await data.close()
    data = openData(data.dataFolder)
    expect((await settleFolders(data.db, data.dataFolder, 1)).troubles).toMatchObject([{ path: stray }])
    expect(datasetFolders()).toEqual([datasetId, 'ds-stray'].sort())
    expect((await data.call('datasets.get', { datasetId })).pairCount).toBe(10)
  })
})

describe('a newer search', () => {
  it('overtakes the one before', async () => {
    const datasetId = await importedId(write(manyRows(9000)))
    const first = data.call('datasets.rows', { datasetId, search: 'answer 1' })
    const second = data.call('datasets.rows', { datasetId, search: 'answer 8999 ' })
    await expect(first).rejects.toMatchObject({ code: 'cancelled' })
    expect((await second).rows.map((row) => row.index)).toEqual([8999])
  })
})

describe('details', () => {
  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', () => {
    const handle = openSync('/dev/full', 'w')
    let caught: unknown = null
    try {
      writeSync(handle, 'x')
    } catch (error) {
      caught = error
    } finally {
      closeSync(handle)
    }
    expect(describeWriteError(caught, '/x')).toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining('/x'),
    })
    expect(describeWriteError(new RangeError('other'), '/x')).toBeInstanceOf(RangeError)
  })

  it('remembers every id once', () => {
    const ids = createIdSet()
    const names = Array.from({ length: 50_000 }, (_, index) => `id-${index}`)
    expect(names.every((name) => ids.add(name))).toBe(true)
    expect(names.some((name) => ids.add(name))).toBe(false)
    expect(ids.add('')).toBe(true)
    expect(ids.add('')).toBe(false)
  })
})
