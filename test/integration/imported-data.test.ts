import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { describeWriteError } from '../../main/app/data/import-writer.ts'
import { settleFolders } from '../../main/app/data/settle-folders.ts'
import { createIdSet } from '../../main/core/formats/import-ids.ts'
import {
  allRows,
  countRows,
  data,
  datasetFolders,
  importedId,
  lines,
  manyRows,
  write,
} from '../support/imported-files.ts'
import { reopen, withFiles } from '../support/imported-files.ts'

withFiles()

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
      ['y', [{ annotator: 'majority', outcome: 'a', strength: null, comment: '' }]],
      ['x', [{ annotator: 'majority', outcome: 'tie', strength: null, comment: '' }]],
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
    reopen()
    expect((await settleFolders(data.db, data.dataFolder, 1)).troubles).toMatchObject([{ path: stray }])
    expect(datasetFolders()).toEqual([datasetId, 'ds-stray'].sort())
    expect((await data.call('datasets.get', { datasetId })).itemCount).toBe(10)
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
