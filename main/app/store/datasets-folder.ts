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
