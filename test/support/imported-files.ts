// A data folder and files to import, anew for each test.
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { DatasetId } from '../../shared/domain.ts'
import { openData, type OpenData, removeFolder } from './open-data.ts'

export let data: OpenData

export let files: string

let written = 0

export function write(content: string | Buffer, extension = 'jsonl'): string {
  written += 1
  const file = path.join(files, `file-${written}.${extension}`)
  writeFileSync(file, content)
  return file
}

export function lines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}

export function manyRows(count: number): string {
  return lines(
    Array.from({ length: count }, (_, index) => ({
      id: `r${index}`,
      prompt: `question ${index % 997}`,
      chosen: `good answer ${index} ${'x '.repeat(20)}`,
      rejected: `bad ${index}`,
    })),
  )
}

export function datasetFolders(folder = data.dataFolder): string[] {
  const datasets = path.join(folder, 'datasets')
  return existsSync(datasets) ? readdirSync(datasets) : []
}

export function countRows(): number[] {
  return ['datasets', 'pairs', 'label_events', 'answers'].map(
    (table) => data.db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? -1,
  )
}

export async function importedId(file: string, name?: string): Promise<DatasetId> {
  const job = await data.importFile(file, name === undefined ? {} : { name })
  if (job.datasetId === null) throw new Error('no data set')
  return job.datasetId
}

export async function allRows(datasetId: DatasetId) {
  return (await data.call('datasets.rows', { datasetId, limit: 500 })).rows
}

/** As after a restart of the app. */
export function reopen(): void {
  data = openData(data.dataFolder)
}

/** A data folder and a folder of files for each test of the file. */
export function withFiles(): void {
  beforeEach(() => {
    files = mkdtempSync(path.join(tmpdir(), 'pairlab-files-'))
    data = openData()
  })
  afterEach(async () => {
    await data.close()
    removeFolder(data.dataFolder)
    removeFolder(files)
  })
}
