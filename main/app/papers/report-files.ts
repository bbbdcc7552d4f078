import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { keptReport, type KeptReport } from '../../../shared/contract/papers.ts'
import { writeDurably } from '../store/datasets-folder.ts'

type Form = KeptReport['report']['form']

function fileOf(dataFolder: string, id: string, form: Form): string {
  return path.join(dataFolder, 'reproductions', `${id}-${form}.json`)
}

/** Replaces the report of the same experiment and form. */
export function keepReport(dataFolder: string, kept: KeptReport): string {
  const file = fileOf(dataFolder, kept.report.id, kept.report.form)
  mkdirSync(path.dirname(file), { recursive: true })
  writeDurably(file, `${JSON.stringify(keptReport.parse(kept), null, 1)}\n`)
  return file
}

/** Null where there is none, or one that another version wrote and this one cannot read. */
export function readReport(dataFolder: string, id: string, form: Form): KeptReport | null {
  const file = fileOf(dataFolder, id, form)
  if (!existsSync(file)) return null
  try {
    return keptReport.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
