import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AppendFile } from './import-writer.ts'

/** Text that is gathered before it is written. */
const FLUSH_LENGTH = 128 * 1024
/** Milliseconds of making lines between two turns of the event loop. */
const SLICE_MS = 10

/** Writes lines as they are made, with other work let in between. '' is no line, but a place to stop at. @returns how many */
export async function writeLines(output: AppendFile, lines: Iterable<string>): Promise<number> {
  let count = 0
  let waiting: string[] = []
  let waitingLength = 0
  let beganMs = performance.now()
  for (const line of lines) {
    if (line !== '') {
      waiting.push(line, '\n')
      waitingLength += line.length
      count += 1
    }
    if (waitingLength >= FLUSH_LENGTH) {
      await output.append(waiting.join(''))
      waiting = []
      waitingLength = 0
    } else if (performance.now() - beganMs < SLICE_MS) continue
    await nextTurn()
    beganMs = performance.now()
  }
  await output.append(waiting.join(''))
  return count
}
