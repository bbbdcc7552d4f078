import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { keptReport, type KeptReport } from '../../../shared/contract/papers.ts'
import type { AnswerOf } from '../../base/processes/worker-questions.ts'
import { replaceFile } from '../../base/files/durable.ts'

type Form = KeptReport['report']['form']

function fileOf(dataFolder: string, id: string, form: Form): string {
  return path.join(dataFolder, 'reproductions', `${id}-${form}.json`)
}

/** Keeps what a worker found, with where and when it came about, in place of an earlier report of the same experiment and form. */
export function keepFound(
  dataFolder: string,
  { report, device }: Pick<AnswerOf<'reproduce'>, 'report' | 'device'>,
  { appVersion, startedAtMs }: { readonly appVersion: string; readonly startedAtMs: number },
): KeptReport {
  const kept: KeptReport = {
    formatVersion: 1,
    report,
    engine: device,
    appVersion,
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    startedAtMs,
    wallMs: Date.now() - startedAtMs,
  }
  const file = fileOf(dataFolder, report.id, report.form)
  mkdirSync(path.dirname(file), { recursive: true })
  replaceFile(file, `${JSON.stringify(keptReport.parse(kept), null, 1)}\n`)
  return kept
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
