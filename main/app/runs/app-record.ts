import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { runState } from '../../../shared/domain.ts'
import { wireError } from '../../../shared/errors.ts'
import { isErrno } from '../../base/files/system-error.ts'
import { writeRunFile } from '../../base/run-folder/run-file.ts'

/**
 * What the app alone knows of a run, kept beside it so that the index can be rebuilt: how the method is called, the
 * person's note, and an end that the trainer could not write down itself.
 */
export const appRecord = z.strictObject({
  methodName: z.string(),
  mainMetric: z.string().nullable(),
  note: z.string(),
  /** Of the call that made it, with its place among the runs of that call. */
  startKey: z.string().optional(),
  ended: z
    .strictObject({
      state: runState,
      atMs: z.number(),
      /** It holds while the log has no later event. */ afterSeq: z.int(),
      error: wireError.nullable(),
    })
    .nullable(),
})
export type AppRecord = z.infer<typeof appRecord>

function file(folder: string): string {
  return path.join(folder, 'app.json')
}

/** Null when the folder has none, having come from another machine, or a damaged one: the run itself can be read without it. */
export function readAppRecord(folder: string): AppRecord | null {
  let text: string
  try {
    text = readFileSync(file(folder), 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
  try {
    return appRecord.safeParse(JSON.parse(text)).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

export function writeAppRecord(folder: string, record: AppRecord): void {
  writeRunFile(file(folder), `${JSON.stringify(record)}\n`)
}

export function changeAppRecord(
  folder: string,
  run: Pick<AppRecord, 'methodName' | 'mainMetric' | 'note'>,
  changes: Partial<Pick<AppRecord, 'note' | 'ended'>>,
): void {
  const { methodName, mainMetric, note } = run
  const { ended = null, startKey } = readAppRecord(folder) ?? {}
  writeAppRecord(folder, {
    methodName,
    mainMetric,
    note,
    ended,
    ...(startKey === undefined ? {} : { startKey }),
    ...changes,
  })
}
