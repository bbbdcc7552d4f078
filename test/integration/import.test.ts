import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { settleFolders } from '../../main/app/data/settle-folders.ts'
import {
  allRows,
  countRows,
  data,
  datasetFolders,
  files,
  importedId,
  lines,
  manyRows,
  write,
} from '../support/imported-files.ts'
import { reopen, withFiles } from '../support/imported-files.ts'

withFiles()

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
      itemCount: 3,
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
    expect((await data.call('datasets.get', { datasetId })).itemCount).toBe(12_000)
  })

  it('of texts too leaves nothing behind when it is cancelled, and can be started again', async () => {
    const rows = Array.from({ length: 8000 }, (_none, at) =>
      JSON.stringify({
        anchor: `question ${at} ${'long '.repeat(40)}`,
        positive: `answer ${at}`,
        negative: `other ${at}`,
      }),
    )
    const file = write(rows.join('\n'))
    const kind = 'contrast-groups'
    const { jobId } = await data.call('datasets.import', { path: file, kind })
    while ((await data.call('datasets.importJob', { jobId })).rowsKept === 0)
      await new Promise((resolve) => setTimeout(resolve, 1))
    await data.call('datasets.cancelImport', { jobId })
    expect(await data.imports.ended(jobId)).toMatchObject({ state: 'cancelled', datasetId: null, error: null })
    expect([countRows(), datasetFolders(), await data.call('datasets.list', {})]).toEqual([[0, 0, 0, 0], [], []])
    const again = await data.call('datasets.import', { path: file, kind })
    expect(await data.imports.ended(again.jobId)).toMatchObject({ state: 'finished' })
    expect(await data.call('datasets.list', {})).toMatchObject([{ kind, itemCount: 8000 }])
  })

  it('ends with the app, leaving nothing behind', async () => {
    await data.call('datasets.import', { path: write(manyRows(12_000)) })
    await data.close()
    reopen()
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
      reopen()
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
