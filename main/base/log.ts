import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs'
import path from 'node:path'
import { printableLine } from '../../shared/printable.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The app's own log, for a person to read: one line an entry, two files of at most `maxBytes` each. */
export interface Log {
  readonly path: string
  debug(text: string, details?: unknown): void
  info(text: string, details?: unknown): void
  warn(text: string, details?: unknown): void
  error(text: string, details?: unknown): void
  /** The last lines, oldest first, reaching back into the rotated file. */
  tail(lines: number): string[]
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
const MAX_BYTES = 2 * 1024 * 1024

export interface LogOptions {
  readonly level?: LogLevel
  readonly maxBytes?: number
}

export function createLog(folder: string, options: LogOptions = {}): Log {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'app.log')
  const older = path.join(folder, 'app.1.log')
  const maxBytes = options.maxBytes ?? MAX_BYTES
  const lowest = LEVELS.indexOf(options.level ?? 'info')
  let size = existsSync(file) ? statSync(file).size : 0

  function write(level: LogLevel, text: string, details: unknown): void {
    if (LEVELS.indexOf(level) < lowest) return
    const line = `${new Date().toISOString()} ${level.padEnd(5)} ${oneLine(text)}${details === undefined ? '' : ` ${describe(details)}`}\n`
    try {
      if (size > 0 && size + line.length > maxBytes) {
        renameSync(file, older)
        size = 0
      }
      appendFileSync(file, line)
      size += Buffer.byteLength(line)
    } catch (error) {
      // A full disk must not take the app down through its log.
      console.error(oneLine(`cannot write ${file}: ${describe(error)}`))
    }
  }
  return {
    path: file,
    debug: (text, details) => write('debug', text, details),
    info: (text, details) => write('info', text, details),
    warn: (text, details) => write('warn', text, details),
    error: (text, details) => write('error', text, details),
    tail(lines) {
      const recent = readTail(file, maxBytes)
      const all = recent.length >= lines ? recent : [...readTail(older, maxBytes), ...recent]
      return all.slice(-lines)
    },
  }
}

function readTail(file: string, maxBytes: number): string[] {
  try {
    return existsSync(file) ? readLastLines(file, maxBytes) : []
  } catch (error) {
    return [`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`]
  }
}

function readLastLines(file: string, maxBytes: number): string[] {
  const handle = openSync(file, 'r')
  try {
    const { size } = fstatSync(handle)
    const from = Math.max(0, size - maxBytes)
    const bytes = Buffer.alloc(size - from)
    const count = readSync(handle, bytes, 0, bytes.length, from)
    const lines = bytes.toString('utf8', 0, count).split('\n')
    return lines.slice(from > 0 ? 1 : 0).filter((line) => line !== '')
  } finally {
    closeSync(handle)
  }
}

/** An entry stays one line; what it quotes cannot pretend to be another. */
function oneLine(text: string): string {
  return printableLine(text.replace(/\r?\n/g, ' ⏎ '))
}

function describe(details: unknown): string {
  if (details instanceof Error) {
    const cause = details.cause === undefined ? '' : ` caused by ${describe(details.cause)}`
    return oneLine(`${details.stack ?? details.message}${cause}`)
  }
  return oneLine(typeof details === 'string' ? details : (JSON.stringify(details) ?? String(details)))
}
