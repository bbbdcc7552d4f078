import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'

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
