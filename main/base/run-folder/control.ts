// What the app tells a training process: control.json, written by the app alone.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { isErrno } from '../files/system-error.ts'
import { runPaths } from './paths.ts'
import { control, type Control } from './protocol.ts'
import { writeRunFile } from './run-file.ts'

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
  writeRunFile(runPaths(folder).control, JSON.stringify(next))
  return next
}

/** Before a new trainer starts: what was said to the last one is not meant for it. */
export function clearControl(folder: string): void {
  rmSync(runPaths(folder).control, { force: true })
}
