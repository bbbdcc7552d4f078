import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import path from 'node:path'

/** Where the files of a data set lie: records.jsonl, dataset.json, labels.jsonl, report.jsonl, views/. */
export function datasetFolder(dataFolder: string, id: string): string {
  return path.join(dataFolder, 'datasets', id)
}
export function recordsPath(dataFolder: string, id: string): string {
  return path.join(datasetFolder(dataFolder, id), 'records.jsonl')
}
export function journalPath(dataFolder: string, id: string): string {
  return path.join(datasetFolder(dataFolder, id), 'labels.jsonl')
}
export function reportPath(dataFolder: string, id: string): string {
  return path.join(datasetFolder(dataFolder, id), 'report.jsonl')
}
export function viewsFolder(dataFolder: string, id: string): string {
  return path.join(datasetFolder(dataFolder, id), 'views')
}

/** Replaces a file whole: after a crash there is the old one or the new one, never half of one. */
export function writeDurably(file: string, text: string): void {
  const temporary = `${file}.tmp`
  const handle = openSync(temporary, 'w')
  try {
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length;) written += writeSync(handle, bytes, written)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, file)
  syncFolder(path.dirname(file))
}

/** A rename is on the disk only once its folder is. Windows cannot open folders and does not need it. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
