import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import { AppError, describeIssues } from '../../../shared/errors.ts'
import { runSpec, type RunSpec } from '../../../shared/run-spec.ts'
import { control, type Control } from './protocol.ts'

/** The files through which the app and a training process talk. Both sides build every path here. */
export interface RunPaths {
  readonly folder: string
  readonly spec: string
  readonly events: string
  readonly control: string
  readonly checkpoints: string
  readonly log: string
  readonly lock: string
}

export function runPaths(folder: string): RunPaths {
  return {
    folder,
    spec: path.join(folder, 'spec.json'),
    events: path.join(folder, 'events.jsonl'),
    control: path.join(folder, 'control.json'),
    checkpoints: path.join(folder, 'checkpoints'),
    log: path.join(folder, 'log.txt'),
    lock: path.join(folder, 'trainer.lock'),
  }
}

/** A checkpoint's folder name sorts as its step does. */
export function checkpointFolder(folder: string, step: number): string {
  return path.join(runPaths(folder).checkpoints, String(step).padStart(8, '0'))
}

/**
 * Readers see the old file or the new one, never half of either, also after a power cut.
 * @throws AppError `disk-full`
 */
export function writeFileAtomic(file: string, data: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    const descriptor = openSync(temporary, 'w')
    try {
      writeFully(descriptor, typeof data === 'string' ? Buffer.from(data) : data)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
    syncFolder(path.dirname(file))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw diskError(error, file)
  }
}

/** writeSync may take fewer bytes than it was given. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done)
}

/** Makes a rename in the folder last. Windows cannot open folders and keeps its journal itself. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}

/** A full disk in the user's words; anything else as it came. */
export function diskError(error: unknown, file: string): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT')) return error
  return new AppError({ code: 'disk-full', message: `The disk is full: ${path.basename(file)} could not be written in ${path.dirname(file)}.`, hint: 'Free some space, then resume the run: it goes on from its last checkpoint.', cause: error })
}

/** @throws AppError `spec-invalid` when the file is missing or not a run specification. */
export function readSpec(folder: string): RunSpec {
  const file = runPaths(folder).spec
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new AppError({ code: 'spec-invalid', message: `${file} cannot be read as JSON.`, hint: 'Start the run again from its request; the specification is written once and never edited.', cause: error })
  }
  const parsed = runSpec.safeParse(raw)
  if (parsed.success) return parsed.data
  throw new AppError({ code: 'spec-invalid', message: `${file}: ${describeIssues(parsed.error)}`, hint: 'It was written by another version of the app or edited by hand. Start the run again from its request.', cause: parsed.error })
}

export function writeSpec(folder: string, spec: RunSpec): void {
  writeFileAtomic(runPaths(folder).spec, `${JSON.stringify(spec, null, 2)}\n`)
}

/**
 * The last command of the app; null before the first. The file is replaced whole, so that half a command cannot be read;
 * one that a disk or a person damaged is no command.
 */
export function readControl(folder: string): Control | null {
  try {
    return control.safeParse(JSON.parse(readFileSync(runPaths(folder).control, 'utf8'))).data ?? null
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return null
    throw error
  }
}

/** Numbers the command after the last one, so that the trainer obeys each of them once; where that one is damaged, after all there can have been. */
export function writeControl(folder: string, command: Control['command']): Control {
  const last = readControl(folder)?.seq ?? (existsSync(runPaths(folder).control) ? Date.now() : 0)
  const next = { seq: last + 1, command }
  writeFileAtomic(runPaths(folder).control, JSON.stringify(next))
  return next
}

/** Before a new trainer starts: what was said to the last one is not meant for it. */
export function clearControl(folder: string): void {
  rmSync(runPaths(folder).control, { force: true })
}

const TAIL_BYTES_PER_LINE = 400

/** The last lines of a text file, empty when there is none. Reads only the file's end. */
export function readTail(file: string, lines: number): readonly string[] {
  if (!existsSync(file)) return []
  const size = statSync(file).size
  const length = Math.min(size, Math.max(64 * 1024, lines * TAIL_BYTES_PER_LINE))
  const buffer = Buffer.alloc(length)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, buffer, 0, length, size - length)
  } finally {
    closeSync(descriptor)
  }
  const all = buffer.toString('utf8').split('\n')
  if (length < size) all.shift() // its start was not read
  if (all.at(-1) === '') all.pop()
  return all.slice(-lines)
}
